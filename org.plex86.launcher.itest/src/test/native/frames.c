/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a signal: every register and flag that goes in comes back, and what a handler writes counts. */
#include "check.h"
#include <linux/time.h>

enum {
  CF = 1,
  PF = 4,
  AF = 0x10,
  ZF = 0x40,
  SF = 0x80,
  TF = 0x100,
  IF = 0x200,
  DF = 0x400,
  OF = 0x800,
  AC = 0x40000,
  ID = 0x200000,
  STATUS_FLAGS = CF | PF | AF | ZF | SF | OF,
};

/* Registers as pusha leaves them (edi first), with flags and esp around. */
struct registers {
  u32 edi, esi, ebp, esp, ebx, edx, ecx, eax, eflags;
};

static struct registers before __attribute__((used)), after __attribute__((used));
static volatile u32 deliveries;
static u32 saved_esp __attribute__((used));
static u32 seen_eflags, patched;
static struct sigcontext seen, replacement;

/* Loads `before` (but esp), runs the instructions, stores all in `after`. */
#define WITH_REGISTERS(instructions)                                                                            \
  __asm__ volatile("pushal\n"                                                                                   \
                   "pushfl\n"                                                                                   \
                   "movl %%esp, saved_esp\n"                                                                    \
                   "movl before, %%edi\n movl before+4, %%esi\n movl before+8, %%ebp\n movl before+16, %%ebx\n" \
                   "movl before+20, %%edx\n movl before+24, %%ecx\n movl before+28, %%eax\n"                    \
                   "pushl before+32\n popfl\n" instructions "movl %%esp, after+12\n"                            \
                   "pushfl\n popl after+32\n"                                                                   \
                   "movl saved_esp, %%esp\n"                                                                    \
                   "cld\n"                                                                                      \
                   "movl %%edi, after\n movl %%esi, after+4\n movl %%ebp, after+8\n movl %%ebx, after+16\n"     \
                   "movl %%edx, after+20\n movl %%ecx, after+24\n movl %%eax, after+28\n"                       \
                   "popfl\n"                                                                                    \
                   "popal\n"                                                                                    \
                   :                                                                                            \
                   :                                                                                            \
                   : "memory", "cc")

static void set_before(u32 seed, u32 flags)
{
  fill(&before, sizeof before - 4, seed);
  before.eflags = flags;
  memset(&after, 0, sizeof after);
}

static void expect_registers(struct registers *wanted)
{
  expect("edi", after.edi, wanted->edi);
  expect("esi", after.esi, wanted->esi);
  expect("ebp", after.ebp, wanted->ebp);
  expect("esp", after.esp, wanted->esp);
  expect("ebx", after.ebx, wanted->ebx);
  expect("edx", after.edx, wanted->edx);
  expect("ecx", after.ecx, wanted->ecx);
  expect("eax", after.eax, wanted->eax);
  expect("eflags", after.eflags & ~(u32)(IF | 2), wanted->eflags & ~(u32)(IF | 2));
  expect("IF", after.eflags & IF, IF);
}

static void clobber(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  deliveries++;
  seen = context->uc_mcontext;
  __asm__ volatile("pushfl\n popl %0" : "=r"(seen_eflags));
  __asm__ volatile(
    "movl $0x11111111, %%eax\n movl %%eax, %%ecx\n movl %%eax, %%edx\n movl %%eax, %%esi\n movl %%eax, %%edi\n"
    "cmpl $1, %%eax"
    :
    :
    : "eax", "ecx", "edx", "esi", "edi", "cc");
}

static const u32 flag_sets[] = {
  0, STATUS_FLAGS, CF, PF, AF, ZF, SF, OF, DF, DF | STATUS_FLAGS, AC, AC | DF | CF, ID | ZF};

/* int3 leaves eax alone, a system call does not. */
static void kept_by_trap(void)
{
  handle(SIGTRAP, clobber, 0, 0);
  for (u32 i = 0; i < COUNT_OF(flag_sets); i++) {
    set_before(i + 1, flag_sets[i]);
    WITH_REGISTERS("int3\n");
    before.esp = saved_esp;
    expect_registers(&before);
    expect("eax in the frame", seen.eax, before.eax);
    expect("ebp in the frame", seen.ebp, before.ebp);
    expect("esp in the frame", seen.esp, saved_esp);
    expect("eflags in the frame", seen.eflags & ~(u32)(IF | 2), flag_sets[i]);
    expect("DF in the handler", seen_eflags & DF, 0);
  }
  expect("deliveries", deliveries, COUNT_OF(flag_sets));
}

