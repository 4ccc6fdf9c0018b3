/* SPDX-License-Identifier: Apache-2.0 */
/* Single steps, breakpoints and the debug registers, by ptrace. */
#include "tracee.h"

/* Offset of debug register n in struct user, for PTRACE_POKEUSR. */
#define DEBUG_REGISTER(n) (252 + (n)*4)

enum { NOT_SUPPORTED = -95 }; /* -EOPNOTSUPP */

extern char step_begin[], step_end[];
static volatile u32 watched;

static void steps(void)
{
  __asm__ volatile(".globl step_begin, step_end\n"
                   "int3\n"
                   "step_begin: nop\n"
                   "movl $3, %%ecx\n"
                   "1: decl %%ecx\n"
                   "jnz 1b\n"
                   "pushfl\n popl %%eax\n" /* which the processor stores as it is */
                   "andl $0x100, %%eax\n"
                   "movl %%eax, %%esi\n"
                   "movl $20, %%eax\n"
                   "int $0x80\n"
                   "nop\n"
                   "movl $4, %%ecx\n"
                   "leal watched, %%edi\n"
                   "xorl %%eax, %%eax\n"
                   "cld\n"
                   "step_end: nop\n"
                   :
                   :
                   : "eax", "ecx", "esi", "edi", "memory", "cc");
}

static void single_steps(void)
{
  int pid = start_tracee(steps, 0);
  go_on(PTRACE_CONT, pid, 0);
  expect_stop("breakpoint", next_stop(pid), SIGTRAP);
  struct pt_regs r = registers(pid);
  expect("eip at the breakpoint", (u32)r.eip, (u32)step_begin);
  u32 count = 0, flags = 1;
  while ((u32)r.eip != (u32)step_end && count < 100) {
    go_on(PTRACE_SINGLESTEP, pid, 0);
    expect_stop("step", next_stop(pid), SIGTRAP);
    siginfo_t info = stop_information(pid);
    u32 before = (u32)r.eip;
    r = registers(pid);
    count++;
    if (((u8 *)before)[0] == 0xcd) { /* behind a system call: the kernel's own report */
      expect("eip behind the system call", (u32)r.eip, before + 2);
      expect("its result", (u32)r.eax, (u32)pid);
    } else
      expect("si_code", (u32)info.si_code, TRAP_TRACE);
    flags = (u32)r.esi;
  }
  expect("instructions", count, 1 + 1 + 6 + 2 + 2 + 1 + 1 + 1 + 4);
  expect("TF as pushf showed it", flags & 0x100, 0x100);
  end_tracee(pid);
}

static void two_calls(void)
{
  sys(__NR_getpid);
  leave(sys(__NR_getppid) ? 5 : 6);
}

/* Steps through all of it, with two calls by the vDSO's entry. */
static void steps_to_the_end(void)
{
  int status, pid = start_tracee(two_calls, 0);
  u32 count = 0;
  for (;;) {
    go_on(PTRACE_SINGLESTEP, pid, 0);
    status = next_stop(pid);
    if (status != (SIGTRAP << 8 | 0x7f))
      break;
    count++;
  }
  expect("status of the child", (u32)status, 5 << 8);
  expect_range("steps", count, 50, 3000);
}

__attribute__((noinline)) static void target(void)
{
  watched++;
}

static void call_target(void)
{
  void (*volatile call)(void) = target;
  for (u32 i = 0; i < 5; i++)
    call();
  leave((int)watched);
}

/* As a debugger does it: int3 over the first byte, back and a single step, int3 again. */
static void software_breakpoint(void)
{
  int status, pid = start_tracee(call_target, 0);
  u32 original = peek(pid, (void *)target), hits = 0;
  poke(pid, (void *)target, (original & ~0xffu) | 0xcc);
  for (;;) {
    go_on(PTRACE_CONT, pid, 0);
    status = next_stop(pid);
    if (status != (SIGTRAP << 8 | 0x7f))
      break;
    struct pt_regs r = registers(pid);
    expect("eip", (u32)r.eip, (u32)target + 1);
    hits++;
    r.eip = (long)target;
    set_registers(pid, &r);
    poke(pid, (void *)target, original);
    go_on(PTRACE_SINGLESTEP, pid, 0);
    expect_stop("step", next_stop(pid), SIGTRAP);
    poke(pid, (void *)target, (original & ~0xffu) | 0xcc);
  }
  expect("hits", hits, 5);
  expect("status of the child", (u32)status, 5 << 8);
  expect("the first byte here", *(u8 *)target, original & 0xff);
}

