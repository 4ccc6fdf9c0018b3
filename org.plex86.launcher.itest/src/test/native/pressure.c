/* SPDX-License-Identifier: Apache-2.0 */
/* Less memory than is asked for: a swap disk (/dev/vda, with its signature), a group's limit, and the OOM killer. */
#include "check.h"
#include <linux/mman.h>

enum { RW = PROT_READ | PROT_WRITE, MIB = 1 << 20 };

static char content[16 << 10];

static i64 figure(const char *file, const char *key)
{
  must(file, read_file(file, content, sizeof content));
  return value_of(content, key);
}

static u8 *take(u32 mib, u32 seed)
{
  u8 *at = map(0, mib * MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS);
  for (u32 i = 0; i < mib * MIB; i += PAGE)
    fill(at + i, 64, seed + i / PAGE); /* the rest of the page is zero */
  return at;
}

static u32 wrong(const u8 *at, u32 mib, u32 seed)
{
  u32 sum = 0;
  for (u32 i = 0; i < mib * MIB; i += PAGE)
    sum += !filled(at + i, 64, seed + i / PAGE) || *(volatile u32 *)(at + i + 64) != 0;
  return sum;
}

static void swap_on(void)
{
  must("swapon of /dev/vda", sys(__NR_swapon, "/dev/vda", 0));
}

static u32 mib_of_memory(void)
{
  return (u32)figure("/proc/meminfo", "MemTotal") / 1024;
}

static void swapped(void)
{
  swap_on();
  u32 mib = mib_of_memory() * 3 / 2;
  u8 *at = take(mib, 1);
  expect("wrong pages", wrong(at, mib, 1), 0);
  for (u32 i = 0; i < mib * MIB; i += PAGE) /* all of it anew, which writes to what has come back */
    fill(at + i, 64, 100000 + i / PAGE);
  expect("wrong pages after they were written anew", wrong(at, mib, 100000), 0);
  expect_range("pages swapped out", figure("/proc/vmstat", "pswpout"), (i64)mib * 256 / 4, 100000000);
  expect_range("pages swapped in", figure("/proc/vmstat", "pswpin"), (i64)mib * 256 / 4, 100000000);
  must("swapoff", sys(__NR_munmap, at, mib * MIB));
  must("swapoff", sys(__NR_swapoff, "/dev/vda"));
}

static void swapped_and_shared(void)
{
  swap_on();
  u32 mib = mib_of_memory() * 3 / 4;
  u8 *at = take(mib, 7);
  int pid = fork_process();
  if (pid == 0) {
    expect("wrong pages in the child", wrong(at, mib, 7), 0);
    for (u32 i = 0; i < mib / 2 * MIB; i += PAGE)
      fill(at + i, 64, 500000 + i / PAGE);
    expect("wrong pages that the child wrote", wrong(at, mib / 2, 500000), 0);
    done();
  }
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("wrong pages in the parent", wrong(at, mib, 7), 0);
  must("munmap", sys(__NR_munmap, at, mib * MIB));
  must("swapoff", sys(__NR_swapoff, "/dev/vda"));
}

static void pushed_out(void)
{
  swap_on();
  u8 *at = take(8, 11), resident[2048];
  i64 before = figure("/proc/vmstat", "pswpout");
  must("MADV_PAGEOUT", sys(__NR_madvise, at, 8 * MIB, MADV_PAGEOUT));
  must("mincore", sys(__NR_mincore, at, 8 * MIB, resident));
  expect_range("pages swapped out", figure("/proc/vmstat", "pswpout") - before, 1024, 1000000);
  expect("wrong pages", wrong(at, 8, 11), 0);
  must("swapoff", sys(__NR_swapoff, "/dev/vda"));
  expect("wrong pages after swapoff", wrong(at, 8, 11), 0);
}

static void take_without_end(void)
{
  for (;;) {
    int at = sys(__NR_mmap2, 0, MIB, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -PAGE)
      sys(__NR_sched_yield);
    else
      memset((void *)at, 0x55, MIB);
  }
}

static void out_of_memory(void)
{
  u8 *mine = take(4, 21);
  i64 before = figure("/proc/vmstat", "oom_kill");
  int pid = fork_process();
  if (pid == 0) {
    must("oom_score_adj", write_file("/proc/self/oom_score_adj", "1000"));
    take_without_end();
  }
  expect("status", (u32)wait_for(pid), 128 + SIGKILL);
  expect_range("processes killed", figure("/proc/vmstat", "oom_kill") - before, 1, 1);
  expect("wrong pages of this process", wrong(mine, 4, 21), 0);
  u8 *more = take(mib_of_memory() / 4, 23); /* what it had is free again */
  expect("wrong pages of new memory", wrong(more, mib_of_memory() / 4, 23), 0);
}

static void out_of_a_groups_memory(void)
{
  sys(__NR_mkdir, "/tmp/group", 0755);
  must("mount of cgroup2", sys(__NR_mount, "none", "/tmp/group", "cgroup2", 0, 0));
  must("memory controller", write_file("/tmp/group/cgroup.subtree_control", "+memory"));
  sys(__NR_mkdir, "/tmp/group/small", 0755);
  must("memory.max", write_file("/tmp/group/small/memory.max", "12M"));
  u8 *mine = take(16, 31); /* more than the group may have */
  int pid = fork_process();
  if (pid == 0) {
    must("cgroup.procs", write_file("/tmp/group/small/cgroup.procs", "0"));
    take_without_end();
  }
  expect("status", (u32)wait_for(pid), 128 + SIGKILL);
  expect_range("oom_kill of the group", figure("/tmp/group/small/memory.events", "oom_kill "), 1, 1);
  expect("wrong pages of this process", wrong(mine, 16, 31), 0);
  sys(__NR_rmdir, "/tmp/group/small");
  sys(__NR_umount2, "/tmp/group", 0);
}

static void overcommit_refused(void)
{
  must("overcommit_memory", write_file("/proc/sys/vm/overcommit_memory", "2"));
  int at = sys(__NR_mmap2, 0, 1u << 30, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must("overcommit_memory", write_file("/proc/sys/vm/overcommit_memory", "0"));
  expect("mmap of 1 GiB", (u32)at, (u32)-ENOMEM);
}

const struct check pressure_checks[] = {
  {"one and a half times the memory, by swap: every page comes back", swapped, NEEDS_GUEST},
  {"three quarters of the memory, shared by fork and written by the child, by swap", swapped_and_shared, NEEDS_GUEST},
  {"MADV_PAGEOUT swaps out; swapoff brings all back", pushed_out, NEEDS_GUEST},
  {"memory without end: that process is killed, and only it", out_of_memory, NEEDS_GUEST},
  {"more than a group's limit: killed in the group, nothing outside", out_of_a_groups_memory, NEEDS_GUEST},
  {"without overcommit: ENOMEM instead of memory that is not there", overcommit_refused, NEEDS_GUEST},
  {NULL, NULL, 0},
};
