/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: what is delivered, when, in which order, and with what information. */
#include "check.h"
#include <linux/wait.h>
#include <linux/mman.h>
#include <linux/time.h>

static volatile u32 received[256], receivers, running, nested;
static volatile siginfo_t last;

static void note(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)context;
  received[receivers++ % COUNT_OF(received)] = (u32)signal;
  memcpy((void *)&last, info, sizeof last);
}

static void raise(int signal)
{
  must("tgkill", sys(__NR_tgkill, sys(__NR_getpid), gettid(), signal));
}

static void block(u32 low, u32 high, int how)
{
  u32 mask[2] = {low, high};
  must("rt_sigprocmask", sys(__NR_rt_sigprocmask, how, mask, 0, 8));
}

static int blockable(int signal)
{
  return signal != SIGKILL && signal != SIGSTOP;
}

static void every_signal(void)
{
  for (int signal = 1; signal <= 64; signal++)
    if (blockable(signal))
      handle(signal, note, 0, 0);
  for (int signal = 1; signal <= 64; signal++) {
    if (!blockable(signal))
      continue;
    receivers = 0;
    must("kill", sys(__NR_kill, sys(__NR_getpid), signal));
    expect("deliveries", receivers, 1);
    expect("signal", received[0], (u32)signal);
    expect("si_signo", (u32)last.si_signo, (u32)signal);
    expect("si_code", (u32)last.si_code, SI_USER);
    expect("si_pid", (u32)last.si_pid, (u32)sys(__NR_getpid));
  }
}

static void thread_signal(void)
{
  handle(SIGUSR1, note, 0, 0);
  raise(SIGUSR1);
  expect("si_code", (u32)last.si_code, (u32)SI_TKILL);
}

static void realtime_queue(void)
{
  block(~0u, ~0u, SIG_BLOCK);
  for (int signal = 40; signal <= 41; signal++)
    handle(signal, note, 0, ~0u);
  for (u32 i = 0; i < 10; i++) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = (int)(1000 + i);
    must("rt_sigqueueinfo", sys(__NR_rt_sigqueueinfo, sys(__NR_getpid), 41 - (int)(i & 1), &info));
  }
  struct timespec64 none = {0, 0, 0};
  u32 mask[2] = {0, 1u << (40 - 33) | 1u << (41 - 33)};
  /* the lower number first, each in the order of sending */
  for (u32 i = 0; i < 10; i++) {
    siginfo_t info;
    int signal = sys(__NR_rt_sigtimedwait_time64, mask, &info, &none, 8);
    expect("signal", (u32)signal, i < 5 ? 40 : 41);
    expect("value", (u32)info.si_value.sival_int, 1000 + (i < 5 ? 2 * i + 1 : 2 * (i - 5)));
    expect("si_code", (u32)info.si_code, (u32)SI_QUEUE);
  }
  expect("rt_sigtimedwait when none is left", (u32)sys(__NR_rt_sigtimedwait_time64, mask, 0, &none, 8), (u32)-11);
}

static void standard_signals_merge(void)
{
  handle(SIGUSR1, note, 0, 0);
  block(1u << (SIGUSR1 - 1), 0, SIG_BLOCK);
  for (int i = 0; i < 5; i++)
    raise(SIGUSR1);
  u32 pending[2];
  must("rt_sigpending", sys(__NR_rt_sigpending, pending, 8));
  expect("pending", pending[0], 1u << (SIGUSR1 - 1));
  expect("deliveries while blocked", receivers, 0);
  block(1u << (SIGUSR1 - 1), 0, SIG_UNBLOCK);
  expect("deliveries", receivers, 1);
}

static void nest(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)info;
  (void)context;
  running++;
  if (running > nested)
    nested = running;
  received[receivers++ % COUNT_OF(received)] = (u32)signal;
  if (receivers < 8)
    raise(signal);
  running--;
}

static void nodefer_nests(void)
{
  handle(SIGUSR1, nest, SA_NODEFER, 0);
  raise(SIGUSR1);
  expect("deliveries", receivers, 8);
  expect("depth", nested, 8);
}

static void deferred_runs_after(void)
{
  handle(SIGUSR1, nest, 0, 0);
  raise(SIGUSR1);
  expect("deliveries", receivers, 8);
  expect("depth", nested, 1);
}

static void other_interrupts(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)info;
  (void)context;
  received[receivers++] = (u32)signal;
  raise(signal == SIGUSR1 ? SIGUSR2 : SIGALRM);
  received[receivers++] = (u32)signal;
}