static u32 debug_register(int pid, u32 n)
{
  u32 value = 0;
  must("PEEKUSR of a debug register", trace(PTRACE_PEEKUSR, pid, DEBUG_REGISTER(n), (u32)&value));
  return value;
}

static void set_debug_register(int pid, u32 n, u32 value)
{
  int result = trace(PTRACE_POKEUSR, pid, DEBUG_REGISTER(n), value);
  if (n < 4 && result == NOT_SUPPORTED)
    skip("this kernel has no debug registers");
  must("POKEUSR of a debug register", result);
}

static void hardware_breakpoint(void)
{
  int status, pid = start_tracee(call_target, 0);
  u32 hits = 0;
  set_debug_register(pid, 0, (u32)target);
  set_debug_register(pid, 7, 1); /* L0, execution */
  for (;;) {
    go_on(PTRACE_CONT, pid, 0);
    status = next_stop(pid);
    if (status != (SIGTRAP << 8 | 0x7f))
      break;
    hits++;
    expect("eip", (u32)registers(pid).eip, (u32)target);
    expect("si_code", (u32)stop_information(pid).si_code, TRAP_HWBKPT);
    expect("DR6", debug_register(pid, 6) & 0xf, 1);
  }
  expect("hits", hits, 5);
  expect("status of the child", (u32)status, 5 << 8);
}

static void hardware_watchpoint(void)
{
  int status, pid = start_tracee(call_target, 0);
  u32 hits = 0;
  set_debug_register(pid, 1, (u32)&watched);
  set_debug_register(pid, 7, 4 | 1 << 20 | 3 << 22); /* L1, writes, 4 bytes */
  for (;;) {
    go_on(PTRACE_CONT, pid, 0);
    status = next_stop(pid);
    if (status != (SIGTRAP << 8 | 0x7f))
      break;
    hits++;
    expect("the word after the write", peek(pid, (void *)&watched), hits);
    expect("DR6", debug_register(pid, 6) & 0xf, 2);
  }
  expect("hits", hits, 5);
  expect("status of the child", (u32)status, 5 << 8);
}

static void kernel_breakpoint(void)
{
  int pid = start_tracee(call_target, 0);
  expect("POKEUSR of a kernel address", trace(PTRACE_POKEUSR, pid, DEBUG_REGISTER(0), 0xc0400000) < 0, 1);
  end_tracee(pid);
}

/* They are the host's: a debugger must hear that it cannot have them. */
static void no_debug_registers(void)
{
  int pid = start_tracee(call_target, 0);
  expect("POKEUSR of DR0", (u32)trace(PTRACE_POKEUSR, pid, DEBUG_REGISTER(0), (u32)target), (u32)NOT_SUPPORTED);
  expect("POKEUSR of DR7", trace(PTRACE_POKEUSR, pid, DEBUG_REGISTER(7), 1) < 0, 1);
  go_on(PTRACE_CONT, pid, 0);
  expect("status of the child", (u32)next_stop(pid), 5 << 8);
}

static void other_segments(void)
{
  int pid = start_tracee(call_target, 0);
  struct pt_regs r = registers(pid);
  r.xcs = 0x3b;
  expect("SETREGS with a code segment that there is not", (u32)trace(PTRACE_SETREGS, pid, 0, (u32)&r), (u32)-5);
  expect("cs", (u32)registers(pid).xcs & 3, 3);
  end_tracee(pid);
}

const struct check debug_checks[] = {
  {"PTRACE_SINGLESTEP: each instruction, a system call's as well", single_steps, 0},
  {"single steps through two system calls by the vDSO's entry, to the end", steps_to_the_end, 0},
  {"int3 breakpoints with a step over each", software_breakpoint, 0},
  {"a breakpoint in a debug register: TRAP_HWBKPT at the instruction", hardware_breakpoint, 0},
  {"a watchpoint in a debug register: a trap behind each write", hardware_watchpoint, 0},
  {"a breakpoint at a kernel address is refused", kernel_breakpoint, NEEDS_I386_KERNEL},
  {"the debug registers of a guest: EOPNOTSUPP, and the tracee runs on", no_debug_registers, NEEDS_GUEST},
  {"SETREGS with a code segment that there is not: EIO", other_segments, NEEDS_GUEST},
  {NULL, NULL, 0},
};
