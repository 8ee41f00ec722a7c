/*
 * probe.S - the smallest guest that tells whether an accelerator is worth anything
 *
 * A flat multiboot image: QEMU loads it at 1 MiB and jumps to it in protected mode. It does what
 * kernels do early and bad accelerators do badly or never: long loops, CPUID, page tables, long
 * mode, SSE2, the x87, and lock cmpxchg16b. Then it writes 0x10 to the port of isa-debug-exit,
 * which ends QEMU with status 0x10 * 2 + 1 = 33; on any doubt 0x20, which is status 65.
 *
 * Source: Multiboot Specification 0.6.96 section 3.1; Intel SDM volume 3A sections 4.5 and 10.8.5.
 */
#define BASE     0x100000
#define AT(x)    (BASE + (x) - om_vm_probe_image)
#define TABLES   0x200000 /* three pages: level 4, 3, 2 */
#define STACK    0x300000
#define MAGIC    0x1BADB002
#define FLAGS    0x00010000 /* the addresses below count, there is no ELF header */
#define ROUNDS   40000000
#define EXIT     0xf4
#define WELL     0x10
#define ILL      0x20
#define CODE_64  8

    .section .rodata
    .globl om_vm_probe_image
    .globl om_vm_probe_image_end
    .balign 16
    .code32
om_vm_probe_image:
    .long MAGIC
    .long FLAGS
    .long -(MAGIC + FLAGS)
    .long AT(om_vm_probe_image) /* where this header is */
    .long BASE                  /* where to load the file */
    .long AT(om_vm_probe_image_end)
    .long AT(om_vm_probe_image_end)
    .long AT(begin)

begin:
    cli
    movl $STACK, %esp
    movl $ROUNDS, %ecx
1:  decl %ecx
    jnz 1b
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx /* long mode */
    jnc ill
    movl $1, %eax
    cpuid
    btl $13, %ecx /* cmpxchg16b */
    jnc ill
    btl $26, %edx /* SSE2 */
    jnc ill

    movl $TABLES, %edi
    xorl %eax, %eax
    movl $(3 * 4096 / 4), %ecx
    cld
    rep stosl
    movl $(TABLES + 0x1003), TABLES
    movl $(TABLES + 0x2003), TABLES + 0x1000
    movl $0x83, TABLES + 0x2000 /* 2 MiB pages: this code, */
    movl $0x200083, TABLES + 0x2008 /* and tables and stack */
    movl $TABLES, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x620, %eax /* PAE, and SSE with its exceptions */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax /* long mode enable */
    wrmsr
    movl %cr0, %eax
    andl $~4, %eax /* no emulated x87 */
    orl $0x80000002, %eax /* paging */
    movl %eax, %cr0
    lgdt AT(gdt_at)
    ljmpl $CODE_64, $AT(long_mode)

ill:
    movb $ILL, %al
    outb %al, $EXIT
2:  hlt
    jmp 2b

    .code64
long_mode:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $1, %eax
    movq %rax, %xmm1
    pxor %xmm0, %xmm0
    movl $ROUNDS, %ecx
3:  paddq %xmm1, %xmm0
    decl %ecx
    jnz 3b
    movq %xmm0, %rax
    cmpq $ROUNDS, %rax
    jne ill_64

    fninit
    fld1
    fld1
    faddp
    fistpl STACK
    cmpl $2, STACK
    jne ill_64

    movq $7, STACK
    movq $9, STACK + 8
    movl $7, %eax
    movl $9, %edx
    movl $5, %ebx
    movl $6, %ecx
    lock cmpxchg16b STACK
    jne ill_64
    cmpq $5, STACK
    jne ill_64

    movb $WELL, %al
    outb %al, $EXIT
ill_64:
    movb $ILL, %al
    outb %al, $EXIT
4:  hlt
    jmp 4b

    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* code, 64 bits */
gdt_at:
    .word gdt_at - gdt - 1
    .long AT(gdt)
om_vm_probe_image_end:

    .section .note.GNU-stack, "", @progbits
