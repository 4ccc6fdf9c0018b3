/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: fork, exec, wait; restartable sequences. */
#include "check.h"
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/rseq.h>
#include <linux/time.h>
#include <linux/wait.h>

enum { RW = PROT_READ | PROT_WRITE };

static const char *const no_environment[] = {NULL};

static void helper(const char *status, const char *padding)
{
  const char *const arguments[] = {"checks", "-", "--helper", status, padding, NULL};
  int result = sys(__NR_execve, "/proc/self/exe", arguments, no_environment);
  leave(result == -7 ? 7 : 1);
}

static void many_children(void)
{
  u32 wrong = 0;
  for (u32 round = 0; round < 10; round++) {
    int pid[50];
    for (u32 i = 0; i < COUNT_OF(pid); i++)
      if ((pid[i] = fork_process()) == 0)
        leave((int)(i * 5 + round));
    for (u32 i = 0; i < COUNT_OF(pid); i++)
      wrong += wait_for(pid[i]) != (int)((i * 5 + round) & 0xff);
  }
  expect("wrong statuses", wrong, 0);
}

static void many_programs(void)
{
  u32 wrong = 0;
  for (u32 i = 0; i < 100; i++) {
    int pid = fork_process();
    if (pid == 0)
      helper(i & 1 ? "21" : "22", NULL);
    wrong += wait_for(pid) != (i & 1 ? 21 : 22);
  }
  expect("wrong statuses", wrong, 0);
}

static void chain(void)
{
  int pid = fork_process();
  if (pid == 0) { /* each the child of the one before */
    for (u32 depth = 0; depth < 40; depth++) {
      int child = fork_process();
      if (child)
        leave(wait_for(child));
    }
    leave(99);
  }
  expect("status through 40 generations", (u32)wait_for(pid), 99);
}

static void long_arguments(void)
{
  static char text[140000];
  memset(text, 'x', sizeof text);
  text[100000] = 0;
  int pid = fork_process();
  if (pid == 0)
    helper("23", text);
  expect("status with an argument of 100,000 bytes", (u32)wait_for(pid), 23);
  text[100000] = 'x';
  text[sizeof text - 1] = 0;
  pid = fork_process();
  if (pid == 0)
    helper("23", text);
  expect("error with an argument of more than 128 KiB: E2BIG", (u32)wait_for(pid), 7);
}

static void exec_refused(void)
{
  int fd = must("memfd_create", sys(__NR_memfd_create, "program", 0));
  const char *const arguments[] = {"x", NULL};
  sys(__NR_write, fd, "\177ELF nonsense, and more of it to be long enough", 40);
  expect("of nonsense", (u32)sys(__NR_execveat, fd, "", arguments, no_environment, 0x1000), (u32)-8);
  expect("of nothing", (u32)sys(__NR_execve, "/nonesuch", arguments, no_environment), (u32)-2);
  expect("of a folder", (u32)sys(__NR_execve, "/", arguments, no_environment), (u32)-13);
  expect("of a name that is not there", (u32)sys(__NR_execve, 0x10000, arguments, no_environment), (u32)-14);
}

static void wait_variants(void)
{
  int status = 0, pid = fork_process();
  siginfo_t info;
  if (pid == 0) {
    for (;;)
      sys(__NR_pause);
  }
  expect("WNOHANG while it runs", (u32)sys(__NR_wait4, pid, &status, WNOHANG, 0), 0);
  sys(__NR_kill, pid, SIGSTOP);
  expect("WUNTRACED", (u32)sys(__NR_wait4, pid, &status, WUNTRACED, 0), (u32)pid);
  expect("status", (u32)status, SIGSTOP << 8 | 0x7f);
  sys(__NR_kill, pid, SIGCONT);
  expect("WCONTINUED", (u32)sys(__NR_wait4, pid, &status, WCONTINUED, 0), (u32)pid);
  expect("status", (u32)status, 0xffff);
  sys(__NR_kill, pid, SIGTERM);
  must("waitid WNOWAIT", sys(__NR_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, 0));
  expect("si_code", (u32)info.si_code, CLD_KILLED);
  expect("si_status", (u32)info.si_status, SIGTERM);
  expect("wait4", (u32)sys(__NR_wait4, pid, &status, 0, 0), (u32)pid);
  expect("status", (u32)status, SIGTERM);
  expect("wait4 without children", (u32)sys(__NR_wait4, -1, &status, 0, 0), (u32)-10);
}

static void orphan(void)
{
  volatile u32 *seen = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  must("PR_SET_CHILD_SUBREAPER", sys(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1));
  int status, pid = sys(__NR_fork);
  if (pid == 0) {
    if (sys(__NR_fork) == 0) {
      int parent = sys(__NR_getppid);
      while (sys(__NR_getppid) == parent && !*seen)
        sys(__NR_sched_yield);
      *seen = (u32)sys(__NR_getppid);
      leave(33);
    }
    sleep_ms(20);
    leave(0);
  }
  wait_for(pid);
  expect("wait4 for the orphan", sys(__NR_wait4, -1, &status, 0, 0) > 0, 1);
  expect("its status", (u32)status, 33 << 8);
  expect("its parent", *seen, (u32)sys(__NR_getpid));
}