static void kept_by_system_call(void)
{
  handle(SIGUSR1, clobber, 0, 0);
  for (u32 i = 0; i < COUNT_OF(flag_sets); i++) {
    set_before(i + 100, flag_sets[i] & ~(u32)AC);
    before.eax = __NR_kill;
    before.ebx = (u32)sys(__NR_getpid);
    before.ecx = SIGUSR1;
    WITH_REGISTERS("int $0x80\n");
    struct registers wanted = before;
    wanted.eax = 0;
    wanted.esp = saved_esp;
    expect_registers(&wanted);
  }
  expect("deliveries", deliveries, COUNT_OF(flag_sets));
}

static void kept_by_plain_system_call(void)
{
  for (u32 i = 0; i < COUNT_OF(flag_sets); i++) {
    set_before(i + 200, flag_sets[i] & ~(u32)AC);
    before.eax = __NR_getppid;
    WITH_REGISTERS("int $0x80\n");
    struct registers wanted = before;
    wanted.eax = (u32)sys(__NR_getppid);
    wanted.esp = saved_esp;
    expect_registers(&wanted);
  }
}

/* A write that the kernel has to make room for: the same instruction again, everything as it was. */
static void kept_by_page_fault(void)
{
  for (u32 i = 0; i < COUNT_OF(flag_sets); i++) {
    u32 at = (u32)map(0, PAGE, 3, 0x22);
    set_before(i + 300, flag_sets[i]);
    before.edi = at + 8;
    WITH_REGISTERS("movl %%eax, (%%edi)\n");
    before.esp = saved_esp;
    expect_registers(&before);
    expect("what was written", *(u32 *)(at + 8), before.eax);
    sys(__NR_munmap, at, PAGE);
  }
}

static void replace(int signal, siginfo_t *info, struct ucontext *context)
{
  struct sigcontext *m = &context->uc_mcontext;
  (void)signal;
  (void)info;
  deliveries++;
  m->eax = replacement.eax, m->ebx = replacement.ebx, m->ecx = replacement.ecx, m->edx = replacement.edx;
  m->esi = replacement.esi, m->edi = replacement.edi, m->ebp = replacement.ebp, m->eflags = replacement.eflags;
  m->eip += patched;
}

static void written_by_handler(void)
{
  handle(SIGTRAP, replace, 0, 0);
  for (u32 i = 0; i < COUNT_OF(flag_sets); i++) {
    struct registers wanted;
    set_before(i + 400, 0);
    fill(&wanted, sizeof wanted, i + 500);
    wanted.eflags = flag_sets[i] & ~(u32)ID; /* which sigreturn does not take */
    replacement.eax = wanted.eax, replacement.ebx = wanted.ebx, replacement.ecx = wanted.ecx;
    replacement.edx = wanted.edx, replacement.esi = wanted.esi, replacement.edi = wanted.edi;
    replacement.ebp = wanted.ebp, replacement.eflags = wanted.eflags;
    patched = 2;
    WITH_REGISTERS("int3\n ud2\n"); /* over the ud2 */
    wanted.esp = saved_esp;
    expect_registers(&wanted);
  }
}

/* What a user program may not set is not taken from the frame: IOPL, IF, VM, NT. */
static void privileged_flags(void)
{
  enum { IOPL = 0x3000, NT = 0x4000, VM = 0x20000, VIF = 0x80000, VIP = 0x100000 };
  handle(SIGTRAP, replace, 0, 0);
  set_before(600, 0);
  memset(&replacement, 0, sizeof replacement);
  replacement.eflags = IOPL | VM | VIF | VIP | CF;
  patched = 0;
  WITH_REGISTERS("int3\n");
  expect("eflags", after.eflags & ~2u, IF | CF);
}

