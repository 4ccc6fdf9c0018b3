/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a virtual machine that its space processes share. */
#ifndef PLEX86_VM_H
#define PLEX86_VM_H

#include "control.h"
#include "map.h"

#define EFLAGS_IF 0x200
#define EFLAGS_RF 0x10000
/* What a guest may have in EFLAGS: arithmetic flags, TF, DF, AC, ID ... */
#define EFLAGS_GUEST 0x240dd5
/* ... and what is always set: IF of the host, and the fixed bit. */
#define EFLAGS_HOST 0x202

#define CR0_PE 0x1
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PSE 0x10
#define CR4_PGE 0x80

#define TLS_ENTRIES 3
#define TLS_FIRST 12 /* index in the GDT, the same in guest and host */

/* <asm/ldt.h> */
struct user_desc {
  u32 entry_number;
  u32 base;
  u32 limit;
  u32 flags; /* seg_32bit, contents (2), read_exec_only, limit_in_pages, seg_not_present, useable */
};

/* XCR0 components that a guest may use: x87, SSE, AVX, AVX-512. */
#define XCR0_GUEST 0xe7
#define FPU_AREA 4096

/* In the order that ModRM numbers them, as gates.S stores them. */
struct registers {
  u32 gpr[8];
  u32 eip;
  u32 cs; /* of the host, for gates.S alone */
  u32 eflags;
};

enum { EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI };

/* What part of the guest's linear space a process maps. */
#define COVERS_USER 1
#define COVERS_KERNEL 2

#define FLUSH_USER 1
#define FLUSH_UNTIL_CHECKED 2

/*
 * A process that runs the guest in one guest address space.  In the shared
 * model each covers both halves; in the strict model slot 0 covers the kernel
 * half of all, the others the user half of one.
 */
struct space {
  u32 turn; /* a futex: 1 hands the virtual CPU to this process */
  u32 pad0[15];
  u32 asleep; /* the process sleeps on turn */
  u32 pad1[15];
  u32 used; /* cr3 is valid */
  u32 cr3;
  u32 tlb_gen; /* the guest's generation of what is mapped */
  u32 flush; /* FLUSH_*: what of the user mappings is stale, on arrival */
  u64 last_used; /* TSC */
};

/*
 * Kernel linear pages whose mappings changed, for the processes that did not
 * run at that time.  sequence counts all that were ever logged.
 */
#define KERNEL_LOG_SIZE 512
#define KERNEL_LOG_ALL 0xffffffff
struct kernel_log {
  u32 sequence;
  u32 page[KERNEL_LOG_SIZE];
};

struct vm {
  struct registers regs; /* first: gates.S */
  u32 step_in_gate; /* TF was set when a gate was entered */
  u32 cpl; /* 0 or 3 */
  u32 cr0, cr4;
  u32 idt_base, idt_limit;
  u32 gdt_base;
  u32 tss_base;
  u32 dr6;
  u32 gs; /* selector */
  u32 prefault; /* user page of the #PF injected last, bit 0: write; mapped at the next iret */
  u32 tls[TLS_ENTRIES * 2];
  u64 guest_xcr0; /* as set by xsetbv */
  struct kernel_log kernel_log;
  struct space space[CONTROL_SPACES_MAX];
  u8 fpu[FPU_AREA] __attribute__((aligned(64)));
};

_Static_assert(sizeof(struct vm) <= CONTROL_NEXUS_SIZE, "the shared state fits its area");
_Static_assert(NEXUS_VM == NEXUS_CONTROL + CONTROL_NEXUS, "gates.S finds the registers");
_Static_assert(__builtin_offsetof(struct vm, regs) == 0, "gates.S finds the registers");
_Static_assert(__builtin_offsetof(struct registers, eip) == REG_EIP, "gates.S finds eip");
_Static_assert(__builtin_offsetof(struct registers, cs) == REG_CS, "gates.S finds cs");
_Static_assert(__builtin_offsetof(struct registers, eflags) == REG_EFLAGS, "gates.S finds eflags");

#define CONTROL ((volatile struct control *)(NEXUS_CONTROL + CONTROL_BLOCK))
#define VM ((struct vm *)NEXUS_VM)
#define REGS (VM->regs)

/* A word of the guest's data page. */
#define DATA(offset) (*(volatile u32 *)(NEXUS_CONTROL + (offset)))
#define DATA64(offset) (*(volatile u64 *)(NEXUS_CONTROL + (offset)))

#define COUNT(name) (CONTROL->counter[COUNTER_##name]++)

/* Guest linear memory; a fault is served by the signal handler. */
#define LINEAR8(address) (*(volatile u8 *)(u64)(u32)(address))
#define LINEAR16(address) (*(volatile u16 *)(u64)(u32)(address))
#define LINEAR32(address) (*(volatile u32 *)(u64)(u32)(address))

#endif /* PLEX86_VM_H */
