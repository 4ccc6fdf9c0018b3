/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process has mapped of guest memory is its TLB (SDM vol. 3, 4.10): this
 * file knows what that is, and takes it away when the guest flushes.
 */
#include "nexus.h"

/* More than this is invalidated by a flush. */
#define INVALIDATE_MAX 0x100000
/* Larger maps are not noted page by page. */
#define NOTED_MAX 0x100000
/* Gaps between what is kept are searched up to this size, so that what is empty costs no call. */
#define SEARCHED_MAX 0x400000

u32 lowest_page;
u32 maps_limit;

/*
 * mapped[page] / 2 == generation: this process has mapped that linear page and not
 * unmapped it since; odd: writable.  A flush is one step of the generation.
 */
static u32 mapped[1 << 20];
static u32 user_generation = 1, kernel_generation = 1;
#define GENERATION_END 0x80000000
static u32 user_maps, kernel_maps; /* host mappings made since the last flush, at the most */
static u32 unnoted_users; /* some of them are not in mapped[] */
static u32 kernel_log_seen;

/*
 * What is mapped read-only for users, so that a flush can keep what the guest's
 * tables still say: after a fork that is all of the program's text.
 */
#define RUNS_MAX 512
struct run {
  u32 linear, physical, length;
  u32 clean; /* no write has made it what it is: of a file, as a rule */
};
static struct run runs[RUNS_MAX];
static u32 run_count;
static u32 unchecked; /* the runs are those of an earlier guest address space */

static u32 generation_of(u32 linear)
{
  return linear < GUEST_KERNEL ? user_generation : kernel_generation;
}

int tlb_holds(u32 linear)
{
  return mapped[linear >> 12] / 2 == generation_of(linear);
}

/* All that was noted from first to end is so no more. */
static void next_generation(u32 *generation, u32 first, u32 end)
{
  if (++*generation < GENERATION_END)
    return;
  memset(&mapped[first >> 12], 0, (end - first) / PAGE_SIZE * sizeof mapped[0]);
  *generation = 1;
}

static void unmap(u32 linear, u32 length)
{
  if (linear < lowest_page) {
    u32 skip = lowest_page - linear;
    if (skip >= length)
      return;
    linear += skip;
    length -= skip;
  }
  s64 result = syscall2(SYS_munmap, linear, length);
  if (result < 0)
    end_vm(END_NEXUS, "munmap of %x bytes at %08x: error %lu", length, linear, (u64)-result);
}

/* Whether the guest's tables say of each page what is mapped: then a TLB might hold it as well. */
static int is_current(const struct run *run)
{
  for (u32 offset = 0; offset < run->length; offset += PAGE_SIZE) {
    u32 linear = run->linear + offset;
    if (mapped[linear >> 12] != user_generation * 2 || !mmu_shows(linear, run->physical + offset))
      return 0;
  }
  return 1;
}

/* Whether it may stay, unseen by the guest, until its tables say what it has there. */
static int is_clean(const struct run *run)
{
  for (u32 offset = 0; offset < run->length; offset += PAGE_SIZE)
    if (mapped[(run->linear + offset) >> 12] != user_generation * 2)
      return 0;
  return (int)run->clean;
}

/* Keeps some runs, in the order of their addresses, each once. */
static void keep_runs(int (*is_kept)(const struct run *))
{
  u32 kept = 0;
  for (u32 i = 0; i < run_count; i++) {
    struct run run = runs[i];
    if (!is_kept(&run))
      continue;
    u32 at = kept;
    while (at > 0 && runs[at - 1].linear > run.linear)
      at--;
    if (at > 0 && runs[at - 1].linear + runs[at - 1].length >= run.linear + run.length)
      continue;
    for (u32 j = kept++; j > at; j--)
      runs[j] = runs[j - 1];
    runs[at] = run;
  }
  run_count = kept;
}

/* Unmaps from the first to the last page of the range that is mapped, by one call. */
static int unmap_noted(u32 first, u32 end)
{
  u32 low = end >> 12, high = 0;
  for (u32 page = first >> 12; page < end >> 12; page++)
    if (tlb_holds(page << 12)) {
      low = page < low ? page : low;
      high = page + 1;
      mapped[page] = 0;
    }
  if (high)
    unmap(low << 12, (high - low) << 12);
  return high != 0;
}

static void unmap_gap(u32 first, u32 end)
{
  if (first >= end)
    return;
  if (end - first <= SEARCHED_MAX && !unnoted_users)
    unmap_noted(first, end);
  else
    unmap(first, end - first);
}

