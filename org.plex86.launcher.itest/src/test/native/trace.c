/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace: memory, registers, system calls, signals, events. */
#include "tracee.h"

enum { SYSCALL_STOP = SIGTRAP | 0x80, EVENT = 8 };

static volatile u32 variable = 0x11223344;

static void rest(void)
{
}

static void pause_forever(void)
{
  for (;;)
    sys(__NR_pause);
}

static void memory_words(void)
{
  int pid = start_tracee(rest, 0);
  expect("PEEKDATA", peek(pid, (void *)&variable), 0x11223344);
  poke(pid, (void *)&variable, 0x55667788);
  expect("PEEKDATA of what was poked", peek(pid, (void *)&variable), 0x55667788);
  expect("the tracer's own", variable, 0x11223344);
  u32 value;
  expect("PEEKDATA of nothing", (u32)trace(PTRACE_PEEKDATA, pid, 0x10000, (u32)&value), (u32)-5);
  expect("POKEDATA of a kernel address", (u32)trace(PTRACE_POKEDATA, pid, 0xfffff000, 0), (u32)-5);
  end_tracee(pid);
}

__attribute__((noinline, aligned(4096))) static int seven(void)
{
  __asm__ volatile("");
  return 7;
}

static void leave_seven(void)
{
  int (*volatile call)(void) = seven;
  leave(call());
}

/* A poke into text that is read-only and shared with the parent: the child's alone. */
static void text_words(void)
{
  int pid = start_tracee(leave_seven, 0);
  expect("before", (u32)seven(), 7);
  poke(pid, (void *)seven, 0x000009b8); /* movl $9, %eax; ret */
  poke(pid, (u8 *)seven + 4, 0x9090c300);
  go_on(PTRACE_CONT, pid, 0);
  expect("status of the child", (u32)next_stop(pid), 9 << 8);
  expect("after, in the parent", (u32)seven(), 7);
}

static void fixed_registers(void)
{
  register u32 result __asm__("eax");
  __asm__ volatile(
    "movl $0x101, %%ebx\n movl $0x102, %%ecx\n movl $0x103, %%edx\n movl $0x104, %%esi\n movl $0x105, %%edi\n"
    "movl $0x106, %%eax\n stc\n int3\n"
    "pushfl\n popl %%ecx\n andl $1, %%ecx\n"
    "addl %%ebx, %%eax\n addl %%edx, %%eax\n addl %%esi, %%eax\n addl %%edi, %%eax\n addl %%ecx, %%eax"
    : "=r"(result)
    :
    : "ebx", "ecx", "edx", "esi", "edi", "memory", "cc");
  leave((int)result);
}

static void all_registers(void)
{
  int pid = start_tracee(fixed_registers, 0);
  go_on(PTRACE_CONT, pid, 0);
  expect_stop("breakpoint", next_stop(pid), SIGTRAP);
  struct pt_regs r = registers(pid);
  expect("ebx", (u32)r.ebx, 0x101);
  expect("ecx", (u32)r.ecx, 0x102);
  expect("edx", (u32)r.edx, 0x103);
  expect("esi", (u32)r.esi, 0x104);
  expect("edi", (u32)r.edi, 0x105);
  expect("eax", (u32)r.eax, 0x106);
  expect("carry", (u32)r.eflags & 1, 1);
  r.ebx = 1, r.edx = 2, r.esi = 3, r.edi = 4, r.eax = 5, r.eflags &= ~1;
  set_registers(pid, &r);
  go_on(PTRACE_CONT, pid, 0);
  expect("status of the child", (u32)next_stop(pid), 15 << 8);
}

