/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapper's loop (mapper.c), all of it in registers: guest user code in the
 * same process must find nothing of it that can be written.  Signals are
 * blocked, so %rsp is a register like others.
 */
#include "handoff_map.h"

#define SYS_PWRITE64 18
#define SYS_FUTEX 202
#define SYS_EXIT_GROUP 231
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FD_HANDOFF 6

	.text

/* mapper_loop(turn, order, done, done_offset, started): *started becomes 1; does not return */
	.globl mapper_loop
mapper_loop:
	movq %rdi, %rbx		/* struct turn */
	movq %rsi, %rbp		/* struct order */
	movq %rdx, %r13		/* the word in done[], to wake who sleeps on it */
	movq %rcx, %r12		/* ... and its offset in the file */
	xorl %r15d, %r15d	/* work that is done */
	xorl %esp, %esp
	movl $1, (%r8)		/* from here on nothing but registers */

await_work:
	movl TURN_WORK(%rbx), %eax
	cmpl %r15d, %eax
	jne has_work
	leaq TURN_WORK(%rbx), %rdi
	movl $FUTEX_WAIT, %esi
	movl %r15d, %edx
	xorl %r10d, %r10d
	movl $SYS_FUTEX, %eax
	syscall
	jmp await_work

has_work:
	movl %eax, %r15d
	leaq ORDER_CALL(%rbp), %r14
	movl ORDER_CALLS(%rbp), %esp
	cmpl $ORDER_CALLS_MAX, %esp
	ja fail
next_call:
	testl %esp, %esp
	jz calls_done
	movl (%r14), %eax
	movl 4(%r14), %edi
	movl 8(%r14), %esi
	movl 12(%r14), %edx
	movl 16(%r14), %r10d
	movl 20(%r14), %r8d
	movl 24(%r14), %r9d
	syscall
	cmpq $-4095, %rax
	jae fail
	addq $ORDER_CALL_SIZE, %r14
	decl %esp
	jmp next_call

calls_done:
	movl ORDER_WAKE(%rbp), %esp	/* the order may change once done[] says so */
	movl $FD_HANDOFF, %edi
	leaq ORDER_WORK(%rbp), %rsi
	movl $4, %edx
	movq %r12, %r10
	movl $SYS_PWRITE64, %eax
	syscall
	cmpq $4, %rax
	jne fail

.macro wake_if bit:req, address:req
	testl $\bit, %esp
	jz 1f
	leaq \address, %rdi
	movl $FUTEX_WAKE, %esi
	movl $1, %edx
	movl $SYS_FUTEX, %eax
	syscall
1:
.endm
	wake_if WAKE_DONE, (%r13)
	wake_if WAKE_TURN, TURN_TURN(%rbx)
	wake_if WAKE_PARKED, TURN_PARKED(%rbx)
	jmp await_work

fail:
	movl $3, %edi
	movl $SYS_EXIT_GROUP, %eax
	syscall
	jmp fail

/* clone_mapper(flags, stack, entry, slot): a thread that calls entry(slot), which does not return */
	.globl clone_mapper
clone_mapper:
	movq %rdx, %r8		/* the fifth argument of clone is ignored without CLONE_SETTLS */
	movq %rcx, %r9
	movl $56, %eax
	xorl %edx, %edx
	xorl %r10d, %r10d
	syscall
	testq %rax, %rax
	jz 1f
	ret
1:	xorl %ebp, %ebp
	movq %r9, %rdi
	call *%r8
	hlt

	.section .note.GNU-stack, "", @progbits
