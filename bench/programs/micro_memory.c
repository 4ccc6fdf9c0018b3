/* SPDX-License-Identifier: Apache-2.0 */
/* What micro measures of memory: page faults of three kinds, maps, rights, copying. */
#include "micro.h"

enum { POOL = 4 << 20 };

static u64 touch(volatile u8 *at, u32 pages, int write)
{
  u64 start = monotonic();
  for (; pages--; at += PAGE) {
    if (write)
      *at = 1;
    else
      (void)*at;
  }
  return monotonic() - start;
}

/* Calls once(pages) until n pages were touched. */
static u64 in_pools(u32 n, u64 (*once)(u32 pages))
{
  u64 took = 0;
  while (n) {
    u32 pages = n < POOL / PAGE ? n : POOL / PAGE;
    took += once(pages);
    n -= pages;
  }
  return took;
}

static u64 fault_anon_once(u32 pages)
{
  void *at = map_anonymous(pages * PAGE);
  u64 took = touch(at, pages, 1);
  sys(SYS_munmap, at, pages * PAGE);
  return took;
}
u64 fault_anon(u32 n)
{
  return in_pools(n, fault_anon_once);
}

static int pool_file = -1;

static u64 fault_file_once(u32 pages)
{
  int at = sys(SYS_mmap2, 0, pages * PAGE, PROT_READ, MAP_PRIVATE, pool_file, 0);
  if (at < 0 && at > -PAGE)
    die("mmap of a file", at);
  u64 took = touch((u8 *)at, pages, 0);
  sys(SYS_munmap, at, pages * PAGE);
  return took;
}
u64 fault_file(u32 n)
{
  if (pool_file < 0)
    pool_file = scratch(POOL);
  return in_pools(n, fault_file_once);
}

/* Pages shared with a child by fork, written by the parent. */
static u64 fault_cow_once(u32 pages)
{
  int hold[2];
  u8 byte;
  u8 *at = map_anonymous(pages * PAGE);
  touch(at, pages, 1);
  sys(SYS_pipe, hold);
  int pid = fork_process();
  if (pid == 0) {
    sys(SYS_close, hold[1]);
    sys(SYS_read, hold[0], &byte, 1);
    leave(0);
  }
  u64 took = touch(at, pages, 1);
  sys(SYS_close, hold[1]);
  sys(SYS_close, hold[0]);
  wait_for(pid);
  sys(SYS_munmap, at, pages * PAGE);
  return took;
}
u64 fault_cow(u32 n)
{
  return in_pools(n, fault_cow_once);
}

u64 mmap_munmap(u32 n)
{
  u64 start = monotonic();
  while (n--) {
    u8 *at = map_anonymous(16 * PAGE);
    at[0] = 1;
    sys(SYS_munmap, at, 16 * PAGE);
  }
  return monotonic() - start;
}

u64 mprotect_pair(u32 n)
{
  u8 *at = map_anonymous(16 * PAGE);
  touch(at, 16, 1);
  u64 start = monotonic();
  while (n--) {
    sys(SYS_mprotect, at, 16 * PAGE, PROT_READ);
    sys(SYS_mprotect, at, 16 * PAGE, PROT_READ | PROT_WRITE);
    at[0] = 1;
  }
  u64 took = monotonic() - start;
  sys(SYS_munmap, at, 16 * PAGE);
  return took;
}

u64 copy_64k(u32 n)
{
  u8 *at = map_anonymous(128 << 10);
  touch(at, 32, 1);
  u64 start = monotonic();
  while (n--)
    memcpy(at, at + (64 << 10), 64 << 10);
  u64 took = monotonic() - start;
  sys(SYS_munmap, at, 128 << 10);
  return took;
}
