/* The start of a program without a libc: main(argc, argv), and its result is the exit code. */
	.globl	_start
_start:
	xorl	%ebp, %ebp
	movq	(%rsp), %rdi
	leaq	8(%rsp), %rsi
	andq	$-16, %rsp
	call	main
	movl	%eax, %edi
	movl	$231, %eax	/* exit_group */
	syscall
	.section .note.GNU-stack, "", @progbits
