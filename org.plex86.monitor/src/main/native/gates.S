/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate page: 64-bit code at PLEX86_GATES that 32-bit guest code calls
 * through a far pointer with the selector of 64-bit user code.  No trap is
 * taken either way.  The code is copied there from here, so it names whatever
 * is outside the page by absolute address.
 */
#include "handoff_map.h"

/* struct machine_context */
#define MC_RSP 120
#define MC_RIP 128
#define MC_EFLAGS 136

	.macro restore_registers /* from r8, but for esp */
	movl REG_EAX(%r8), %eax
	movl REG_ECX(%r8), %ecx
	movl REG_EDX(%r8), %edx
	movl REG_EBX(%r8), %ebx
	movl REG_EBP(%r8), %ebp
	movl REG_ESI(%r8), %esi
	movl REG_EDI(%r8), %edi
	.endm

	.section .rodata
	.balign 4096
	.globl gates_start, gates_end, gate_exit, gate_exit_end

gates_start:
/* Entry n: eax and ecx go to the register area, n to ecx. */
.set n, 0
.rept PLEX86_GATE_COUNT
	.balign PLEX86_GATE_STRIDE
	movabs %eax, NEXUS_VM + REG_EAX
	movl %ecx, %eax
	movabs %eax, NEXUS_VM + REG_ECX
	movl $n, %ecx
	jmp gate_common
.set n, n + 1
.endr
	.balign PLEX86_GATE_STRIDE

gate_common:
	movabs $NEXUS_VM, %rax
	movl %edx, REG_EDX(%rax)
	movl %ebx, REG_EBX(%rax)
	movl %esp, REG_ESP(%rax)
	movl %ebp, REG_EBP(%rax)
	movl %esi, REG_ESI(%rax)
	movl %edi, REG_EDI(%rax)
	movabs $gate_stack_top, %rsp
	pushfq
	popq %rdx
	movl %edx, REG_EFLAGS(%rax)
	cld
	testl $(EFLAGS_NT | EFLAGS_AC), %edx
	jz 1f
	pushq $2
	popfq
1:
	movl %ecx, %edi
	movabs $gate_dispatch, %rax
	call *%rax

/*
 * Back to the guest with the registers of the register area.  A signal between
 * here and the last instruction may have raised an interrupt line: its handler
 * restarts from gate_exit, which is why nothing before that changes the area.
 *
 * A far jump takes half the time of an iretq (40 ns less on a Rocket Lake), but
 * loads neither TF, which would trap here, nor SS.  r8 is no register of the guest.
 */
gate_exit:
	movabs $gate_stack_top, %rsp
	movabs $NEXUS_CONTROL, %rbx
	movl PLEX86_IRQ_MASK(%rbx), %eax
	notl %eax
	testl %eax, PLEX86_IRQ_PENDING(%rbx)
	jz 1f
	cmpl $0, PLEX86_VIF(%rbx)
	je 1f
	movabs $gate_look_up, %rax
	call *%rax
	jmp gate_exit
1:	movabs $NEXUS_VM, %r8
	movl %ss, %eax
	cmpl $HOST_DS, %eax
	jne 2f
	movl REG_EFLAGS(%r8), %ecx
	testl $EFLAGS_TF, %ecx
	jnz 2f
	movl $HOST_CS32, REG_CS(%r8)
	pushq %rcx
	restore_registers
	popfq
	movl REG_ESP(%r8), %esp
	ljmpl *REG_EIP(%r8)
2:	pushq $HOST_DS
	movl REG_ESP(%r8), %ecx
	pushq %rcx
	movl REG_EFLAGS(%r8), %ecx
	pushq %rcx
	pushq $HOST_CS32
	movl REG_EIP(%r8), %ecx
	pushq %rcx
	restore_registers
	iretq
gate_exit_end:
gates_end:

	.text
	.globl _start
_start:
	xorl %ebp, %ebp
	movq %rsp, %rdi
	andq $-16, %rsp
	call nexus_main
	hlt

/* rt_sigreturn, as the host's sigaction wants it */
	.globl signal_return
signal_return:
	movl $15, %eax
	syscall

	.globl gate_enter_guest
gate_enter_guest:
	movl $HOST_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl $PLEX86_GATES, %ecx	/* zero-extended */
	leaq gate_exit(%rip), %rax
	leaq gates_start(%rip), %rdx
	subq %rdx, %rax
	addq %rcx, %rax
	jmp *%rax

	.globl gate_return
gate_return:
	movl $PLEX86_GATES, %ecx
	leaq gate_exit(%rip), %rax
	leaq gates_start(%rip), %rdx
	subq %rdx, %rax
	addq %rcx, %rax
	jmp *%rax

/* resume_context(struct machine_context *): goes on where a signal came, without rt_sigreturn */
	.globl resume_context
resume_context:
	pushq $HOST_DS
	pushq MC_RSP(%rdi)
	pushq MC_EFLAGS(%rdi)
	pushq $HOST_CS64
	pushq MC_RIP(%rdi)
	movq 0(%rdi), %r8
	movq 8(%rdi), %r9
	movq 16(%rdi), %r10
	movq 24(%rdi), %r11
	movq 32(%rdi), %r12
	movq 40(%rdi), %r13
	movq 48(%rdi), %r14
	movq 56(%rdi), %r15
	movq 72(%rdi), %rsi
	movq 80(%rdi), %rbp
	movq 88(%rdi), %rbx
	movq 96(%rdi), %rdx
	movq 104(%rdi), %rax
	movq 112(%rdi), %rcx
	movq 64(%rdi), %rdi
	iretq

/* call_on_stack(function, argument, stack): does not return */
	.globl call_on_stack
call_on_stack:
	movq %rdx, %rsp
	xorl %ebp, %ebp
	movq %rdi, %rax
	movl %esi, %edi
	call *%rax
	hlt

/*
 * The handler of all signals in a user process.  Where the order says so (handoff.h), the thread is
 * made as good as new: whatever user code has left in memory, registers and segments is gone before
 * another address space gets the process.  What was interrupted is not gone on with.
 */
	.globl user_signal_entry
user_signal_entry:
	movl $(ORDER_HERE + ORDER_RENEW), %eax	/* zero-extended */
	cmpl $0, (%rax)
	je signal_handle
	movabs $gate_stack_top, %rsp
	pushq $2
	popfq
	movabs $user_data_start, %rdi
	movabs $user_data_end, %rcx
	subq %rdi, %rcx
	xorl %eax, %eax
	rep stosb
	movl $HOST_DS, %edx
	movl %edx, %ds
	movl %edx, %es
	movl %edx, %fs		/* sets the base to 0, as loading a null selector need not */
	movl %edx, %gs
	movl %eax, %fs
	movl %eax, %gs
	xorl %edx, %edx
	xorl %ebx, %ebx
	xorl %ebp, %ebp
	xorl %esi, %esi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	call user_renew
	hlt

/* The stack of gate code; each process has its own behind the same address. */
	.section .bss.user, "aw", @nobits
	.balign 64
	.skip 32768
	.globl gate_stack_top
gate_stack_top:

	.section .note.GNU-stack, "", @progbits
