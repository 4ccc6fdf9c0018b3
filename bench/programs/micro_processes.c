/* SPDX-License-Identifier: Apache-2.0 */
/* What micro measures of processes: their beginnings and ends, and the switches between them. */
#include "micro.h"

/* ---- processes ---- */

u64 fork_exit(u32 n)
{
  u64 start = monotonic();
  while (n--) {
    int pid = sys(SYS_fork);
    if (pid == 0)
      leave(0);
    if (pid < 0)
      die("fork", pid);
    wait_for(pid);
  }
  return monotonic() - start;
}

u64 fork_exec(u32 n)
{
  char *arguments[] = {self, (char *)"--nothing", NULL};
  u64 start = monotonic();
  while (n--) {
    int pid = sys(SYS_fork);
    if (pid == 0) {
      sys(SYS_execve, self, arguments, environment);
      leave(127);
    }
    if (pid < 0)
      die("fork", pid);
    if (wait_for(pid) != 0)
      die("exec of itself", -1);
  }
  return monotonic() - start;
}

/* The child runs on the parent's stack until its execve, so it must not return from here. */
static int vfork_and_exec(char **arguments)
{
  int pid;
  __asm__ volatile("int $0x80" : "=a"(pid) : "a"(SYS_vfork) : "memory");
  if (pid == 0) {
    int result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(SYS_execve), "b"(self), "c"(arguments), "d"(environment)
                     : "memory");
    for (;;)
      __asm__ volatile("int $0x80" : : "a"(SYS_exit), "b"(127) : "memory");
  }
  return pid;
}

u64 vfork_exec(u32 n)
{
  char *arguments[] = {self, (char *)"--nothing", NULL};
  u64 start = monotonic();
  while (n--) {
    int pid = vfork_and_exec(arguments);
    if (pid < 0)
      die("vfork", pid);
    if (wait_for(pid) != 0)
      die("exec of itself", -1);
  }
  return monotonic() - start;
}

/* ---- switches ---- */

/* A token goes round a ring of processes by pipes; each adds up its own array
 * before it passes the token on (as lmbench's lat_ctx does). One operation is one hop. */
static u64 ring(u32 hops, u32 processes, u32 array_bytes)
{
  int pipes[16][2], pids[16];
  u32 rounds = hops / processes + 1;
  u8 token = 0;
  volatile u32 *array = array_bytes ? map_anonymous(array_bytes) : NULL;
  for (u32 i = 0; i < processes; i++)
    sys(SYS_pipe, pipes[i]);
  for (u32 i = 1; i < processes; i++) {
    pids[i] = fork_process();
    if (pids[i])
      continue;
    for (u32 r = 0; r <= rounds; r++) {
      sys(SYS_read, pipes[i - 1][0], &token, 1);
      for (u32 k = 0; k < array_bytes / 4; k += 16)
        array[k]++;
      sys(SYS_write, pipes[i][1], &token, 1);
    }
    leave(0);
  }
  u64 start = 0;
  for (u32 r = 0; r <= rounds; r++) {
    if (r == 1)
      start = monotonic(); /* the first round warms up */
    for (u32 k = 0; k < array_bytes / 4; k += 16)
      array[k]++;
    sys(SYS_write, pipes[0][1], &token, 1);
    sys(SYS_read, pipes[processes - 1][0], &token, 1);
  }
  u64 took = monotonic() - start;
  for (u32 i = 1; i < processes; i++)
    wait_for(pids[i]);
  for (u32 i = 0; i < processes; i++)
    sys(SYS_close, pipes[i][0]), sys(SYS_close, pipes[i][1]);
  if (array_bytes)
    sys(SYS_munmap, array, array_bytes);
  return divide(took * hops, rounds * processes); /* for exactly hops of them */
}

u64 pipe_round_trip(u32 n)
{
  return ring(2 * n, 2, 0);
}
u64 switch_2_0k(u32 n)
{
  return ring(n, 2, 0);
}
u64 switch_2_64k(u32 n)
{
  return ring(n, 2, 64 << 10);
}
u64 switch_16_0k(u32 n)
{
  return ring(n, 16, 0);
}
u64 switch_16_64k(u32 n)
{
  return ring(n, 16, 64 << 10);
}

static void futex_set(volatile u32 *word, u32 value)
{
  *word = value;
  sys(SYS_futex, word, FUTEX_WAKE, 1);
}
static void futex_until(volatile u32 *word, u32 value)
{
  u32 now;
  while ((now = *word) != value)
    sys(SYS_futex, word, FUTEX_WAIT, now, 0);
}

u64 futex_round_trip(u32 n)
{
  int at = sys(SYS_mmap2, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at < 0 && at > -PAGE)
    die("mmap", at);
  volatile u32 *there = (u32 *)at, *back = there + 16;
  int pid = fork_process();
  if (pid == 0) {
    for (u32 i = 1; i <= n; i++)
      futex_until(there, i), futex_set(back, i);
    leave(0);
  }
  u64 start = monotonic();
  for (u32 i = 1; i <= n; i++)
    futex_set(there, i), futex_until(back, i);
  u64 took = monotonic() - start;
  wait_for(pid);
  sys(SYS_munmap, at, PAGE);
  return took;
}
