/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions other than page faults: signal, code, address, vector and error code. */
#include "check.h"
#include <asm/ldt.h>

enum { KERNEL_SENT = 0x80 }; /* SI_KERNEL */

#define ACTION(name, instructions)                                            \
  static void name(void *unused)                                              \
  {                                                                           \
    (void)unused;                                                             \
    __asm__ volatile(instructions : : : "eax", "ecx", "edx", "memory", "cc"); \
  }                                                                           \
  extern char name##_at[];

ACTION(divide_by_zero,
  "xorl %%ecx, %%ecx\n movl $1, %%eax\n cdq\n .globl divide_by_zero_at\n divide_by_zero_at: idivl %%ecx")
ACTION(divide_overflow,
  "movl $0x80000000, %%eax\n cdq\n movl $-1, %%ecx\n .globl divide_overflow_at\n divide_overflow_at: idivl %%ecx")
ACTION(breakpoint, "int3\n .globl breakpoint_at\n breakpoint_at: nop")
ACTION(breakpoint_2, ".byte 0xcd, 3\n .globl breakpoint_2_at\n breakpoint_2_at: nop")
ACTION(overflow, "movb $0x7f, %%al\n addb $1, %%al\n into\n .globl overflow_at\n overflow_at: nop")
ACTION(no_overflow, "xorl %%eax, %%eax\n into\n .globl no_overflow_at\n no_overflow_at: nop")
ACTION(undefined, ".globl undefined_at\n undefined_at: ud2")
ACTION(undefined_1, ".globl undefined_1_at\n undefined_1_at: .byte 0x0f, 0xb9, 0xc0")
ACTION(lock_register, ".globl lock_register_at\n lock_register_at: .byte 0xf0, 0x01, 0xc0")
ACTION(halt, ".globl halt_at\n halt_at: hlt")
ACTION(clear_interrupts, ".globl clear_interrupts_at\n clear_interrupts_at: .byte 0xfa")
ACTION(set_interrupts, ".globl set_interrupts_at\n set_interrupts_at: .byte 0xfb")
ACTION(port_in, "movw $0x80, %%dx\n .globl port_in_at\n port_in_at: inb %%dx, %%al")
ACTION(port_out, "movw $0x80, %%dx\n .globl port_out_at\n port_out_at: outb %%al, %%dx")
ACTION(read_cr0, ".globl read_cr0_at\n read_cr0_at: movl %%cr0, %%eax")
ACTION(write_cr3, "xorl %%eax, %%eax\n .globl write_cr3_at\n write_cr3_at: movl %%eax, %%cr3")
ACTION(read_dr7, ".globl read_dr7_at\n read_dr7_at: movl %%dr7, %%eax")
ACTION(read_msr, "movl $0x10, %%ecx\n .globl read_msr_at\n read_msr_at: rdmsr")
ACTION(write_msr, "movl $0x10, %%ecx\n .globl write_msr_at\n write_msr_at: wrmsr")
ACTION(invalidate_page, ".globl invalidate_page_at\n invalidate_page_at: invlpg (%%eax)")
ACTION(write_back_caches, ".globl write_back_caches_at\n write_back_caches_at: wbinvd")
ACTION(clear_task_switched, ".globl clear_task_switched_at\n clear_task_switched_at: clts")
ACTION(load_gdt, ".globl load_gdt_at\n load_gdt_at: lgdt (%%esp)")
ACTION(load_idt, ".globl load_idt_at\n load_idt_at: lidt (%%esp)")
ACTION(load_task, "movw $0x80, %%ax\n .globl load_task_at\n load_task_at: ltr %%ax")
ACTION(set_xcr,
  "xorl %%ecx, %%ecx\n movl $1, %%eax\n xorl %%edx, %%edx\n .globl set_xcr_at\n set_xcr_at: .byte 0x0f, 0x01, 0xd1")