static void name(void)
{
  char text[32];
  must("PR_SET_NAME", sys(__NR_prctl, PR_SET_NAME, "a name that is too long"));
  must("/proc/self/comm", read_file("/proc/self/comm", text, sizeof text));
  expect_text("name", text, "a name that is \n");
}

/* ---- restartable sequences ---- */

static struct rseq area __attribute__((aligned(32), used));
static u32 passes __attribute__((used)), aborts __attribute__((used));
static volatile u32 timer_signals;

static void on_timer(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  (void)context;
  timer_signals++;
}

static int register_rseq(int flags)
{
  return sys(__NR_rseq, &area, sizeof area, flags, 0x53053053);
}

static void rseq_registers(void)
{
  area.cpu_id = (u32)RSEQ_CPU_ID_UNINITIALIZED;
  int result = register_rseq(0);
  if (result == -38)
    skip("no rseq");
  must("rseq", result);
  expect("the processor", area.cpu_id, area.cpu_id_start);
  expect_range("the processor", area.cpu_id, 0, 1023);
  expect("registered twice", (u32)register_rseq(0), (u32)-16);
  must("unregister", register_rseq(1));
  expect("the processor after it", area.cpu_id, (u32)RSEQ_CPU_ID_UNINITIALIZED);
  expect("unregistered twice", (u32)register_rseq(1), (u32)-22);
}

/* A sequence that spins until something interrupts it, over and over: each time it is left by its abort handler. */
static void rseq_aborts(void)
{
  u32 timer[4] = {0, 2000, 0, 2000};
  int result = register_rseq(0);
  if (result == -38)
    skip("no rseq");
  must("rseq", result);
  handle(SIGALRM, on_timer, SA_RESTART, 0);
  must("setitimer", sys(__NR_setitimer, ITIMER_REAL, timer, 0));
  for (u32 i = 0; i < 50; i++)
    __asm__ volatile(".pushsection .data\n"
                     ".balign 32\n"
                     "9: .long 0, 0\n" /* version, flags */
                     ".long 1f, 0, 2f - 1f, 0, 4f, 0\n" /* start_ip, post_commit_offset, abort_ip: 64 bits each */
                     ".popsection\n"
                     "movl $9b, area+8\n"
                     "1: movl $0x7fffffff, %%ecx\n"
                     "3: decl %%ecx\n"
                     "jnz 3b\n"
                     "incl passes\n" /* the end is not reached */
                     "2: jmp 5f\n"
                     ".long 0x53053053\n"
                     "4: incl aborts\n"
                     "5:\n"
                     :
                     :
                     : "ecx", "memory", "cc");
  expect("sequences that were aborted", aborts, 50);
  expect("sequences that went on after an interruption", passes, 0);
  expect_range("signals", timer_signals, 1, 100000);
}

static void rseq_bad_signature(void)
{
  int pid = fork_process();
  if (pid == 0) {
    int result = register_rseq(0);
    if (result == -38)
      skip("no rseq");
    __asm__ volatile(".pushsection .data\n"
                     ".balign 32\n"
                     "9: .long 0, 0, 1f, 0, 2f - 1f, 0, 4f, 0\n"
                     ".popsection\n"
                     "movl $9b, area+8\n"
                     "1: movl $158, %%eax\n int $0x80\n jmp 1b\n"
                     "2: .long 0x12345678\n"
                     "4: nop\n"
                     :
                     :
                     : "eax", "memory");
  }
  u64 start = monotonic();
  int status = 0;
  while (sys(__NR_wait4, pid, &status, WNOHANG, 0) == 0 && monotonic() - start < 10000000000ull)
    sys(__NR_sched_yield);
  expect("status", (u32)status & 0x7f, SIGSEGV);
}

const struct check process_checks[] = {
  {"500 children, 50 at a time: each status is its own", many_children, 0},
  {"100 programs started: each status is its own", many_programs, 0},
  {"40 generations: the last one's status reaches the first", chain, 0},
  {"an argument of 100000 bytes, and E2BIG above 128 KiB", long_arguments, 0},
  {"exec of what is no program: ENOEXEC, ENOENT, EACCES, EFAULT, and the caller goes on", exec_refused, 0},
  {"wait4 and waitid with WNOHANG, WUNTRACED, WCONTINUED, WNOWAIT", wait_variants, 0},
  {"an orphan's parent is the subreaper", orphan, 0},
  {"PR_SET_NAME keeps 15 letters", name, 0},
  {"rseq: registered once, unregistered once, and the processor is written", rseq_registers, 0},
  {"rseq: 50 sequences that are interrupted are aborted", rseq_aborts, 0},
  {"rseq: an abort handler without its signature is SIGSEGV", rseq_bad_signature, 0},
  {NULL, NULL, 0},
};