static void one_by_one(void)
{
  int pid = start_tracee(fixed_registers, 0);
  u32 value = 0;
  go_on(PTRACE_CONT, pid, 0);
  expect_stop("breakpoint", next_stop(pid), SIGTRAP);
  must("PEEKUSR", trace(PTRACE_PEEKUSR, pid, EBX * 4, (u32)&value));
  expect("ebx", value, 0x101);
  must("POKEUSR", trace(PTRACE_POKEUSR, pid, EBX * 4, 0x201));
  expect("ebx of GETREGS", (u32)registers(pid).ebx, 0x201);
  expect("PEEKUSR far away", (u32)trace(PTRACE_PEEKUSR, pid, 0x10000, (u32)&value), (u32)-5);
  expect("POKEUSR off a word", (u32)trace(PTRACE_POKEUSR, pid, 2, 0), (u32)-5);
  end_tracee(pid);
}

/* ---- system calls ---- */

static void calls(void)
{
  u32 result = (u32)syscall_int80(__NR_dup2, 1000, 1001, 0, 0, 0, 0); /* EBADF */
  result += (u32)syscall6(__NR_getppid, 1, 2, 3, 4, 5, 6);
  leave((int)(result & 0x7f));
}

static void each_call(void)
{
  int pid = start_tracee(calls, PTRACE_O_TRACESYSGOOD);
  go_on(PTRACE_SYSCALL, pid, 0);
  expect_stop("entry", next_stop(pid), SYSCALL_STOP);
  struct pt_regs r = registers(pid);
  if (r.orig_eax == __NR_kill || (u32)r.orig_eax == ~0u) { /* the end of the kill that stopped it */
    go_on(PTRACE_SYSCALL, pid, 0);
    expect_stop("entry", next_stop(pid), SYSCALL_STOP);
    r = registers(pid);
  }
  expect("number", (u32)r.orig_eax, __NR_dup2);
  expect("eax at the entry", (u32)r.eax, (u32)-38);
  expect("first argument", (u32)r.ebx, 1000);
  expect("second argument", (u32)r.ecx, 1001);
  go_on(PTRACE_SYSCALL, pid, 0);
  expect_stop("exit", next_stop(pid), SYSCALL_STOP);
  expect("result", (u32)registers(pid).eax, (u32)-9);
  go_on(PTRACE_SYSCALL, pid, 0);
  expect_stop("entry by the vDSO", next_stop(pid), SYSCALL_STOP);
  r = registers(pid);
  expect("number", (u32)r.orig_eax, __NR_getppid);
  expect("arguments", (u32)(r.ebx == 1 && r.ecx == 2 && r.edx == 3 && r.esi == 4 && r.edi == 5 && r.ebp == 6), 1);
  struct ptrace_syscall_info info;
  must("PTRACE_GET_SYSCALL_INFO", trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (u32)&info));
  expect("op", info.op, PTRACE_SYSCALL_INFO_ENTRY);
  expect("arch", info.arch, 0x40000003);
  expect("number", (u32)info.entry.nr, __NR_getppid);
  expect("sixth argument", (u32)info.entry.args[5], 6);
  go_on(PTRACE_SYSCALL, pid, 0);
  expect_stop("exit by the vDSO", next_stop(pid), SYSCALL_STOP);
  r = registers(pid);
  expect("result", (u32)r.eax, (u32)sys(__NR_getpid));
  r.eax = 9 + 30; /* EBADF is -9 */
  set_registers(pid, &r);
  go_on(PTRACE_CONT, pid, 0);
  expect("status of the child", (u32)next_stop(pid), 30 << 8);
}

static void one_call(void)
{
  leave(sys(__NR_getppid) & 0x7f);
}

static int to_first_entry(int request, u32 options)
{
  int pid = start_tracee(one_call, PTRACE_O_TRACESYSGOOD | options);
  go_on(request, pid, 0);
  expect_stop("entry", next_stop(pid), SYSCALL_STOP);
  if (registers(pid).orig_eax != __NR_getppid) {
    go_on(request, pid, 0);
    expect_stop("entry", next_stop(pid), SYSCALL_STOP);
  }
  expect("number", (u32)registers(pid).orig_eax, __NR_getppid);
  return pid;
}