ACTION(gate_20, ".globl gate_20_at\n gate_20_at: int $0x20")
ACTION(gate_14, ".globl gate_14_at\n gate_14_at: int $0x0e")
ACTION(gate_0, ".globl gate_0_at\n gate_0_at: int $0")
ACTION(gate_ff, ".globl gate_ff_at\n gate_ff_at: int $0xff")
ACTION(bad_gs, "movw $0xffff, %%ax\n .globl bad_gs_at\n bad_gs_at: movw %%ax, %%gs")
ACTION(bad_ss, "xorl %%eax, %%eax\n .globl bad_ss_at\n bad_ss_at: movw %%ax, %%ss")
ACTION(null_gs, "pushl %%gs\n xorl %%eax, %%eax\n movw %%ax, %%gs\n .globl null_gs_at\n null_gs_at: movb %%gs:(%%eax), "
                "%%al\n popl %%gs")
ACTION(unaligned_read,
  "subl $32, %%esp\n andl $-16, %%esp\n pushfl\n orl $0x40000, (%%esp)\n popfl\n .globl unaligned_read_at\n"
  "unaligned_read_at: movl 1(%%esp), %%eax")
ACTION(sse_divide,
  "pushl $0x1d80\n ldmxcsr (%%esp)\n popl %%eax\n xorps %%xmm0, %%xmm0\n pcmpeqd %%xmm1, %%xmm1\n psrld $31, %%xmm1\n"
  "cvtdq2ps %%xmm1, %%xmm1\n .globl sse_divide_at\n sse_divide_at: divps %%xmm0, %%xmm1")
ACTION(x87_divide, "pushl $0x37b\n fldcw (%%esp)\n popl %%eax\n fldz\n fld1\n fdiv %%st(1)\n .globl x87_divide_at\n "
                   "x87_divide_at: fwait")

struct trap {
  void (*action)(void *);
  char *at;
  u32 signal, code, trapno, error;
};

static void expect_traps(const struct trap *traps, u32 n)
{
  for (u32 i = 0; i < n; i++) {
    const struct trap *t = &traps[i];
    struct fault fault = fault_of(t->action, NULL);
    /* only these have an address in siginfo */
    int addressed = t->trapno == 0 || t->trapno == 6 || t->trapno == 16 || t->trapno == 19;
    expect_fault(fault, t->signal, t->code, addressed ? (u32)t->at : 0, t->trapno, t->error);
    expect("eip", fault.eip, (u32)t->at);
    if (differences()) {
      expect("number of the case that was wrong", i, ~0u);
      return;
    }
  }
}

static void divides(void)
{
  catch_faults();
  static const struct trap traps[] = {
    {divide_by_zero, divide_by_zero_at, SIGFPE, FPE_INTDIV, 0, 0},
    {divide_overflow, divide_overflow_at, SIGFPE, FPE_INTDIV, 0, 0},
  };
  expect_traps(traps, COUNT_OF(traps));
}

static void breakpoints(void)
{
  catch_faults();
  static const struct trap traps[] = {
    {breakpoint, breakpoint_at, SIGTRAP, KERNEL_SENT, 3, 0},
    {breakpoint_2, breakpoint_2_at, SIGTRAP, KERNEL_SENT, 3, 0},
  };
  expect_traps(traps, COUNT_OF(traps));
}

static void overflows(void)
{
  catch_faults();
  static const struct trap trap = {overflow, overflow_at, SIGSEGV, KERNEL_SENT, 4, 0};
  expect("signals of into without overflow", fault_of(no_overflow, NULL).count, 0);
  expect_traps(&trap, 1);
}

static void bounds(void *unused)
{
  i32 limits[2] = {0, 9};
  (void)unused;
  __asm__ volatile("boundl %0, (%1)" : : "r"(10), "r"(limits) : "memory");
}

static void bound(void)
{
  catch_faults();
  struct fault fault = fault_of(bounds, NULL);
  expect("signal", fault.signal, SIGSEGV);
  expect("trapno", fault.trapno, 5);
}

static void undefined_instructions(void)
{
  catch_faults();
  static const struct trap traps[] = {
    {undefined, undefined_at, SIGILL, ILL_ILLOPN, 6, 0},
    {undefined_1, undefined_1_at, SIGILL, ILL_ILLOPN, 6, 0},
    {lock_register, lock_register_at, SIGILL, ILL_ILLOPN, 6, 0},
  };
  expect_traps(traps, COUNT_OF(traps));
}