static void bad_frame(void)
{
  int pid = fork_process();
  if (pid == 0) {
    void *nowhere = map(0, PAGE, 0, 0x22);
    __asm__ volatile("movl %0, %%esp\n movl $173, %%eax\n int $0x80\n ud2" : : "r"((u32)nowhere + 512));
  }
  expect("status", (u32)wait_for(pid), 128 + SIGSEGV);
}

static void bad_segment(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  context->uc_mcontext.cs = 0xfff8; /* in no table */
}

static void bad_selector(void)
{
  int pid = fork_process();
  if (pid == 0) {
    handle(SIGUSR1, bad_segment, 0, 0);
    sys(__NR_kill, sys(__NR_getpid), SIGUSR1);
    leave(0);
  }
  expect("status", (u32)wait_for(pid), 128 + SIGSEGV);
}

static volatile u32 ticks;

static void tick(int signal, siginfo_t *info, struct ucontext *context)
{
  clobber(signal, info, context);
  ticks++;
}

/* Seven registers and the carry hold their values while a timer of 1 ms interrupts wherever it may. */
static void kept_at_any_instruction(void)
{
  u32 timer[4] = {0, 1000, 0, 1000}, wrong = 0;
  handle(SIGALRM, tick, SA_RESTART, 0);
  must("setitimer", sys(__NR_setitimer, ITIMER_REAL, timer, 0));
  u64 end = monotonic() + 20000000000ull;
  while (ticks < 200 && monotonic() < end) {
    set_before(700, CF);
    before.ecx = 50000;
    WITH_REGISTERS("1: jnc 2f\n"
                   "  leal 1(%%esi), %%esi\n"
                   "  pushl %%eax\n"
                   "  popl %%eax\n"
                   "  leal -1(%%esi), %%esi\n"
                   "  leal -1(%%ecx), %%ecx\n"
                   "  jecxz 2f\n"
                   "  jmp 1b\n"
                   "2:\n");
    before.ecx = 0;
    wrong += after.eax != before.eax || after.ebx != before.ebx || after.edx != before.edx || after.esi != before.esi ||
             after.edi != before.edi || after.ebp != before.ebp || after.ecx != 0 || (after.eflags & CF) == 0;
  }
  expect("rounds that went wrong", wrong, 0);
  expect_range("signals", ticks, 200, 1000000);
}

static void segments(void)
{
  u32 first[4], second[4];
  u16 null = 0;
  handle(SIGUSR1, clobber, 0, 0);
  __asm__ volatile("movw %0, %%fs" : : "r"(null));
  __asm__ volatile("movl %%ds, %0\n movl %%es, %1\n movl %%fs, %2\n movl %%ss, %3"
                   : "=r"(first[0]), "=r"(first[1]), "=r"(first[2]), "=r"(first[3]));
  sys(__NR_kill, sys(__NR_getpid), SIGUSR1);
  __asm__ volatile("movl %%ds, %0\n movl %%es, %1\n movl %%fs, %2\n movl %%ss, %3"
                   : "=r"(second[0]), "=r"(second[1]), "=r"(second[2]), "=r"(second[3]));
  for (u32 i = 0; i < 4; i++)
    expect("segment register", second[i], first[i]);
  expect("ds in the frame", seen.ds, first[0]);
  expect("es in the frame", seen.es, first[1]);
  expect("fs in the frame", seen.fs, first[2]);
  expect("ss in the frame", seen.ss, first[3]);
}

const struct check frame_checks[] = {
  {"a trap and its handler keep every register and each flag", kept_by_trap, 0},
  {"a signal in a system call keeps every register and each flag", kept_by_system_call, 0},
  {"a system call keeps every register and each flag but eax", kept_by_plain_system_call, 0},
  {"a page fault keeps every register and each flag", kept_by_page_fault, 0},
  {"registers and flags that a handler writes into the frame are loaded", written_by_handler, 0},
  {"flags that are the kernel's are not taken from the frame", privileged_flags, 0},
  {"sigreturn with a stack that is not there is SIGSEGV", bad_frame, 0},
  {"sigreturn to a code segment that does not exist is SIGSEGV", bad_selector, 0},
  {"a timer of 1 ms that interrupts anywhere changes no register", kept_at_any_instruction, 0},
  {"segment registers are in the frame and come back", segments, 0},
  {NULL, NULL, 0},
};
