/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sensitive instructions of a kernel at CPL 3 are taken to mean.
 *
 * cli, sti, pushf, popf, iret and cpuid do not trap at CPL 3, or not usefully:
 * pushf and popf ignore IF, iret cannot restore it, cpuid shows the host.  So
 * each becomes a macro of its name, in every compilation unit of the guest
 * kernel.  plex86_insn.h includes this file and defines the .Lplex86_* symbols
 * from plex86_abi.h.
 *
 * Every access is by %ss, the one data segment that is flat at each entry to
 * the kernel: user code may have loaded anything into %ds.
 */

	.macro	cli
	movl	$0, %ss:.Lplex86_vif
	.endm

/*
 * Arithmetic flags are lost, which a real sti keeps: no unit of this kernel
 * relies on that (inline assembly on x86 always clobbers them).  An interrupt
 * that becomes pending after the store is delivered by the nexus at once, one
 * that was pending before it by the gate: none falls between.
 */
	.macro	sti
	movl	$0x200, %ss:.Lplex86_vif
	cmpl	$0, %ss:.Lplex86_irq_pending
	je	7701f
	lcall	$.Lplex86_gate_cs, $.Lplex86_gate_sti
7701:
	.endm

/* The IF that is pushed is the guest's own; the host's is always set. */
	.macro	plex86_pushf
	.byte	0x9c
	pushl	%eax
	movl	%ss:.Lplex86_vif, %eax
	orl	$~0x200, %eax
	andl	%eax, 4(%esp)
	popl	%eax
	.endm

	.macro	plex86_popf
	pushl	%eax
	movl	4(%esp), %eax
	andl	$0x200, %eax
	movl	%eax, %ss:.Lplex86_vif
	jz	7702f
	cmpl	$0, %ss:.Lplex86_irq_pending
	je	7702f
	lcall	$.Lplex86_gate_cs, $.Lplex86_gate_sti
7702:
	popl	%eax
	.byte	0x9d
	.endm

	.macro	pushf
	plex86_pushf
	.endm
	.macro	pushfl
	plex86_pushf
	.endm
	.macro	popf
	plex86_popf
	.endm
	.macro	popfl
	plex86_popf
	.endm

	.macro	iret
	ljmp	$.Lplex86_gate_cs, $.Lplex86_gate_iret
	.endm

	.macro	cpuid
	lcall	$.Lplex86_gate_cs, $.Lplex86_gate_cpuid
	.endm