static void privileged(void)
{
  catch_faults();
  static const struct trap traps[] = {
#define PRIVILEGED(name) {name, name##_at, SIGSEGV, KERNEL_SENT, 13, 0}
    PRIVILEGED(halt),
    PRIVILEGED(clear_interrupts),
    PRIVILEGED(set_interrupts),
    PRIVILEGED(port_in),
    PRIVILEGED(port_out),
    PRIVILEGED(read_cr0),
    PRIVILEGED(write_cr3),
    PRIVILEGED(read_dr7),
    PRIVILEGED(read_msr),
    PRIVILEGED(write_msr),
    PRIVILEGED(invalidate_page),
    PRIVILEGED(write_back_caches),
    PRIVILEGED(clear_task_switched),
    PRIVILEGED(load_gdt),
    PRIVILEGED(load_idt),
    PRIVILEGED(load_task),
    PRIVILEGED(set_xcr),
  };
  expect_traps(traps, COUNT_OF(traps));
}

/* The vector's gate is none that user code may use: error code vector * 8 + 2. */
static void gates(void)
{
  catch_faults();
  static const struct trap traps[] = {
    {gate_0, gate_0_at, SIGSEGV, KERNEL_SENT, 13, 0 * 8 + 2},
    {gate_14, gate_14_at, SIGSEGV, KERNEL_SENT, 13, 14 * 8 + 2},
    {gate_20, gate_20_at, SIGSEGV, KERNEL_SENT, 13, 0x20 * 8 + 2},
    {gate_ff, gate_ff_at, SIGSEGV, KERNEL_SENT, 13, 0xff * 8 + 2},
  };
  expect_traps(traps, COUNT_OF(traps));
}

static void selectors(void)
{
  catch_faults();
  static const struct trap traps[] = {
    {bad_gs, bad_gs_at, SIGSEGV, KERNEL_SENT, 13, 0xfffc},
    {bad_ss, bad_ss_at, SIGSEGV, KERNEL_SENT, 13, 0},
  };
  expect_traps(traps, COUNT_OF(traps));
}

static void null_segment(void)
{
  catch_faults();
  static const struct trap trap = {null_gs, null_gs_at, SIGSEGV, KERNEL_SENT, 13, 0};
  expect_traps(&trap, 1);
}

static void alignment(void)
{
  catch_faults();
  struct fault fault = fault_of(unaligned_read, NULL);
  __asm__ volatile("pushfl\n andl $~0x40000, (%%esp)\n popfl" : : : "memory", "cc");
  expect_fault(fault, SIGBUS, BUS_ADRALN, 0, 17, 0);
  expect("eip", fault.eip, (u32)unaligned_read_at);
}

static void floating_point(void)
{
  catch_faults();
  static const struct trap traps[] = {
    {sse_divide, sse_divide_at, SIGFPE, FPE_FLTDIV, 19, 0},
    {x87_divide, x87_divide_at, SIGFPE, FPE_FLTDIV, 16, 0},
  };
  expect_traps(traps, COUNT_OF(traps));
}

/* popf by user code: IF and IOPL stay. */
static void flags_that_popf_cannot(void)
{
  u32 flags;
  __asm__ volatile("pushfl\n movl (%%esp), %%eax\n andl $~0x200, %%eax\n orl $0x3000, %%eax\n pushl %%eax\n popfl\n "
                   "pushfl\n popl %0\n popfl"
                   : "=r"(flags)
                   :
                   : "eax", "memory", "cc");
  expect("IF and IOPL", flags & 0x3200, 0x200);
}

static void change_flags(u32 set, u32 clear)
{
  __asm__ volatile("pushfl\n andl %0, (%%esp)\n orl %1, (%%esp)\n popfl" : : "r"(~clear), "r"(set) : "memory", "cc");
}

/* NT makes an iret in 64-bit mode fault, AC an unaligned access at CPL 3: both are user code's to set. */
enum { NT = 0x4000, AC = 0x40000 };
static const u32 flag_sets[] = {NT, AC, NT | AC};

static void flags_in_system_calls(void)
{
  int expected = sys(__NR_getpid), by_vdso, by_int80;
  for (u32 i = 0; i < COUNT_OF(flag_sets); i++) {
    change_flags(flag_sets[i], 0);
    by_vdso = sys(__NR_getpid);
    change_flags(flag_sets[i], 0);
    by_int80 = syscall_int80(__NR_getpid, 0, 0, 0, 0, 0, 0);
    change_flags(0, NT | AC);
    expect("getpid by the vDSO's entry", (u32)by_vdso, (u32)expected);
    expect("getpid by int 0x80", (u32)by_int80, (u32)expected);
  }
}

