/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the guest kernel and the nexus agree on: the data page, the gates, the
 * interrupt lines.  The only source of these numbers: the guest build copies
 * this file into the kernel tree as <asm/plex86_abi.h>; the nexus includes it.
 * Assembler reads it too, so nothing but plain #defines stands outside the
 * C-only part.
 */
#ifndef PLEX86_GUEST_ABI_H
#define PLEX86_GUEST_ABI_H

/* Raised on every incompatible change; carried in the kernel's ELF note
 * (name "plex86", type PLEX86_NOTE_TYPE, 4 bytes: the version). */
#define PLEX86_ABI_VERSION 2
#define PLEX86_NOTE_TYPE 0x58363850 /* "P86X" */

/* Signature of CPUID leaf 0x40000000 (ebx, ecx, edx): "plex86 nexus". */
#define PLEX86_CPUID_SIGNATURE "plex86 nexus"

/* The top 4 MiB of the linear address space belong to the nexus. */
#define PLEX86_DATA 0xffc00000
#define PLEX86_GATES 0xffc01000

/* Selector of 64-bit user code on an x86-64 Linux host. */
#define PLEX86_GATE_CS 0x33

/* ---- data page: offsets from PLEX86_DATA ---- */
#define PLEX86_VIF 0x00 /* u32: the guest's IF: 0 or 0x200 */
#define PLEX86_IRQ_PENDING 0x04 /* u32: one bit a line; cleared on delivery */
#define PLEX86_CR2 0x08 /* u32 */
#define PLEX86_CR3 0x0c /* u32: read here, written through the CR3 gate */
#define PLEX86_IRQ_MASK 0x10 /* u32: guest-written; a set bit holds the line back */
#define PLEX86_TLB_VALID 0x14 /* u32: the two words below describe the next CR3 write */
#define PLEX86_TLB_NEXT 0x18 /* u32: tlb_gen of the address space entered */
#define PLEX86_TLB_PREV 0x1c /* u32: tlb_gen of the address space left */
#define PLEX86_TSC_KHZ 0x20 /* u32: frequency of the time-stamp counter */
#define PLEX86_ABI 0x24 /* u32: PLEX86_ABI_VERSION of the host */
#define PLEX86_TIMER_DEADLINE 0x28 /* u64: TSC value at which line 0 is raised; 0: never */
#define PLEX86_WALL_TSC 0x30 /* u64: at this TSC value ... */
#define PLEX86_WALL_NS 0x38 /* u64: ... it was this many ns after 1970-01-01 UTC */
#define PLEX86_TLB_NEW 0x40 /* u32: the next CR3 write enters an address space where no user code has run, see tlb_check() */

#define PLEX86_STRICT 0x44 /* u32: not 0: user memory is out of reach of the kernel but by gates */
#define PLEX86_FPU 0x48 /* u32: where the FPU registers of user code are, with PLEX86_STRICT */
#define PLEX86_FPU_AWAY 1 /* to be fetched by the FPU gate before they are read */
#define PLEX86_FPU_NEW 2 /* here, and changed */

/* ---- interrupt lines; line n is delivered as vector PLEX86_VECTOR_BASE + n ---- */
#define PLEX86_IRQ_LINES 32
#define PLEX86_VECTOR_BASE 0x30
#define PLEX86_IRQ_TIMER 0
#define PLEX86_IRQ_POWER 1 /* the power button: the guest shuts down in order */
#define PLEX86_IRQ_DEVICE0 2 /* virtio-mmio device n has line PLEX86_IRQ_DEVICE0 + n */

/* ---- virtio-mmio devices, guest-physical ---- */
#define PLEX86_MMIO_BASE 0xd0000000 /* device n at PLEX86_MMIO_BASE + n * 4096 */
#define PLEX86_MMIO_DEVICES 30

/*
 * Gates: `lcall $PLEX86_GATE_CS, $PLEX86_GATE(n)` (IRET: ljmp).  All registers
 * and flags are kept but for what a line names as a result.
 */
#define PLEX86_GATE_STRIDE 0x20
#define PLEX86_GATE(n) (PLEX86_GATES + (n) * PLEX86_GATE_STRIDE)
#define PLEX86_GATE_STI 0 /* VIF was set and IRQ_PENDING was not 0: deliver */
#define PLEX86_GATE_IRET 1 /* iret from the frame at %esp */
#define PLEX86_GATE_CPUID 2 /* eax, ecx -> eax, ebx, ecx, edx */
#define PLEX86_GATE_INVLPG 3 /* eax: first, edx: end of a range of linear addresses, multiples of 4096 */
#define PLEX86_GATE_CR3 4 /* eax: new value */
#define PLEX86_GATE_TLS 5 /* eax: linear address of the 3 TLS descriptors */
#define PLEX86_GATE_SYSCALL 6 /* user mode: int $0x80, resumes at return address + 2 */
#define PLEX86_GATE_PGD_FREE 7 /* eax: guest-physical address of a dying page directory */
#define PLEX86_GATE_HALT 8 /* sti; hlt as one step: returns after an interrupt was handled */
#define PLEX86_GATE_TIMER 9 /* TIMER_DEADLINE was written */
#define PLEX86_GATE_LOG 10 /* edx: linear address, ecx: bytes: early console output */
#define PLEX86_GATE_END 11 /* eax: PLEX86_END_*: the VM ends; does not return */
#define PLEX86_GATE_DOORBELL 12 /* eax: device, edx: queue: as a write to QueueNotify */
#define PLEX86_GATE_ACK 13 /* eax: device, edx: bits: as a write to InterruptACK */
#define PLEX86_GATE_COPY_USER 14 /* as rep movsb (edi, esi, ecx); a fault is that of the call */
#define PLEX86_GATE_CLEAR_USER 15 /* as rep stosb of 0 (edi, ecx) */
#define PLEX86_GATE_GET_USER 16 /* eax: address, edx: size (1, 2, 4, 8) -> edx, and ecx if 8 */
#define PLEX86_GATE_PUT_USER 17 /* ecx: address, eax, edx: value, ebx: size */
#define PLEX86_GATE_FPU 18 /* FPU_AWAY: fetches them */
#define PLEX86_GATE_COUNT 19

/* Reasons of PLEX86_GATE_END. */
#define PLEX86_END_POWEROFF 1
#define PLEX86_END_REBOOT 2
#define PLEX86_END_PANIC 3
#define PLEX86_END_HALT 4

#endif /* PLEX86_GUEST_ABI_H */
