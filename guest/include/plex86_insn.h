/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forced into every compilation unit, C and assembler (arch/x86/Makefile): gives
 * the sensitive instructions the meaning that plex86_macros.S says, with the
 * numbers of plex86_abi.h.
 */
#ifndef _ASM_X86_PLEX86_INSN_H
#define _ASM_X86_PLEX86_INSN_H

#include "plex86_abi.h"

#ifdef __ASSEMBLY__
#define PLEX86_SET(symbol, value) .set symbol, value
#define PLEX86_INCLUDE(file) .include file
#else
#define PLEX86_TEXT(x...) #x
#define PLEX86_SET(symbol, value) asm(".set " #symbol ", " PLEX86_TEXT(value))
#define PLEX86_INCLUDE(file) asm(".include \"" file "\"")
#endif

PLEX86_SET(.Lplex86_vif, PLEX86_DATA + PLEX86_VIF);
PLEX86_SET(.Lplex86_irq_pending, PLEX86_DATA + PLEX86_IRQ_PENDING);
PLEX86_SET(.Lplex86_gate_cs, PLEX86_GATE_CS);
PLEX86_SET(.Lplex86_gate_sti, PLEX86_GATE(PLEX86_GATE_STI));
PLEX86_SET(.Lplex86_gate_iret, PLEX86_GATE(PLEX86_GATE_IRET));
PLEX86_SET(.Lplex86_gate_cpuid, PLEX86_GATE(PLEX86_GATE_CPUID));
PLEX86_INCLUDE("plex86_macros.S");

#endif /* _ASM_X86_PLEX86_INSN_H */
