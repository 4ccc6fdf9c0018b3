/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls and constants that the kernel tree's nolibc does not have.
 * Like nolibc's own, they return -1 and set errno on failure.
 */
#ifndef PLEX86_SYS_H
#define PLEX86_SYS_H

#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/reboot.h>
#include <linux/signalfd.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>

#define SYSTEM_CALL(call) \
  ({                      \
    long r_ = (call);     \
    if (r_ < 0) {         \
      SET_ERRNO(-r_);     \
      r_ = -1;            \
    }                     \
    (int)r_;              \
  })

/* <linux/if.h> and <linux/socket.h> lean on a libc: these are their parts needed here. */
#define AF_INET 2
#define SOCK_DGRAM 2
#define IFF_UP 1

struct interface_flags { /* struct ifreq */
  char name[16];
  short flags;
  char unused[14];
};

/* One bit a signal, bit 0 is signal 1 (the kernel's sigset_t, 64 bits). */
typedef unsigned long long signal_set;
#define SIGNAL_BIT(n) (1ULL << ((n)-1))

static inline int set_blocked_signals(signal_set set)
{
  return SYSTEM_CALL(my_syscall4(__NR_rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof set));
}

static inline int open_signalfd(signal_set set)
{
  return SYSTEM_CALL(my_syscall4(__NR_signalfd4, -1, &set, sizeof set, SFD_NONBLOCK | SFD_CLOEXEC));
}

static inline int make_pipe(int ends[2], int flags)
{
  return SYSTEM_CALL(my_syscall2(__NR_pipe2, ends, flags));
}

static inline int set_fcntl(int fd, int command, long value)
{
  return SYSTEM_CALL(my_syscall3(__NR_fcntl64, fd, command, value));
}

static inline int open_socket(int family, int type)
{
  return SYSTEM_CALL(my_syscall3(__NR_socket, family, type, 0));
}

static inline void sync_disks(void)
{
  my_syscall0(__NR_sync);
}

static inline long long now_ms(void)
{
  struct { /* __kernel_timespec; the upper half of the nanoseconds is 0 */
    long long seconds;
    unsigned nanoseconds, upper;
  } t = {0, 0, 0};

  my_syscall2(__NR_clock_gettime64, 1 /* CLOCK_MONOTONIC */, &t);
  return t.seconds * 1000 + t.nanoseconds / 1000000;
}

#endif