/* Wherever a tick comes, on the way back from a call too, the kernel's own code has none of these flags. */
static void flags_in_calls_and_ticks(void)
{
  enum { CF = 1, DF = 0x400, ID = 0x200000, KEPT = CF | DF | AC | ID };
  static const u32 sets[] = {CF | DF | AC | ID, DF, AC, CF | ID};
  u32 expected = sys(__NR_getpid), other_results = 0, other_flags = 0, calls = 0;
  for (u64 start = monotonic(); elapsed_us(start) < 500000;) {
    for (u32 n = 0; n < 1000; n++, calls++) {
      u32 set = sets[calls % COUNT_OF(sets)], flags;
      change_flags(set, KEPT & ~set);
      u32 result = (u32)sys(__NR_getpid);
      __asm__ volatile("pushfl\n popl %0" : "=r"(flags));
      change_flags(0, KEPT);
      other_results += result != expected;
      other_flags += (flags & (DF | AC | ID)) != (set & (DF | AC | ID));
    }
  }
  expect_range("calls", calls, 1000, 1000000000);
  expect("other results", other_results, 0);
  expect("other flags after it", other_flags, 0);
}

/* A stack segment that ends above this thread's stack: a kernel that kept it would fault on its own. */
static void stack_segment_in_system_calls(void)
{
  u32 limit = (u32)__builtin_frame_address(0) / PAGE + 1;
  struct user_desc stack = {.entry_number = -1u, .limit = limit, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1};
  must("set_thread_area", sys(__NR_set_thread_area, &stack));
  u32 selector = stack.entry_number << 3 | 3, expected = sys(__NR_getpid), wrong = 0;
  for (u32 n = 0; n < 1000; n++) {
    __asm__ volatile("movl %0, %%ss" : : "r"(selector));
    wrong += (u32)sys(__NR_getpid) != expected;
  }
  expect("other results", wrong, 0);
}