static void mask_of_handler(void)
{
  handle(SIGUSR1, other_interrupts, 0, 0); /* SIGUSR2 interrupts it */
  handle(SIGUSR2, other_interrupts, 0, 1u << (SIGALRM - 1)); /* SIGALRM waits for its end */
  handle(SIGALRM, note, 0, 0);
  raise(SIGUSR1);
  static const u32 order[] = {SIGUSR1, SIGUSR2, SIGUSR2, SIGALRM, SIGUSR1};
  expect("entries", receivers, COUNT_OF(order));
  for (u32 i = 0; i < COUNT_OF(order); i++)
    expect("signal", received[i], order[i]);
}

static volatile u32 handler_esp, handler_ss_flags;

static void look_at_stack(int signal, siginfo_t *info, struct ucontext *context)
{
  stack_t stack;
  (void)info;
  (void)context;
  handler_esp = (u32)__builtin_frame_address(0);
  sys(__NR_sigaltstack, 0, &stack);
  handler_ss_flags = (u32)stack.ss_flags;
  received[receivers++] = (u32)signal;
}

static void altstack(void)
{
  enum { SIZE = 32 << 10 };
  u8 *memory = map(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  stack_t stack = {memory, 0, SIZE}, small = {memory, 0, 100};
  must("sigaltstack", sys(__NR_sigaltstack, &stack, 0));
  expect("sigaltstack of 100 bytes", (u32)sys(__NR_sigaltstack, &small, 0), (u32)-ENOMEM);
  handle(SIGUSR1, look_at_stack, SA_ONSTACK, 0);
  handle(SIGUSR2, look_at_stack, 0, 0);
  raise(SIGUSR1);
  expect("handler on the other stack", handler_esp - (u32)memory < SIZE, 1);
  expect("ss_flags in it", handler_ss_flags, SS_ONSTACK);
  raise(SIGUSR2);
  expect("handler without SA_ONSTACK there", handler_esp - (u32)memory < SIZE, 0);
  expect("ss_flags in it", handler_ss_flags, 0);
}

static void altstack_autodisarm(void)
{
  enum { SIZE = 32 << 10 };
  u8 *memory = map(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  stack_t stack = {memory, (int)SS_AUTODISARM, SIZE}, after;
  must("sigaltstack", sys(__NR_sigaltstack, &stack, 0));
  handle(SIGUSR1, look_at_stack, SA_ONSTACK, 0);
  raise(SIGUSR1);
  expect("ss_flags in the handler", handler_ss_flags, SS_DISABLE);
  must("sigaltstack", sys(__NR_sigaltstack, 0, &after));
  expect("ss_sp after it", (u32)after.ss_sp, (u32)memory);
}

/* Pushes until it faults: esp is then 0 modulo a page, the fault 4 below. */
static void overflow(void *top)
{
  __asm__ volatile("movl %0, %%esp\n 1: pushl $0\n jmp 1b" : : "r"(top));
}

static void stack_overflow(void)
{
  catch_faults();
  u8 *memory = map(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  must("mprotect", sys(__NR_mprotect, memory, PAGE, 0));
  struct fault fault = fault_of(overflow, memory + 4 * PAGE);
  expect_fault(fault, SIGSEGV, SEGV_ACCERR, (u32)memory + PAGE - 4, 14, 6);
  expect("esp", fault.esp, (u32)memory + PAGE);
}

static void no_room_for_frame(void)
{
  int pid = fork_process();
  if (pid == 0) {
    u8 *memory = map(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    handle(SIGSEGV, note, 0, 0);
    must("munmap", sys(__NR_munmap, memory, PAGE));
    overflow(memory + 2 * PAGE);
  }
  expect("status", (u32)wait_for(pid), 128 + SIGSEGV);
}

static void resethand(void)
{
  handle(SIGUSR1, note, (u32)SA_RESETHAND, 0);
  raise(SIGUSR1);
  expect("deliveries", receivers, 1);
  u32 action[5];
  must("rt_sigaction", sys(__NR_rt_sigaction, SIGUSR1, 0, action, 8));
  expect("handler", action[0], 0);
}

/* How a process ends or stops by the signal's default. */
static void default_actions(void)
{
  static const u32 ignored = 1u << (SIGCHLD - 1) | 1u << (SIGCONT - 1) | 1u << (SIGURG - 1) | 1u << (SIGWINCH - 1),
                   stopped = 1u << (SIGSTOP - 1) | 1u << (SIGTSTP - 1) | 1u << (SIGTTIN - 1) | 1u << (SIGTTOU - 1);
  for (int signal = 1; signal < 32; signal++) {
    u32 bit = 1u << (signal - 1);
    int status = 0;
    int pid = fork_process();
    if (pid == 0) {
      sys(__NR_setpgid, 0, 0);
      u32 no_core[2] = {0, 0};
      sys(__NR_setrlimit, 4 /* RLIMIT_CORE */, no_core);
      if (blockable(signal))
        set_default(signal); /* a shell may have had it ignored */
      sys(__NR_kill, sys(__NR_getpid), signal);
      leave(77);
    }
    sys(__NR_setpgid, pid, pid);
    must("wait4", sys(__NR_wait4, pid, &status, WUNTRACED, 0));
    if (bit & stopped) {
      /* an orphaned process group does not stop by the terminal's signals; ours has a parent in another group */
      expect("status of a stop", (u32)status, (u32)signal << 8 | 0x7f);
      sys(__NR_kill, pid, SIGKILL);
      must("wait4", sys(__NR_wait4, pid, &status, 0, 0));
    } else if (bit & ignored)
      expect("status after a signal that is ignored", (u32)status, 77 << 8);
    else
      expect("status of an end", (u32)status & 0x7f, (u32)signal);
  }
}

static void child_information(void)
{
  handle(SIGCHLD, note, 0, 0);
  block(1u << (SIGCHLD - 1), 0, SIG_BLOCK);
  u32 mask[2] = {1u << (SIGCHLD - 1), 0};
  struct timespec64 limit = {5, 0, 0};
  siginfo_t info;
  int pid = fork_process();
  if (pid == 0)
    leave(5);
  expect("signal", (u32)sys(__NR_rt_sigtimedwait_time64, mask, &info, &limit, 8), SIGCHLD);
  expect("si_code of an exit", (u32)info.si_code, CLD_EXITED);
  expect("si_pid", (u32)info.si_pid, (u32)pid);
  expect("si_status", (u32)info.si_status, 5);
  wait_for(pid);
  pid = fork_process();
  if (pid == 0)
    for (;;)
      sys(__NR_pause);
  sys(__NR_kill, pid, SIGSTOP);
  sys(__NR_rt_sigtimedwait_time64, mask, &info, &limit, 8);
  expect("si_code of a stop", (u32)info.si_code, CLD_STOPPED);
  expect("si_status", (u32)info.si_status, SIGSTOP);
  sys(__NR_kill, pid, SIGCONT);
  sys(__NR_rt_sigtimedwait_time64, mask, &info, &limit, 8);
  expect("si_code of going on", (u32)info.si_code, CLD_CONTINUED);
  sys(__NR_kill, pid, SIGKILL);
  sys(__NR_rt_sigtimedwait_time64, mask, &info, &limit, 8);
  expect("si_code of a kill", (u32)info.si_code, CLD_KILLED);
  expect("si_status", (u32)info.si_status, SIGKILL);
  wait_for(pid);
}

/* A read of an empty pipe, interrupted after 20 ms; then written to. */
static int interrupted_read(u32 flags, int (*call)(int, u32, u32, u32, u32, u32, u32))
{
  int pipe[2];
  char byte = 0;
  must("pipe", sys(__NR_pipe, pipe));
  handle(SIGUSR1, note, flags, 0);
  int parent = sys(__NR_getpid), pid = fork_process();
  if (pid == 0) {
    sleep_ms(20);
    sys(__NR_kill, parent, SIGUSR1);
    sleep_ms(20);
    sys(__NR_write, pipe[1], "x", 1);
    leave(0);
  }
  int result = call(__NR_read, (u32)pipe[0], (u32)&byte, 1, 0, 0, 0);
  wait_for(pid);
  return result == 1 ? byte : result;
}

static void restart(void)
{
  expect("read by the vDSO's entry", (u32)interrupted_read(SA_RESTART, syscall6), 'x');
  expect("read by int 0x80", (u32)interrupted_read(SA_RESTART, syscall_int80), 'x');
  expect("deliveries", receivers, 2);
}

static void no_restart(void)
{
  expect("read by the vDSO's entry", (u32)interrupted_read(0, syscall6), (u32)-EINTR);
  expect("read by int 0x80", (u32)interrupted_read(0, syscall_int80), (u32)-EINTR);
}

static void sleep_goes_on_after_stop(void)
{
  int parent = sys(__NR_getpid);
  u64 start = monotonic();
  int pid = fork_process();
  if (pid == 0) {
    sleep_ms(30);
    sys(__NR_kill, parent, SIGSTOP);
    sleep_ms(30);
    sys(__NR_kill, parent, SIGCONT);
    leave(0);
  }
  struct timespec64 t = {0, 150000000, 0}, left = {-1, 0, 0};
  expect("nanosleep", (u32)sys(__NR_clock_nanosleep_time64, CLOCK_MONOTONIC, 0, &t, &left), 0);
  expect_range("microseconds slept", elapsed_us(start), 150000, 5000000);
  wait_for(pid);
}

static void sleep_tells_what_is_left(void)
{
  handle(SIGUSR1, note, 0, 0);
  int parent = sys(__NR_getpid), pid = fork_process();
  if (pid == 0) {
    sleep_ms(50);
    sys(__NR_kill, parent, SIGUSR1);
    leave(0);
  }
  struct timespec64 t = {20, 0, 0}, left = {-1, 0, 0};
  u64 start = monotonic();
  expect("nanosleep", (u32)sys(__NR_clock_nanosleep_time64, CLOCK_MONOTONIC, 0, &t, &left), (u32)-EINTR);
  i64 slept = elapsed_us(start);
  i64 rest = (i64)((u64)left.sec * 1000000) + (i64)divide((u64)left.nsec, 1000);
  expect_range("microseconds slept and left", slept + rest, 20000000, 20050000);
  wait_for(pid);
}

static void suspend(void)
{
  handle(SIGUSR1, note, 0, 0);
  block(1u << (SIGUSR1 - 1), 0, SIG_BLOCK);
  raise(SIGUSR1);
  u32 none[2] = {0, 0}, now[2];
  expect("deliveries while blocked", receivers, 0);
  expect("rt_sigsuspend", (u32)sys(__NR_rt_sigsuspend, none, 8), (u32)-EINTR);
  expect("deliveries", receivers, 1);
  must("rt_sigprocmask", sys(__NR_rt_sigprocmask, SIG_BLOCK, 0, now, 8));
  expect("mask after it", now[0], 1u << (SIGUSR1 - 1));
}

static void signalfd(void)
{
  u32 mask[2] = {1u << (SIGUSR1 - 1), 0}, info[32];
  block(mask[0], 0, SIG_BLOCK);
  int fd = must("signalfd", sys(__NR_signalfd4, -1, mask, 8, 0));
  raise(SIGUSR1);
  expect("bytes", (u32)sys(__NR_read, fd, info, sizeof info), 128);
  expect("ssi_signo", info[0], SIGUSR1);
  expect("ssi_code", info[2], (u32)SI_TKILL);
}

static void broken_pipe(void)
{
  int pipe[2];
  must("pipe", sys(__NR_pipe, pipe));
  handle(SIGPIPE, note, 0, 0);
  sys(__NR_close, pipe[0]);
  expect("write", (u32)sys(__NR_write, pipe[1], "x", 1), (u32)-32);
  expect("deliveries", receivers, 1);
}

static void storm(void)
{
  handle(SIGUSR1, note, 0, 0);
  int parent = sys(__NR_getpid), pid = fork_process();
  if (pid == 0) {
    for (int i = 0; i < 2000; i++) {
      sys(__NR_kill, parent, SIGUSR1);
      sys(__NR_sched_yield);
    }
    leave(0);
  }
  u32 state = 1, again = 1, i = 0;
  int status;
  while (sys(__NR_wait4, pid, &status, WNOHANG, 0) == 0)
    next_random(&state), i++;
  while (i--)
    next_random(&again);
  expect("computation between signals", state, again);
  expect_range("deliveries", receivers, 1, 2000);
}

const struct check signal_checks[] = {
  {"kill with each of 1 to 64 reaches its handler with SI_USER and the sender", every_signal, 0},
  {"tgkill has SI_TKILL", thread_signal, 0},
  {"queued real-time signals come lowest first, in order, with their values", realtime_queue, 0},
  {"a standard signal that is sent five times while blocked comes once", standard_signals_merge, 0},
  {"SA_NODEFER: a signal in its own handler nests", nodefer_nests, 0},
  {"without SA_NODEFER a signal in its own handler comes after it", deferred_runs_after, 0},
  {"sa_mask holds a signal back until the handler's end, others interrupt it", mask_of_handler, 0},
  {"SA_ONSTACK runs on the other stack, and sigaltstack says so", altstack, 0},
  {"SS_AUTODISARM: the other stack is off in the handler and on after it", altstack_autodisarm, 0},
  {"a stack that overflows into a guard page is handled on the other stack", stack_overflow, 0},
  {"a signal without room for its frame ends the process by SIGSEGV", no_room_for_frame, 0},
  {"SA_RESETHAND leaves the default action", resethand, 0},
  {"default action of each of 1 to 31: ended, stopped or ignored", default_actions, 0},
  {"SIGCHLD says exit, stop, going on and kill with the child's status", child_information, 0},
  {"SA_RESTART: an interrupted read goes on, by either entry", restart, 0},
  {"without SA_RESTART an interrupted read is EINTR, by either entry", no_restart, 0},
  {"a sleep goes on after SIGSTOP and SIGCONT until its time", sleep_goes_on_after_stop, 0},
  {"an interrupted sleep tells what is left", sleep_tells_what_is_left, 0},
  {"rt_sigsuspend delivers what it unblocks and restores the mask", suspend, 0},
  {"signalfd reads a blocked signal", signalfd, 0},
  {"a write to a pipe without a reader is SIGPIPE and EPIPE", broken_pipe, 0},
  {"a computation under 2000 signals gives what it gives without", storm, 0},
  {NULL, NULL, 0},
};