static void flush_users(int (*is_kept)(const struct run *))
{
  VM->prefault = 0;
  unchecked = 0;
  if (!user_maps) {
    COUNT(flushes_user_skipped);
    return;
  }
  COUNT(flushes_user);
  keep_runs(is_kept);
  u32 from = 0;
  for (u32 i = 0; i < run_count; i++) {
    unmap_gap(from, runs[i].linear);
    if (runs[i].linear + runs[i].length > from)
      from = runs[i].linear + runs[i].length;
  }
  unmap_gap(from, GUEST_KERNEL);
  next_generation(&user_generation, 0, GUEST_KERNEL);
  for (u32 i = 0; i < run_count; i++)
    for (u32 page = runs[i].linear >> 12, end = page + (runs[i].length >> 12); page < end; page++)
      mapped[page] = user_generation * 2;
  user_maps = run_count;
  unnoted_users = 0;
}

void tlb_flush_user(void)
{
  flush_users(is_current);
}

void tlb_flush_user_until_checked(void)
{
  flush_users(is_clean);
  unchecked = 1;
}

void tlb_check(void)
{
  if (unchecked)
    flush_users(is_current);
}

static void flush_kernel(void)
{
  COUNT(flushes_kernel);
  unmap(GUEST_KERNEL, GUEST_TOP - GUEST_KERNEL);
  kernel_maps = 0;
  next_generation(&kernel_generation, GUEST_KERNEL, GUEST_TOP);
}

static void log_kernel_change(u32 page)
{
  struct kernel_log *log = &VM->kernel_log;
  log->page[log->sequence % KERNEL_LOG_SIZE] = page;
  log->sequence++;
  kernel_log_seen = log->sequence;
}

void tlb_flush_all(void)
{
  log_kernel_change(KERNEL_LOG_ALL);
  tlb_flush_user();
  flush_kernel();
}

void tlb_invalidate(u32 first, u32 end)
{
  COUNT(invlpg);
  first &= PAGE_MASK;
  end &= PAGE_MASK;
  if (first >= end || end > GUEST_TOP)
    return;
  if (end - first > INVALIDATE_MAX || mmu_is_large(first)) {
    if (end > GUEST_KERNEL)
      tlb_flush_all();
    else
      tlb_flush_user();
    return;
  }
  if (end > GUEST_KERNEL)
    for (u32 linear = first; linear < end; linear += PAGE_SIZE)
      log_kernel_change(linear);
  if (!unmap_noted(first, end))
    COUNT(invlpg_skipped);
}

void tlb_catch_up(void)
{
  struct kernel_log *log = &VM->kernel_log;
  u32 now = log->sequence;
  if (now - kernel_log_seen > KERNEL_LOG_SIZE) {
    flush_kernel();
  } else {
    for (; kernel_log_seen != now; kernel_log_seen++) {
      u32 page = log->page[kernel_log_seen % KERNEL_LOG_SIZE];
      if (page == KERNEL_LOG_ALL) {
        flush_kernel();
        break;
      }
      unmap_noted(page, page + PAGE_SIZE);
    }
  }
  kernel_log_seen = now;
}

void tlb_map(u32 linear, u32 length, int prot, int fd, u64 offset)
{
  if (user_maps + kernel_maps >= maps_limit) {
    tlb_flush_user();
    flush_kernel();
  }
  COUNT(maps);
  CONTROL->counter[COUNTER_pages_mapped] += length >> 12;
  /* Without MAP_POPULATE: a page that is touched costs less by its fault (0.44 s for 500 times fork
   * and exec of busybox, rather than 0.55), and many of a map are not. */
  s64 result = sys_mmap(linear, length, prot, MAP_SHARED | MAP_FIXED, fd, offset);
  if (result < 0)
    end_vm(END_NEXUS, "mmap of %x bytes at %08x: error %lu", length, linear, (u64)-result);
  if (length <= NOTED_MAX)
    for (u32 page = linear >> 12, end = page + (length >> 12); page < end; page++)
      mapped[page] = generation_of(linear) * 2 + (prot & PROT_WRITE ? 1 : 0);
  else if (linear < GUEST_KERNEL)
    unnoted_users = 1;
  if (linear < GUEST_KERNEL)
    user_maps++;
  else
    kernel_maps++;
}

void tlb_note_read_only(u32 linear, u32 physical, u32 length, int clean)
{
  if (linear < GUEST_KERNEL && length <= NOTED_MAX && run_count < RUNS_MAX)
    runs[run_count++] = (struct run){linear, physical, length, (u32)clean};
}
