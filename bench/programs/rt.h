/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime of the bench and soak programs: i386, static, no libc, so that
 * one binary runs on the host, under plex86 and under QEMU, and gcc alone (no
 * 32-bit C library) builds it.
 */
#ifndef PLEX86_BENCH_RT_H
#define PLEX86_BENCH_RT_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

#define NULL ((void *)0)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- system calls, numbers of i386 (arch/x86/entry/syscalls/syscall_32.tbl) ---- */
enum {
  SYS_exit = 1,
  SYS_fork = 2,
  SYS_read = 3,
  SYS_write = 4,
  SYS_open = 5,
  SYS_close = 6,
  SYS_unlink = 10,
  SYS_execve = 11,
  SYS_getpid = 20,
  SYS_kill = 37,
  SYS_pipe = 42,
  SYS_times = 43,
  SYS_dup2 = 63,
  SYS_getppid = 64,
  SYS_munmap = 91,
  SYS_ftruncate = 93,
  SYS_wait4 = 114,
  SYS_mprotect = 125,
  SYS_sched_yield = 158,
  SYS_mremap = 163,
  SYS_prctl = 172,
  SYS_rt_sigreturn = 173,
  SYS_rt_sigaction = 174,
  SYS_vfork = 190,
  SYS_mmap2 = 192,
  SYS_madvise = 219,
  SYS_futex = 240,
  SYS_exit_group = 252,
  SYS_timerfd_create = 322,
  SYS_clock_gettime64 = 403,
  SYS_clock_nanosleep_time64 = 407,
  SYS_timerfd_settime64 = 411,
};

enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_TRUNC = 01000 };
enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20 };
enum { MREMAP_MAYMOVE = 1 };
enum { MADV_DONTNEED = 4 };
enum { SIGKILL = 9, SIGUSR1 = 10, SIGSEGV = 11, SIGTERM = 15 };
enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, TIMER_ABSTIME = 1 };
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };
enum { EINTR = 4, ENOMEM = 12 };
enum { PR_SET_PDEATHSIG = 1 };
enum { PAGE = 4096 };

struct timespec64 {
  i64 sec;
  i32 nsec;
  i32 pad;
};

/* By the kernel's entry in the vDSO where there is one, as a C library does. */
int syscall6(int number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);
/* By the instruction int $0x80. */
int syscall_int80(int number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);
int have_vsyscall(void);
/* Where AT_SYSINFO_EHDR of the vDSO is, or 0. */
u32 vdso_base(void);

#define SYS_ARGS_(n, a, b, c, d, e, f, ...) syscall6(n, (u32)(a), (u32)(b), (u32)(c), (u32)(d), (u32)(e), (u32)(f))
#define sys(...) SYS_ARGS_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* ---- memory and text ---- */
void *memcpy(void *to, const void *from, u32 n);
void *memset(void *to, int value, u32 n);
int memcmp(const void *a, const void *b, u32 n);
u32 length(const char *s);
int same(const char *a, const char *b);
u64 parse(const char *s);

/* Output is collected in a line and written by one write(2) at its '\n', so
 * that the lines of several processes do not mix. */
void text(const char *s);
void number(u64 value);
void hex(u32 value);

/* q = a / b where the quotient fits in 64 bits (no libgcc on the host). */
u64 divide(u64 a, u32 b);

/* ---- time ---- */
u64 monotonic(void); /* ns */
u64 realtime(void); /* ns since 1970 */
void sleep_until(u64 monotonic_ns);

/* ---- processes ---- */
__attribute__((noreturn)) void leave(int status);
int fork_process(void); /* the child's output line starts empty; it dies with its parent */
int wait_for(int pid); /* exit status, or 128 + signal */
void on_signal(int signal, void (*handler)(int signal, void *info, void *context));
void *map_anonymous(u32 bytes);
__attribute__((noreturn)) void die(const char *what, int error);

/* xorshift32: data that can be made again from its seed. */
static inline u32 next_random(u32 *state)
{
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

int main(int argc, char **argv, char **envp);

#endif /* PLEX86_BENCH_RT_H */
