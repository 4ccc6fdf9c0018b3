/* SPDX-License-Identifier: Apache-2.0 */
/* System calls of the host, x86-64 Linux, without a C library. */
#ifndef PLEX86_SYS_H
#define PLEX86_SYS_H

#include "types.h"

enum {
  SYS_read = 0,
  SYS_write = 1,
  SYS_open = 2,
  SYS_close = 3,
  SYS_poll = 7,
  SYS_mmap = 9,
  SYS_mprotect = 10,
  SYS_munmap = 11,
  SYS_rt_sigaction = 13,
  SYS_rt_sigprocmask = 14,
  SYS_rt_sigreturn = 15,
  SYS_pwrite64 = 18,
  SYS_sched_yield = 24,
  SYS_getpid = 39,
  SYS_clone = 56,
  SYS_fork = 57,
  SYS_wait4 = 61,
  SYS_kill = 62,
  SYS_ftruncate = 77,
  SYS_setpgid = 109,
  SYS_getppid = 110,
  SYS_setsid = 112,
  SYS_sigaltstack = 131,
  SYS_sched_setscheduler = 144,
  SYS_prctl = 157,
  SYS_setrlimit = 160,
  SYS_futex = 202,
  SYS_restart_syscall = 219,
  SYS_timer_create = 222,
  SYS_timer_settime = 223,
  SYS_clock_gettime = 228,
  SYS_exit_group = 231,
  SYS_tgkill = 234,
  SYS_signalfd4 = 289,
  SYS_seccomp = 317,
  SYS_memfd_create = 319,
  SYS_close_range = 436,
};

#define EINTR 4
#define ENOMEM 12
#define EINVAL 22

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_SHARED 0x1
#define MAP_PRIVATE 0x2
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_POPULATE 0x8000

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1

#define SIGILL 4
#define SIGTRAP 5
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGPIPE 13
#define SIGALRM 14
#define SIGCHLD 17
#define SIGSYS 31
#define SIG_SETMASK 2

struct timespec {
  s64 seconds;
  s64 nanoseconds;
};

static inline s64 syscall6(s64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
  register u64 r10 asm("r10") = d;
  register u64 r8 asm("r8") = e;
  register u64 r9 asm("r9") = f;
  s64 result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

#define syscall5(n, a, b, c, d, e) syscall6(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), 0)
#define syscall4(n, a, b, c, d) syscall5(n, a, b, c, d, 0)
#define syscall3(n, a, b, c) syscall4(n, a, b, c, 0)
#define syscall2(n, a, b) syscall3(n, a, b, 0)
#define syscall1(n, a) syscall2(n, a, 0)
#define syscall0(n) syscall1(n, 0)

static inline s64 sys_mmap(u64 address, u64 length, int prot, int flags, int fd, u64 offset)
{
  return syscall6(SYS_mmap, address, length, (u64)prot, (u64)flags, (u64)fd, offset);
}

/* Waits while *word == expected; timeout NULL: for ever.  Spurious returns happen. */
static inline s64 futex_wait(volatile u32 *word, u32 expected, const struct timespec *timeout)
{
  return syscall4(SYS_futex, word, FUTEX_WAIT, expected, timeout);
}

static inline void futex_wake(volatile u32 *word)
{
  syscall3(SYS_futex, word, FUTEX_WAKE, 1);
}

static inline void futex_wake_all(volatile u32 *word)
{
  syscall3(SYS_futex, word, FUTEX_WAKE, ~0u >> 1);
}

static inline u64 read_tsc(void)
{
  u32 low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return (u64)high << 32 | low;
}

static inline void cpu_relax(void)
{
  asm volatile("pause");
}

static inline void fence(void)
{
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

__attribute__((noreturn)) static inline void sys_exit(int status)
{
  for (;;)
    syscall1(SYS_exit_group, status);
}

#endif /* PLEX86_SYS_H */
