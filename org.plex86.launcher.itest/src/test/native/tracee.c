/* SPDX-License-Identifier: Apache-2.0 */
#include "tracee.h"

int trace(int request, int pid, u32 address, u32 data)
{
  return sys(__NR_ptrace, request, pid, address, data);
}

int next_stop(int pid)
{
  int status = 0;
  must("wait4", sys(__NR_wait4, pid, &status, 0x40000000 /* __WALL */, 0));
  return status;
}

int start_tracee(void (*run)(void), u32 options)
{
  int pid = fork_process();
  if (pid == 0) {
    must("PTRACE_TRACEME", trace(PTRACE_TRACEME, 0, 0, 0));
    sys(__NR_kill, sys(__NR_getpid), SIGSTOP);
    run();
    done();
  }
  int status = next_stop(pid);
  expect_stop("first stop", status, SIGSTOP);
  must("PTRACE_SETOPTIONS", trace(PTRACE_SETOPTIONS, pid, 0, options | PTRACE_O_EXITKILL));
  return pid;
}

void go_on(int request, int pid, int signal)
{
  must("ptrace to go on", trace(request, pid, 0, (u32)signal));
}

struct pt_regs registers(int pid)
{
  struct pt_regs result;
  must("PTRACE_GETREGS", trace(PTRACE_GETREGS, pid, 0, (u32)&result));
  return result;
}

void set_registers(int pid, const struct pt_regs *registers)
{
  must("PTRACE_SETREGS", trace(PTRACE_SETREGS, pid, 0, (u32)registers));
}

u32 peek(int pid, const void *address)
{
  u32 value = 0;
  int result = trace(PTRACE_PEEKDATA, pid, (u32)address, (u32)&value);
  expect("PTRACE_PEEKDATA", (u32)result, 0);
  return value;
}

void poke(int pid, const void *address, u32 value)
{
  must("PTRACE_POKEDATA", trace(PTRACE_POKEDATA, pid, (u32)address, value));
}

void expect_stop(const char *what, int status, int signal)
{
  expect(what, (u32)status, (u32)signal << 8 | 0x7f);
  if ((status & 0xff) != 0x7f) /* there is none to go on with */
    done();
}

siginfo_t stop_information(int pid)
{
  siginfo_t info;
  must("PTRACE_GETSIGINFO", trace(PTRACE_GETSIGINFO, pid, 0, (u32)&info));
  return info;
}

void end_tracee(int pid)
{
  int status;
  sys(__NR_kill, pid, SIGKILL);
  sys(__NR_wait4, pid, &status, 0, 0);
}
