/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are in a space process.  The low 4 GiB are the guest's linear
 * address space; everything of the nexus is above, at fixed addresses, so that
 * gate code needs no register to find it.  Read by the assembler as well.
 */
#ifndef PLEX86_MAP_H
#define PLEX86_MAP_H

#include "guest_abi.h"

#define PAGE_SIZE 0x1000
#define PAGE_MASK 0xfffff000

/* Guest linear addresses below this one are user space (CONFIG_VMSPLIT_3G). */
#define GUEST_KERNEL 0xc0000000

/* First linear address that is not the guest's. */
#define GUEST_TOP PLEX86_DATA

#define NEXUS_TEXT 0x210000000000 /* the executable, see the Makefile */
#define NEXUS_CONTROL 0x211000000000 /* the control memfd */
#define NEXUS_HANDOFF 0x213000000000 /* the hand-off memfd of a strict machine, see handoff.h */
#define NEXUS_TLBS 0x214000000000 /* notes of what is mapped, 4 MiB for each TLB */
#define NEXUS_RAM 0x300000000000 /* guest-physical memory */

/* struct vm starts with the guest's registers: see vm.h */
#define NEXUS_VM 0x211000033000

#define REG_EAX 0
#define REG_ECX 4
#define REG_EDX 8
#define REG_EBX 12
#define REG_ESP 16
#define REG_EBP 20
#define REG_ESI 24
#define REG_EDI 28
#define REG_EIP 32
#define REG_CS 36 /* behind eip: a far pointer */
#define REG_EFLAGS 40

/* Bits of EFLAGS that user code may have set and that harm gate code; vm.h has the others. */
#define EFLAGS_TF 0x100 /* each instruction traps */
#define EFLAGS_NT 0x4000 /* an iret faults (SDM vol. 2, IRET) */
#define EFLAGS_AC 0x40000 /* an unaligned access faults */

/* Selectors of a 64-bit Linux process that 32-bit code can use. */
#define HOST_CS32 0x23
#define HOST_CS64 0x33
#define HOST_DS 0x2b

#endif /* PLEX86_MAP_H */