static void changed_call(void)
{
  int pid = to_first_entry(PTRACE_SYSCALL, 0);
  struct pt_regs r = registers(pid);
  r.orig_eax = __NR_getpid;
  set_registers(pid, &r);
  go_on(PTRACE_SYSCALL, pid, 0);
  expect_stop("exit", next_stop(pid), SYSCALL_STOP);
  expect("result", (u32)registers(pid).eax, (u32)pid);
  end_tracee(pid);
}

static void suppressed_call(void)
{
  int pid = to_first_entry(PTRACE_SYSCALL, 0);
  struct pt_regs r = registers(pid);
  r.orig_eax = -1;
  set_registers(pid, &r);
  go_on(PTRACE_SYSCALL, pid, 0);
  expect_stop("exit", next_stop(pid), SYSCALL_STOP);
  expect("result", (u32)registers(pid).eax, (u32)-38);
  end_tracee(pid);
}

static void emulated_call(void)
{
  enum { SYSEMU = 31 };
  int pid = to_first_entry(SYSEMU, 0);
  struct pt_regs r = registers(pid);
  r.eax = 0x55;
  set_registers(pid, &r);
  go_on(PTRACE_CONT, pid, 0);
  expect("status of the child", (u32)next_stop(pid), 0x55 << 8);
}

/* ---- signals and events ---- */

static volatile u32 handled;

static void note(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)info;
  (void)context;
  handled = (u32)signal;
}

static void signal_itself(void)
{
  handle(SIGUSR1, note, 0, 0);
  handle(SIGUSR2, note, 0, 0);
  sys(__NR_kill, sys(__NR_getpid), SIGUSR1);
  leave((int)handled);
}

static void signals_pass(int injected, u32 status)
{
  int pid = start_tracee(signal_itself, 0);
  go_on(PTRACE_CONT, pid, 0);
  expect_stop("signal", next_stop(pid), SIGUSR1);
  siginfo_t info = stop_information(pid);
  expect("si_signo", (u32)info.si_signo, SIGUSR1);
  expect("si_pid", (u32)info.si_pid, (u32)pid);
  go_on(PTRACE_CONT, pid, injected);
  expect("status of the child", (u32)next_stop(pid), status << 8);
}

static void each_signal(void)
{
  signals_pass(SIGUSR1, SIGUSR1);
  signals_pass(SIGUSR2, SIGUSR2);
  signals_pass(0, 0);
}

static void fork_and_exec(void)
{
  static const char *const arguments[] = {"checks", "-", "--helper", "3", NULL}, *const none[] = {NULL};
  int pid = sys(__NR_fork);
  if (pid == 0)
    sys(__NR_execve, "/proc/self/exe", arguments, none);
  leave(wait_for(pid));
}

