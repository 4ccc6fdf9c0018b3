/* SPDX-License-Identifier: Apache-2.0 */
#include "rt.h"

static u32 sysinfo; /* the kernel's system-call entry in the vDSO */
static u32 sysinfo_ehdr;

/* The stack of the process at its start: argc, argv, 0, envp, 0, auxv. */
__asm__(".globl _start\n"
        "_start:\n"
        "  xorl %ebp, %ebp\n"
        "  movl %esp, %eax\n"
        "  andl $-16, %esp\n"
        "  subl $12, %esp\n"
        "  pushl %eax\n"
        "  call start_c\n"
        "  hlt\n"

        /* int f(entry, number, a..f) */
        ".type call_kernel, @function\n"
        "call_kernel:\n"
        "  pushl %ebx\n"
        "  pushl %esi\n"
        "  pushl %edi\n"
        "  pushl %ebp\n"
        "  movl 24(%esp), %eax\n"
        "  movl 28(%esp), %ebx\n"
        "  movl 32(%esp), %ecx\n"
        "  movl 36(%esp), %edx\n"
        "  movl 40(%esp), %esi\n"
        "  movl 44(%esp), %edi\n"
        "  movl 48(%esp), %ebp\n"
        "  call *20(%esp)\n"
        "  popl %ebp\n"
        "  popl %edi\n"
        "  popl %esi\n"
        "  popl %ebx\n"
        "  ret\n"
        "int80_entry:\n"
        "  int $0x80\n"
        "  ret\n"
        "signal_return:\n" /* rt frames: eax = rt_sigreturn */
        "  movl $173, %eax\n"
        "  int $0x80\n");
extern int call_kernel(u32 entry, int number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);
extern char int80_entry[], signal_return[];

int syscall6(int number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f)
{
  return call_kernel(sysinfo, number, a, b, c, d, e, f);
}

int syscall_int80(int number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f)
{
  return call_kernel((u32)int80_entry, number, a, b, c, d, e, f);
}

int have_vsyscall(void)
{
  return sysinfo != (u32)int80_entry;
}

u32 vdso_base(void)
{
  return sysinfo_ehdr;
}

__attribute__((used, noreturn)) void start_c(u32 *stack);
void start_c(u32 *stack)
{
  enum { AT_SYSINFO = 32, AT_SYSINFO_EHDR = 33 };
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1);
  char **envp = argv + argc + 1;
  u32 *aux = (u32 *)envp;
  sysinfo = (u32)int80_entry;
  while (*aux++) {
  }
  for (; aux[0]; aux += 2) {
    if (aux[0] == AT_SYSINFO)
      sysinfo = aux[1];
    if (aux[0] == AT_SYSINFO_EHDR)
      sysinfo_ehdr = aux[1];
  }
  leave(main(argc, argv, envp));
}

/* ---- memory and text ---- */

void *memcpy(void *to, const void *from, u32 n)
{
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return start;
}

void *memset(void *to, int value, u32 n)
{
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return start;
}

int memcmp(const void *a, const void *b, u32 n)
{
  const u8 *x = a, *y = b;
  for (; n; n--, x++, y++)
    if (*x != *y)
      return *x - *y;
  return 0;
}

u32 length(const char *s)
{
  u32 n = 0;
  while (s[n])
    n++;
  return n;
}

int same(const char *a, const char *b)
{
  while (*a && *a == *b)
    a++, b++;
  return *a == *b;
}

u64 parse(const char *s)
{
  u64 value = 0;
  for (; *s >= '0' && *s <= '9'; s++)
    value = value * 10 + (u32)(*s - '0');
  return value;
}

static char line[512];
static u32 line_length;

static void write_line(void)
{
  u32 done = 0;
  while (done < line_length) {
    int n = sys(SYS_write, 1, line + done, line_length - done);
    if (n == -EINTR)
      continue;
    if (n <= 0)
      leave(125);
    done += (u32)n;
  }
  line_length = 0;
}

void text(const char *s)
{
  for (; *s; s++) {
    line[line_length++] = *s;
    if (*s == '\n' || line_length == sizeof line)
      write_line();
  }
}

void number(u64 value)
{
  char digits[21];
  u32 i = sizeof digits - 1;
  digits[i] = 0;
  do {
    u64 rest = divide(value, 10);
    digits[--i] = (char)('0' + (u32)(value - rest * 10));
    value = rest;
  } while (value);
  text(digits + i);
}

void hex(u32 value)
{
  char digits[9];
  for (int i = 0; i < 8; i++)
    digits[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
  digits[8] = 0;
  text(digits);
}

u64 divide(u64 a, u32 b)
{
  u32 high = (u32)(a >> 32), low, rest;
  u32 quotient_high = high / b;
  rest = high % b;
  __asm__("divl %4" : "=a"(low), "=d"(rest) : "a"((u32)a), "d"(rest), "r"(b));
  return (u64)quotient_high << 32 | low;
}

/* ---- time ---- */

static u64 clock_ns(int clock)
{
  struct timespec64 t = {0, 0, 0};
  sys(SYS_clock_gettime64, clock, &t);
  return (u64)t.sec * 1000000000u + (u32)t.nsec;
}

u64 monotonic(void)
{
  return clock_ns(CLOCK_MONOTONIC);
}

u64 realtime(void)
{
  return clock_ns(CLOCK_REALTIME);
}

void sleep_until(u64 ns)
{
  struct timespec64 t;
  u64 sec = divide(ns, 1000000000u);
  t.sec = (i64)sec;
  t.nsec = (i32)(ns - sec * 1000000000u);
  t.pad = 0;
  while (sys(SYS_clock_nanosleep_time64, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0) == -EINTR) {
  }
}

/* ---- processes ---- */

void leave(int status)
{
  if (line_length)
    write_line();
  for (;;)
    sys(SYS_exit_group, status);
}

int fork_process(void)
{
  int pid = sys(SYS_fork);
  if (pid < 0)
    die("fork", pid);
  if (pid == 0) {
    line_length = 0;
    sys(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  }
  return pid;
}

int wait_for(int pid)
{
  int status = 0, result;
  do
    result = sys(SYS_wait4, pid, &status, 0, 0);
  while (result == -EINTR);
  if (result < 0)
    die("wait4", result);
  return (status & 0x7f) ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}

void on_signal(int signal, void (*handler)(int, void *, void *))
{
  enum { SA_SIGINFO = 4, SA_RESTORER = 0x04000000 };
  struct {
    u32 handler, flags, restorer, mask[2];
  } action = {(u32)handler, SA_SIGINFO | SA_RESTORER, (u32)signal_return, {0, 0}};
  int result = sys(SYS_rt_sigaction, signal, &action, 0, 8);
  if (result < 0)
    die("rt_sigaction", result);
}

void *map_anonymous(u32 bytes)
{
  int at = sys(SYS_mmap2, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at < 0 && at > -PAGE)
    die("mmap", at);
  return (void *)at;
}

void die(const char *what, int error)
{
  text("error ");
  text(what);
  text(" ");
  number((u32)-error);
  text("\n");
  leave(125);
}
