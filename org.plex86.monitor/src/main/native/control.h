/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout of the control memfd, the memory that the nexus and the monitor share.
 * This file is its one source; `plex86-nexus --layout` prints it and a test of
 * the monitor holds org.plex86.monitor.control.ControlLayout against that.
 *
 * Trust: the guest can write all of it (in 64-bit code, through a gate's
 * selector), so the monitor takes whatever it reads here as hostile.  What it
 * must be able to rely on (the processes' ids, how they ended) comes over the
 * supervisor's report pipe instead.
 */
#ifndef PLEX86_CONTROL_H
#define PLEX86_CONTROL_H

#include "guest_abi.h"
#include "types.h"

#define CONTROL_MAGIC 0x58363850 /* "P86X" */
#define CONTROL_VERSION 1

/* ---- areas, as offsets in the memfd ---- */
#define CONTROL_DATA_PAGE 0x0 /* the guest's data page, see guest_abi.h */
#define CONTROL_BLOCK 0x1000 /* struct control */
#define CONTROL_CPUID_HOST 0x2000 /* struct cpuid_table: what the host's CPU says */
#define CONTROL_CPUID_GUEST 0x3000 /* struct cpuid_table: what the guest kernel is told */
#define CONTROL_LOG 0x4000 /* ring of early console output */
#define CONTROL_LOG_SIZE 0x10000
#define CONTROL_DEVICES 0x14000 /* a register page for each virtio-mmio device */
#define CONTROL_VOID 0x32000 /* what the guest sees where there is no memory: all ones */
#define CONTROL_NEXUS 0x33000 /* the nexus's own */
#define CONTROL_NEXUS_SIZE 0xd000
#define CONTROL_SIZE 0x40000

#define CONTROL_SPACES_MAX 64

/* ---- control.exit.state ---- */
#define EXIT_NONE 0
#define EXIT_REQUEST 1 /* the nexus waits for the monitor's answer */
#define EXIT_DONE 2

/* ---- control.exit.kind ---- */
#define EXIT_MMIO_WRITE 1 /* device, offset, size (1, 2, 4), value */
#define EXIT_PIO_IN 2 /* offset: port, size -> value */
#define EXIT_PIO_OUT 3 /* offset: port, size, value */
#define EXIT_RDMSR 4 /* offset: MSR -> value, or fault */
#define EXIT_WRMSR 5 /* offset: MSR, value -> fault */

/* ---- control.end.reason: PLEX86_END_* as the guest said, or ---- */
#define END_NONE 0
#define END_TRIPLE_FAULT 16 /* an exception that the guest cannot take */
#define END_NEXUS 17 /* the nexus cannot go on; end.text says why */

/* ---- control.isolation ---- */
#define ISOLATION_SHARED 0 /* each space runs the guest kernel and one address space's user code */
#define ISOLATION_STRICT 1 /* space 0 runs the guest kernel, the others user code */

/* ---- control.cpu_flags: what the supervisor found ---- */
#define CPU_IA32_EMULATION 1 /* the host kernel takes int $0x80 */

/* Counters, in the order of control.counter[]. */
#define CONTROL_COUNTERS(X)                                                   \
  X(page_faults) /* host page faults of guest code */                         \
  X(page_faults_injected)                                                     \
  X(page_faults_nexus) /* taken while the nexus read or wrote guest memory */ \
  X(maps) /* mmap calls */                                                    \
  X(pages_mapped)                                                             \
  X(flushes_user)                                                             \
  X(flushes_user_skipped) /* nothing was mapped */                            \
  X(flushes_kernel)                                                           \
  X(invlpg)                                                                   \
  X(invlpg_skipped) /* the page was not mapped */                             \
  X(space_switches)                                                           \
  X(space_allocations)                                                        \
  X(space_evictions)                                                          \
  X(syscalls_gate)                                                            \
  X(syscalls_trap)                                                            \
  X(iret)                                                                     \
  X(privileged) /* #GP of guest kernel code that was emulated */              \
  X(exceptions) /* injected, page faults not counted */                       \
  X(interrupts)                                                               \
  X(timer_programmed)                                                         \
  X(timer_expired)                                                            \
  X(halts)                                                                    \
  X(kicks) /* signals by which the monitor interrupts guest code */           \
  X(mmio_writes)                                                              \
  X(doorbells)                                                                \
  X(exits) /* round trips to the monitor */                                   \
  X(tls_loads)                                                                \
  X(cpuid)                                                                    \
  X(user_turns) /* given to user processes */                                 \
  X(user_sleeps) /* the kernel process slept until one came back */           \
  X(user_parks)                                                               \
  X(user_kicks)                                                               \
  X(user_renewals) /* of user processes that another address space gets */    \
  X(user_replacements) /* of those that ended */                              \
  X(user_ends_ordered) /* of those that did not do what they were told */

#define CONTROL_COUNTER_MAX 64

struct cpuid_entry {
  u32 leaf, subleaf, eax, ebx, ecx, edx;
};

#define CPUID_ENTRIES_MAX 170
struct cpuid_table {
  u32 count;
  struct cpuid_entry entry[CPUID_ENTRIES_MAX];
};

struct exit_record {
  u32 state; /* EXIT_*; a futex */
  u32 kind;
  u32 device;
  u32 offset;
  u32 size;
  u32 fault; /* the monitor's answer: inject #GP(0) */
  u64 value;
};

struct end_record {
  u32 reason;
  u32 length; /* of text, in bytes */
  char text[504]; /* ASCII */
};

struct doorbell {
  u32 bits; /* a bit for each queue that was kicked; a futex */
  u32 waiting; /* the monitor's thread sleeps on bits */
};

struct control {
  /* set by the monitor before it starts the supervisor */
  u32 magic;
  u32 version;
  u32 ram_pages;
  u32 spaces; /* space processes to make: 1 to CONTROL_SPACES_MAX */
  u32 devices; /* 0 to PLEX86_MMIO_DEVICES */
  u32 entry; /* guest-physical */
  u32 boot_params; /* guest-physical; esi at entry */
  u32 spin; /* turns to spin for a hand-off before sleeping */
  u32 isolation; /* ISOLATION_* */
  u32 reserved1;
  /* set by the supervisor before it reports ready */
  u32 tsc_khz;
  u32 cpu_flags;
  u64 host_xcr0;
  /* set by the monitor, after it has filled the guest's CPUID table */
  u64 guest_xcr0;
  u32 go; /* a futex: not 0 starts the guest */
  /* the virtual CPU */
  u32 active; /* slot of the space that runs */
  u32 idle; /* 1 while the guest halts; then a raised line needs a wake */
  u32 wake; /* a futex, counted up to end the halt */
  /* the monitor's attention: exits, log, end */
  u32 bell; /* a futex, counted up */
  u32 bell_waiting;
  u32 log_head; /* bytes ever written to the log ring, modulo 2^32 */
  u32 reserved0;
  u64 first_user_tsc; /* TSC when the first user instruction ran */
  u64 start_tsc; /* TSC when the supervisor started */
  struct exit_record exit;
  struct end_record end;
  struct doorbell doorbell[PLEX86_MMIO_DEVICES];
  u64 counter[CONTROL_COUNTER_MAX];
};

_Static_assert(sizeof(struct control) <= 0x1000, "the control block is one page");
_Static_assert(sizeof(struct cpuid_table) <= 0x1000, "a CPUID table is one page");
_Static_assert(CONTROL_DEVICES == CONTROL_LOG + CONTROL_LOG_SIZE, "areas are adjacent");
_Static_assert(CONTROL_VOID == CONTROL_DEVICES + PLEX86_MMIO_DEVICES * 0x1000, "areas are adjacent");
_Static_assert(CONTROL_SIZE == CONTROL_NEXUS + CONTROL_NEXUS_SIZE, "areas are adjacent");

/* control.counter[] by name */
#define COUNTER_ENUM(name) COUNTER_##name,
enum counter { CONTROL_COUNTERS(COUNTER_ENUM) COUNTER_COUNT };
_Static_assert(COUNTER_COUNT <= CONTROL_COUNTER_MAX, "counters fit");

#endif /* PLEX86_CONTROL_H */