static void events(void)
{
  int status, pid = start_tracee(fork_and_exec, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
  u32 message = 0;
  go_on(PTRACE_CONT, pid, 0);
  expect("event of the fork", (u32)next_stop(pid), (SIGTRAP | PTRACE_EVENT_FORK << EVENT) << 8 | 0x7f);
  must("PTRACE_GETEVENTMSG", trace(PTRACE_GETEVENTMSG, pid, 0, (u32)&message));
  int child = (int)message;
  expect_stop("the child's first stop", next_stop(child), SIGSTOP);
  go_on(PTRACE_CONT, child, 0);
  expect("event of its exec", (u32)next_stop(child), (SIGTRAP | PTRACE_EVENT_EXEC << EVENT) << 8 | 0x7f);
  go_on(PTRACE_CONT, child, 0);
  expect("event of its exit", (u32)next_stop(child), (SIGTRAP | PTRACE_EVENT_EXIT << EVENT) << 8 | 0x7f);
  must("PTRACE_GETEVENTMSG", trace(PTRACE_GETEVENTMSG, child, 0, (u32)&message));
  expect("its status", message, 3 << 8);
  go_on(PTRACE_CONT, child, 0);
  expect("its end", (u32)next_stop(child), 3 << 8);
  go_on(PTRACE_CONT, pid, 0);
  do {
    status = next_stop(pid);
    if (status >> 8 == SIGCHLD)
      go_on(PTRACE_CONT, pid, SIGCHLD);
  } while (status >> 8 == SIGCHLD);
  expect("event of the parent's exit", (u32)status, (SIGTRAP | PTRACE_EVENT_EXIT << EVENT) << 8 | 0x7f);
  go_on(PTRACE_CONT, pid, 0);
  expect("the parent's end", (u32)next_stop(pid), 3 << 8);
}

static void seize(void)
{
  int pid = fork_process();
  if (pid == 0)
    pause_forever();
  must("PTRACE_SEIZE", trace(PTRACE_SEIZE, pid, 0, 0));
  must("PTRACE_INTERRUPT", trace(PTRACE_INTERRUPT, pid, 0, 0));
  expect("stop", (u32)next_stop(pid), (SIGTRAP | PTRACE_EVENT_STOP << EVENT) << 8 | 0x7f);
  expect("PTRACE_ATTACH by one that has it", (u32)trace(PTRACE_ATTACH, pid, 0, 0), (u32)-1);
  must("PTRACE_DETACH", trace(PTRACE_DETACH, pid, 0, 0));
  expect("PTRACE_GETREGS after it", (u32)trace(PTRACE_GETREGS, pid, 0, (u32)&variable), (u32)-3);
  must("PTRACE_ATTACH", trace(PTRACE_ATTACH, pid, 0, 0));
  expect_stop("stop", next_stop(pid), SIGSTOP);
  end_tracee(pid);
}

static void hold_xmm(void)
{
  u32 value[4] __attribute__((aligned(16))) = {1, 2, 3, 4};
  __asm__ volatile("movaps %0, %%xmm2\n int3\n movaps %%xmm2, %0" : "+m"(value) : : "xmm2", "memory");
  leave((int)(value[0] + value[1] + value[2] + value[3]));
}

static void float_registers(void)
{
  static u32 image[128] __attribute__((aligned(64)));
  int pid = start_tracee(hold_xmm, 0);
  go_on(PTRACE_CONT, pid, 0);
  expect_stop("breakpoint", next_stop(pid), SIGTRAP);
  must("PTRACE_GETFPXREGS", trace(PTRACE_GETFPXREGS, pid, 0, (u32)image));
  for (u32 i = 0; i < 4; i++)
    expect("word of xmm2", image[(160 + 32) / 4 + i], i + 1);
  for (u32 i = 0; i < 4; i++)
    image[(160 + 32) / 4 + i] = 10 + i;
  must("PTRACE_SETFPXREGS", trace(PTRACE_SETFPXREGS, pid, 0, (u32)image));
  go_on(PTRACE_CONT, pid, 0);
  expect("status of the child", (u32)next_stop(pid), 46 << 8);
}

const struct check trace_checks[] = {
  {"PEEKDATA and POKEDATA reach the tracee's word, and EIO where there is none", memory_words, 0},
  {"POKEDATA into read-only text changes the tracee's copy only", text_words, 0},
  {"GETREGS and SETREGS at a breakpoint: all registers and flags", all_registers, 0},
  {"PEEKUSR and POKEUSR of a register", one_by_one, 0},
  {"PTRACE_SYSCALL stops at entry and exit by either entry, with arguments and result", each_call, 0},
  {"a system call's number that is changed: the other call is made", changed_call, 0},
  {"a system call's number -1: none is made, ENOSYS", suppressed_call, 0},
  {"PTRACE_SYSEMU: no call is made, the result is the tracer's", emulated_call, 0},
  {"a signal is passed on, replaced, suppressed", each_signal, 0},
  {"events of fork, exec and exit with their messages", events, 0},
  {"SEIZE, INTERRUPT, DETACH, ATTACH", seize, 0},
  {"GETFPXREGS and SETFPXREGS: xmm2 is read and changed", float_registers, 0},
  {NULL, NULL, 0},
};
