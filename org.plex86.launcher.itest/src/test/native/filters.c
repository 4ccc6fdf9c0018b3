/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp in the guest: its filters see what the guest's programs call, whatever confines the guest itself. */
#include "check.h"
#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <linux/wait.h>

enum { ARCH_I386 = 0x40000003, NR = 0, ARCH = 4, ARGUMENT = 16 }; /* offsets in struct seccomp_data */

#define LOAD(offset)                       \
  {                                        \
    BPF_LD | BPF_W | BPF_ABS, 0, 0, offset \
  }
#define UNLESS(value, skip)                   \
  {                                           \
    BPF_JMP | BPF_JEQ | BPF_K, 0, skip, value \
  }
#define RETURN(value)            \
  {                              \
    BPF_RET | BPF_K, 0, 0, value \
  }

static int install(struct sock_filter *filter, u32 length, u32 flags)
{
  struct sock_fprog program = {(unsigned short)length, filter};
  must("PR_SET_NO_NEW_PRIVS", sys(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  return must("seccomp", sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

/* getppid is answered by `action`, all else is allowed. */
static int filter_getppid(u32 action, u32 flags)
{
  struct sock_filter filter[] = {LOAD(NR), UNLESS(__NR_getppid, 1), RETURN(action), RETURN(SECCOMP_RET_ALLOW)};
  return install(filter, COUNT_OF(filter), flags);
}

static volatile siginfo_t last;
static volatile u32 traps, trap_eip, trap_eax;

static void on_trap(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  memcpy((void *)&last, info, sizeof last);
  traps++;
  trap_eip = context->uc_mcontext.eip;
  trap_eax = context->uc_mcontext.eax;
  context->uc_mcontext.eax = 4711;
}

static void errors(void)
{
  filter_getppid(SECCOMP_RET_ERRNO | 77, 0);
  expect("getppid by the vDSO's entry", (u32)sys(__NR_getppid), (u32)-77);
  expect("getppid by int 0x80", (u32)syscall_int80(__NR_getppid, 0, 0, 0, 0, 0, 0), (u32)-77);
  expect("another call", sys(__NR_getpid) > 0, 1);
  int pid = fork_process();
  if (pid == 0)
    leave(sys(__NR_getppid) == -77);
  expect("in a child", (u32)wait_for(pid), 1);
}

static void traps_it(void)
{
  filter_getppid(SECCOMP_RET_TRAP | 55, 0);
  handle(SIGSYS, on_trap, 0, 0);
  expect("what the handler returned", (u32)sys(__NR_getppid), 4711);
  expect("what the handler returned, by int 0x80", (u32)syscall_int80(__NR_getppid, 0, 0, 0, 0, 0, 0), 4711);
  expect("signals", traps, 2);
  expect("si_code", (u32)last.si_code, 1 /* SYS_SECCOMP */);
  expect("si_errno", (u32)last.si_errno, 55);
  expect("si_syscall", (u32)last.si_syscall, __NR_getppid);
  expect("si_arch", (u32)last.si_arch, ARCH_I386);
  expect("si_call_addr", (u32)last.si_call_addr, trap_eip);
  expect("the instruction before it is int 0x80", *(u16 *)(trap_eip - 2), 0x80cd);
  expect("eax in the frame", trap_eax, __NR_getppid);
}

static void kills(void)
{
  int pid = fork_process();
  if (pid == 0) {
    filter_getppid(SECCOMP_RET_KILL_PROCESS, 0);
    sys(__NR_getppid);
    leave(1);
  }
  expect("status", (u32)wait_for(pid), 128 + SIGSYS);
}

static void strict(void)
{
  int pid = fork_process();
  if (pid == 0) {
    must("seccomp", sys(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    sys(__NR_getpid);
    leave(1);
  }
  expect("status after getpid", (u32)wait_for(pid), 128 + SIGKILL);
  pid = fork_process();
  if (pid == 0) {
    must("seccomp", sys(__NR_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    sys(__NR_exit, 5); /* the only way out that is allowed */
  }
  expect("status after exit", (u32)wait_for(pid), 5);
}

static void arguments(void)
{
  struct sock_filter filter[] = {
    LOAD(ARCH),
    UNLESS(ARCH_I386, 7),
    LOAD(NR),
    UNLESS(__NR_dup2, 5),
    LOAD(ARGUMENT),
    UNLESS(0x12345678, 3),
    LOAD(ARGUMENT + 8),
    UNLESS(0xfedcba98, 1),
    RETURN(SECCOMP_RET_ERRNO | 66),
    RETURN(SECCOMP_RET_ALLOW),
  };
  install(filter, COUNT_OF(filter), 0);
  expect("dup2 with both", (u32)sys(__NR_dup2, 0x12345678, 0xfedcba98), (u32)-66);
  expect("dup2 with one", (u32)sys(__NR_dup2, 0x12345678, 0xfedcba97), (u32)-9);
}

static void two_filters(void)
{
  filter_getppid(SECCOMP_RET_ERRNO | 1, 0);
  filter_getppid(SECCOMP_RET_ERRNO | 2, 0); /* the last of equal rank counts */
  expect("getppid", (u32)sys(__NR_getppid), (u32)-2);
  filter_getppid(SECCOMP_RET_ALLOW, 0);
  expect("getppid after one that allows", (u32)sys(__NR_getppid), (u32)-2);
}

static void bad_filters(void)
{
  struct sock_filter endless[] = {LOAD(NR)}, odd[] = {LOAD(2), RETURN(0)};
  struct sock_fprog program = {1, endless};
  must("PR_SET_NO_NEW_PRIVS", sys(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  expect("without a return", (u32)sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), (u32)-22);
  program.filter = odd, program.len = 2;
  expect("with a load off a word", (u32)sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), (u32)-22);
  expect("getppid", sys(__NR_getppid) >= 0, 1);
}

static void traced(void)
{
  int status, pid = fork_process();
  u32 message = 0;
  if (pid == 0) {
    must("PTRACE_TRACEME", sys(__NR_ptrace, PTRACE_TRACEME, 0, 0, 0));
    sys(__NR_kill, sys(__NR_getpid), SIGSTOP);
    filter_getppid(SECCOMP_RET_TRACE | 99, 0);
    leave(sys(__NR_getppid) == -38 ? 3 : 4);
  }
  sys(__NR_wait4, pid, &status, 0, 0);
  must("PTRACE_SETOPTIONS", sys(__NR_ptrace, PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL));
  must("PTRACE_CONT", sys(__NR_ptrace, PTRACE_CONT, pid, 0, 0));
  sys(__NR_wait4, pid, &status, 0, 0);
  expect("event", (u32)status >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
  must("PTRACE_GETEVENTMSG", sys(__NR_ptrace, PTRACE_GETEVENTMSG, pid, 0, &message));
  expect("its message", message, 99);
  must("POKEUSR of orig_eax", sys(__NR_ptrace, PTRACE_POKEUSR, pid, 11 * 4, -1));
  must("PTRACE_CONT", sys(__NR_ptrace, PTRACE_CONT, pid, 0, 0));
  sys(__NR_wait4, pid, &status, 0, 0);
  expect("status", (u32)status, 3 << 8);
}

static void notified(void)
{
  int fd = filter_getppid(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  int pid = fork_process();
  if (pid == 0)
    leave(sys(__NR_getppid) == 0x1234 ? 6 : 7);
  struct seccomp_notif request;
  struct seccomp_notif_resp response;
  memset(&request, 0, sizeof request);
  memset(&response, 0, sizeof response);
  must("SECCOMP_IOCTL_NOTIF_RECV", sys(__NR_ioctl, fd, SECCOMP_IOCTL_NOTIF_RECV, &request));
  expect("who", request.pid, (u32)pid);
  expect("what", (u32)request.data.nr, __NR_getppid);
  response.id = request.id;
  response.val = 0x1234;
  must("SECCOMP_IOCTL_NOTIF_SEND", sys(__NR_ioctl, fd, SECCOMP_IOCTL_NOTIF_SEND, &response));
  expect("status", (u32)wait_for(pid), 6);
}

const struct check filter_checks[] = {
  {"SECCOMP_RET_ERRNO by either entry, in a child as well", errors, 0},
  {"SECCOMP_RET_TRAP: SIGSYS with call, address and arch; the handler's result counts", traps_it, 0},
  {"SECCOMP_RET_KILL_PROCESS: ended by SIGSYS", kills, 0},
  {"strict mode: getpid is SIGKILL, exit is allowed", strict, 0},
  {"a filter sees the arch and all bits of two arguments", arguments, 0},
  {"of two filters the last of the strictest counts", two_filters, 0},
  {"filters that are wrong are refused", bad_filters, 0},
  {"SECCOMP_RET_TRACE: the tracer's event and its decision", traced, 0},
  {"SECCOMP_RET_USER_NOTIF: another process answers the call", notified, 0},
  {NULL, NULL, 0},
};
