/* The start of a program without a libc: main(argc, argv), and its result is the exit code. */
	.globl	_start
_start:
	mov	x29, #0
	ldr	x0, [sp]
	add	x1, sp, #8
	bl	main
	mov	x8, #94		/* exit_group */
	svc	#0
	.section .note.GNU-stack, "", %progbits