/* None of what interrupts user code finds its own code with these flags in force. */
static void flags_in_exceptions(void)
{
  catch_faults();
  for (u32 i = 0; i < COUNT_OF(flag_sets); i++) {
    volatile u32 *page = map(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    change_flags(flag_sets[i], 0);
    *page = 1;
    struct fault fault = fault_of(undefined, 0);
    change_flags(0, NT | AC);
    expect("page", *page, 1);
    expect_fault(fault, SIGILL, ILL_ILLOPN, (u32)undefined_at, 6, 0);
    for (u64 start = monotonic(); elapsed_us(start) < 50000;) { /* some ticks */
      change_flags(flag_sets[i], 0);
      for (volatile u32 turn = 0; turn < 100000; turn++)
        ;
      change_flags(0, NT | AC);
    }
  }
}

static volatile u32 steps, first_eip, last_code, last_address, last_eip;

static void step(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  struct sigcontext *m = &context->uc_mcontext;
  if (steps++ == 0)
    first_eip = m->eip;
  last_code = (u32)info->si_code;
  last_address = (u32)info->si_addr;
  last_eip = m->eip;
}

extern char stepped_first[], stepped_last[];

static void single_step(void)
{
  handle(SIGTRAP, step, 0, 0);
  __asm__ volatile("pushfl\n orl $0x100, (%%esp)\n popfl\n"
                   "nop\n"
                   ".globl stepped_first, stepped_last\n"
                   "stepped_first: incl %%eax\n"
                   "pushl %%eax\n"
                   "popl %%eax\n"
                   "movl $20, %%eax\n" /* getpid: iret comes back with TF, so that the step is the next instruction's */
                   "int $0x80\n"
                   "movl $3, %%ecx\n"
                   "1: decl %%ecx\n"
                   "jnz 1b\n"
                   "pushfl\n andl $~0x100, (%%esp)\n popfl\n"
                   "stepped_last: nop\n"
                   :
                   :
                   : "eax", "ecx", "memory", "cc");
  expect("eip after the first instruction", first_eip, (u32)stepped_first);
  expect("steps", steps, 1 + 4 + 0 + 1 + 6 + 3);
  expect("si_code", last_code, TRAP_TRACE);
  expect("eip after the last", last_eip, (u32)stepped_last);
  expect("si_addr", last_address, last_eip);
}

/* A system call by the vDSO's entry while stepping: it works, and stepping goes on after it. */
static void single_step_through_vdso(void)
{
  handle(SIGTRAP, step, 0, 0);
  __asm__ volatile("pushfl\n orl $0x100, (%%esp)\n popfl" : : : "memory", "cc");
  int pid = sys(__NR_getpid);
  u32 in_between = steps;
  int again = sys(__NR_getpid);
  __asm__ volatile("pushfl\n andl $~0x100, (%%esp)\n popfl" : : : "memory", "cc");
  expect("getpid", (u32)pid, (u32)syscall_int80(__NR_getpid, 0, 0, 0, 0, 0, 0));
  expect("getpid again", (u32)again, (u32)pid);
  expect_range("steps of the first call", in_between, 20, 200);
  expect_range("steps of both", steps, in_between + 20, 400);
}

static void step_over_faults(void)
{
  u8 *at = map(0, 8 * PAGE, 3, 0x22);
  handle(SIGTRAP, step, 0, 0);
  __asm__ volatile("pushfl\n orl $0x100, (%%esp)\n popfl\n"
                   "movb $1, (%0)\n movb $1, 4096(%0)\n movb $1, 8192(%0)\n movb $1, 12288(%0)\n"
                   "pushfl\n andl $~0x100, (%%esp)\n popfl\n"
                   :
                   : "r"(at)
                   : "memory", "cc");
  expect("steps", steps, 4 + 3);
  expect("what was written", at[0] + at[PAGE] + at[2 * PAGE] + at[3 * PAGE], 4);
}

static void cpuid_and_tsc(void)
{
  u32 a = 0, b, c = 0, d, low, high, low2, high2;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  expect_range("largest leaf", a, 1, 0xff);
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  __asm__ volatile("rdtsc" : "=a"(low2), "=d"(high2));
  expect("the second reading of the TSC is later", ((u64)high2 << 32 | low2) > ((u64)high << 32 | low), 1);
}

const struct check trap_checks[] = {
  {"division by zero and its overflow: SIGFPE INTDIV at the instruction", divides, 0},
  {"int3, in one byte and in two: SIGTRAP behind the instruction", breakpoints, 0},
  {"into with overflow: SIGSEGV, vector 4; without: nothing", overflows, 0},
  {"bound out of range: SIGSEGV, vector 5", bound, 0},
  {"undefined instructions: SIGILL ILLOPN at the instruction", undefined_instructions, 0},
  {"17 privileged instructions: SIGSEGV, vector 13, error 0", privileged, 0},
  {"int n through a gate of the kernel's: SIGSEGV, vector 13, error n * 8 + 2", gates, 0},
  {"selectors out of the table and null in ss: SIGSEGV, vector 13, error the selector", selectors, 0},
  {"access through a null segment: SIGSEGV, vector 13, error 0", null_segment, 0},
  {"unaligned access with AC: SIGBUS ADRALN, vector 17", alignment, 0},
  {"unmasked division by zero in SSE and x87: SIGFPE FLTDIV, vectors 19 and 16", floating_point, 0},
  {"popf of user code changes neither IF nor IOPL", flags_that_popf_cannot, 0},
  {"system calls by either entry with NT and AC set: answered", flags_in_system_calls, 0},
  {"system calls with CF, DF, AC and ID set while ticks come: answered, the flags kept", flags_in_calls_and_ticks, 0},
  {"system calls with a stack segment of the thread's own: answered", stack_segment_in_system_calls, 0},
  {"page faults, exceptions and ticks with NT and AC set: served", flags_in_exceptions, 0},
  {"TF: one SIGTRAP TRACE an instruction, none for the system call", single_step, 0},
  {"TF through the vDSO's entry: the call works and stepping goes on", single_step_through_vdso, 0},
  {"TF over page faults: one SIGTRAP an instruction", step_over_faults, 0},
  {"cpuid and rdtsc of user code work", cpuid_and_tsc, 0},
  {NULL, NULL, 0},
};
