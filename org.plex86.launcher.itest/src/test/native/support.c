/* SPDX-License-Identifier: Apache-2.0 */
/* What several groups of checks need. */
#include "check.h"
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/sched.h>

/* ---- signals and faults ---- */

__asm__(".globl save_place, go_back, signal_restorer\n"
        "save_place:\n"
        "  movl 4(%esp), %eax\n"
        "  movl (%esp), %ecx\n"
        "  movl %ebx, (%eax)\n"
        "  movl %esi, 4(%eax)\n"
        "  movl %edi, 8(%eax)\n"
        "  movl %ebp, 12(%eax)\n"
        "  leal 4(%esp), %edx\n"
        "  movl %edx, 16(%eax)\n"
        "  movl %ecx, 20(%eax)\n"
        "  xorl %eax, %eax\n"
        "  ret\n"
        "go_back:\n"
        "  movl 4(%esp), %edx\n"
        "  movl (%edx), %ebx\n"
        "  movl 4(%edx), %esi\n"
        "  movl 8(%edx), %edi\n"
        "  movl 12(%edx), %ebp\n"
        "  movl 16(%edx), %esp\n"
        "  movl $1, %eax\n"
        "  jmp *20(%edx)\n"
        "signal_restorer:\n"
        "  movl $173, %eax\n"
        "  int $0x80\n");
extern char signal_restorer[];

void handle(int signal, void (*handler)(int, siginfo_t *, struct ucontext *), u32 flags, u32 mask)
{
  struct {
    u32 handler, flags, restorer, mask[2];
  } action = {(u32)handler, flags | SA_SIGINFO | SA_RESTORER, (u32)signal_restorer, {mask, 0}};
  must("rt_sigaction", sys(__NR_rt_sigaction, signal, &action, 0, 8));
}

void set_default(int signal)
{
  u32 action[5] = {0, 0, 0, 0, 0};
  must("rt_sigaction", sys(__NR_rt_sigaction, signal, action, 0, 8));
}

void use_altstack(void)
{
  enum { SIZE = 64 << 10 };
  stack_t stack = {map(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS), 0, SIZE};
  must("sigaltstack", sys(__NR_sigaltstack, &stack, 0));
}

static struct place resume;
static struct fault caught;

static void catch (int signal, siginfo_t *info, struct ucontext *context)
{
  struct sigcontext *machine = &context->uc_mcontext;
  caught.count++;
  caught.signal = (u32)signal;
  caught.code = (u32)info->si_code;
  caught.address = (u32)info->si_addr;
  caught.trapno = machine->trapno;
  caught.error = machine->err;
  caught.eip = machine->eip;
  caught.esp = machine->esp;
  go_back(&resume);
}

void catch_faults(void)
{
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
  use_altstack();
  for (u32 i = 0; i < COUNT_OF(signals); i++)
    handle(signals[i], catch, SA_NODEFER | SA_ONSTACK, 0);
}

struct fault fault_of(void (*action)(void *), void *argument)
{
  memset(&caught, 0, sizeof caught);
  if (save_place(&resume) == 0)
    action(argument);
  return caught;
}

void expect_fault(struct fault actual, u32 signal, u32 code, u32 address, u32 trapno, u32 error)
{
  expect("number of signals", actual.count, 1);
  expect("signal", actual.signal, signal);
  expect("si_code", actual.code, code);
  expect("si_addr", actual.address, address);
  expect("trapno", actual.trapno, trapno);
  expect("error code", actual.error, error);
}

/* ---- memory, files, time ---- */

void *map(u32 address, u32 bytes, u32 protection, u32 flags)
{
  return (void *)must("mmap", sys(__NR_mmap2, address, bytes, protection, flags, -1, 0));
}

void fill(void *at, u32 n, u32 seed)
{
  u32 state = seed * 2654435761u | 1;
  for (u32 i = 0; i < n / 4; i++)
    ((u32 *)at)[i] = next_random(&state);
}

int filled(const void *at, u32 n, u32 seed)
{
  u32 state = seed * 2654435761u | 1, wrong = 0;
  for (u32 i = 0; i < n / 4; i++)
    wrong |= ((const volatile u32 *)at)[i] ^ next_random(&state);
  return wrong == 0;
}

int read_file(const char *path, char *buffer, u32 size)
{
  int fd = sys(__NR_open, path, O_RDONLY), n;
  u32 length = 0;
  if (fd < 0)
    return fd;
  while (length < size - 1 && (n = sys(__NR_read, fd, buffer + length, size - 1 - length)) > 0)
    length += (u32)n;
  buffer[length] = 0;
  sys(__NR_close, fd);
  return (int)length;
}

int write_file(const char *path, const char *text)
{
  int fd = sys(__NR_open, path, O_WRONLY);
  if (fd < 0)
    return fd;
  int n = sys(__NR_write, fd, text, length(text));
  sys(__NR_close, fd);
  return n;
}

i64 value_of(const char *text, const char *key)
{
  u32 n = length(key);
  for (; *text; text++)
    if (memcmp(text, key, n) == 0) {
      for (text += n; *text == ' ' || *text == '\t' || *text == ':'; text++) {
      }
      return (i64)parse(text);
    }
  return -1;
}

void sleep_ms(u32 ms)
{
  sleep_until(monotonic() + ms * 1000000ull);
}

i64 elapsed_us(u64 since)
{
  return (i64)divide(monotonic() - since, 1000);
}

/* ---- threads ---- */

int gettid(void)
{
  return sys(__NR_gettid);
}

/* int clone_on(flags, stack_top, run, argument, parent_tid, tls, child_tid): the child has
 * run and argument on its stack, and ends with status 0 (this thread's). */
__asm__(".globl clone_on\n"
        "clone_on:\n"
        "  pushl %ebx\n"
        "  pushl %esi\n"
        "  pushl %edi\n"
        "  movl 16(%esp), %ebx\n"
        "  movl 20(%esp), %ecx\n"
        "  andl $-16, %ecx\n"
        "  subl $32, %ecx\n"
        "  movl 24(%esp), %eax\n"
        "  movl %eax, (%ecx)\n"
        "  movl 28(%esp), %eax\n"
        "  movl %eax, 4(%ecx)\n"
        "  movl 32(%esp), %edx\n"
        "  movl 36(%esp), %esi\n"
        "  movl 40(%esp), %edi\n"
        "  movl $120, %eax\n"
        "  int $0x80\n"
        "  testl %eax, %eax\n"
        "  jz 1f\n"
        "  popl %edi\n"
        "  popl %esi\n"
        "  popl %ebx\n"
        "  ret\n"
        "1: xorl %ebp, %ebp\n"
        "  popl %eax\n"
        "  call *%eax\n"
        "  xorl %ebx, %ebx\n"
        "  movl $1, %eax\n"
        "  int $0x80\n");

void start_thread(struct thread *thread, void (*run)(void *), void *argument, u32 flags, void *tls)
{
  enum { STACK = 64 << 10 };
  thread->stack = map(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  thread->tid = ~0u;
  must("clone of a thread", clone_on(flags | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                       CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
                              (char *)thread->stack + STACK, run, argument, &thread->tid, tls, &thread->tid));
}

void join_thread(struct thread *thread)
{
  u32 tid;
  while ((tid = __atomic_load_n(&thread->tid, __ATOMIC_SEQ_CST)) != 0)
    sys(__NR_futex, &thread->tid, FUTEX_WAIT, tid, 0, 0, 0);
  sys(__NR_munmap, thread->stack, 64 << 10);
}
