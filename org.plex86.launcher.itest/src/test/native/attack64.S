/* SPDX-License-Identifier: Apache-2.0 */
/* See attacks.h. A function finds its struct wide in %rbx. */

#define RESULT 0(%rbx)
#define NUMBER 8(%rbx)
#define ARGUMENT(n) 16 + 8 * (n)(%rbx)
#define VALUE 64(%rbx)
#define STACK 72(%rbx)

#define HOST_CS64 0x33

	.text
	.code32
/* call_wide(function, wide) */
	.globl call_wide
call_wide:
	pushl %ebx
	pushl %esi
	pushl %edi
	pushl %ebp
	movl 20(%esp), %eax
	movl 24(%esp), %ebx
	lcall $HOST_CS64, $enter
	popl %ebp
	popl %edi
	popl %esi
	popl %ebx
	ret

	.code64
enter:
	movl %eax, %eax		/* the upper halves are not known */
	movl %ebx, %ebx
	movl %esp, %ebp
	movl %esp, %esp
	andq $-16, %rsp
	call *%rax
	movl %ebp, %esp
	lretl

.macro load_arguments
	movq NUMBER, %rax
	movq ARGUMENT(0), %rdi
	movq ARGUMENT(1), %rsi
	movq ARGUMENT(2), %rdx
	movq ARGUMENT(3), %r10
	movq ARGUMENT(4), %r8
	movq ARGUMENT(5), %r9
	movq $1, RESULT		/* it comes to the call */
.endm

	.globl wide_syscall
wide_syscall:
	load_arguments
	syscall
	movq %rax, RESULT
	ret

	.globl wide_int80
wide_int80:
	load_arguments
	int $0x80
	movq %rax, RESULT
	ret

	.globl wide_jump_to_syscall
wide_jump_to_syscall:
	load_arguments
	jmp *VALUE

	.globl wide_read
wide_read:
	movq ARGUMENT(0), %rdi
	movq (%rdi), %rax
	movq %rax, RESULT
	ret

	.globl wide_write
wide_write:
	movq ARGUMENT(0), %rdi
	movq VALUE, %rax
	movq %rax, (%rdi)
	ret

	.globl wide_write_back
wide_write_back:
	movq ARGUMENT(0), %rdi
	movq (%rdi), %rax
	movq %rax, (%rdi)
	ret

	.globl wide_scan
wide_scan:
	movq ARGUMENT(0), %rdi
	movq VALUE, %rax
	movq $0, RESULT
1:	cmpq ARGUMENT(1), %rdi
	jae 3f
	cmpq %rax, (%rdi)
	je 2f
	addq $8, %rdi
	jmp 1b
2:	movq %rdi, RESULT
3:	ret

	.globl wide_fill
wide_fill:
	movq ARGUMENT(0), %rdi
	movq ARGUMENT(1), %rcx
	shrq $3, %rcx
	movq VALUE, %rax
	rep stosq
	ret

	.globl wide_fill_and_spin
wide_fill_and_spin:
	call wide_fill
	jmp wide_fill_and_spin

	.globl wide_spin
wide_spin:
	jmp wide_spin

	.globl wide_undefined
wide_undefined:
	movq STACK, %rsp
	ud2

	.globl wide_set_registers
wide_set_registers:
	movq VALUE, %rax
	movq %rax, %r8
	movq %rax, %r9
	movq %rax, %r10
	movq %rax, %r11
	movq %rax, %r12
	movq %rax, %r13
	movq %rax, %r14
	movq %rax, %r15
	ret

	.globl wide_get_registers
wide_get_registers:
	movq VALUE, %rax
	xorl %ecx, %ecx
.macro count_if_equal register:req
	cmpq %rax, \register
	jne 1f
	incl %ecx
1:
.endm
	count_if_equal %r8
	count_if_equal %r9
	count_if_equal %r10
	count_if_equal %r11
	count_if_equal %r12
	count_if_equal %r13
	count_if_equal %r14
	count_if_equal %r15
	movq %rcx, RESULT
	ret

	.globl wide_pkru
wide_pkru:
	movq VALUE, %rax
	xorl %ecx, %ecx
	xorl %edx, %edx
	wrpkru
	ret

	.section .note.GNU-stack, "", @progbits
