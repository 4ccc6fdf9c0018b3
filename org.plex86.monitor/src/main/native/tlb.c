/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process has mapped of guest memory is its TLB (SDM vol. 3, 4.10): this
 * file knows what that is, and takes it away when the guest flushes.  Of its
 * own TLB a process has the system calls made at once; those of a user process
 * are orders to that (users.c).
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

struct tlb own_tlb = {.user_generation = 1, .kernel_generation = 1};
static u32 kernel_log_seen;

void tlb_init(struct tlb *tlb, u32 user_slot, u64 at, u64 linear_bytes)
{
  s64 result = sys_mmap(at, linear_bytes / PAGE_SIZE * sizeof(u32), PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  if (result != (s64)at)
    end_vm(END_NEXUS, "cannot map the notes of a TLB: error %lu", (u64)-result);
  tlb->mapped = (u32 *)at;
  tlb->user_generation = tlb->kernel_generation = 1;
  tlb->user_slot = user_slot;
}

static u32 generation_of(const struct tlb *tlb, u32 linear)
{
  return linear < GUEST_KERNEL ? tlb->user_generation : tlb->kernel_generation;
}

int tlb_holds(const struct tlb *tlb, u32 linear)
{
  return tlb->mapped[linear >> 12] / 2 == generation_of(tlb, linear);
}

/* All that was noted from first to end is so no more. */
static void next_generation(struct tlb *tlb, u32 *generation, u32 first, u32 end)
{
  if (++*generation < TLB_GENERATION_END)
    return;
  memset(&tlb->mapped[first >> 12], 0, (end - first) / PAGE_SIZE * sizeof tlb->mapped[0]);
  *generation = 1;
}

static void unmap(struct tlb *tlb, u32 linear, u32 length)
{
  if (linear < lowest_page) {
    u32 skip = lowest_page - linear;
    if (skip >= length)
      return;
    linear += skip;
    length -= skip;
  }
  if (tlb->user_slot) {
    user_unmap(tlb->user_slot, linear, length);
    return;
  }
  s64 result = syscall2(SYS_munmap, linear, length);
  if (result < 0)
    end_vm(END_NEXUS, "munmap of %x bytes at %08x: error %lu", length, linear, (u64)-result);
}

/* Whether the guest's tables say of each page what is mapped: then a TLB might hold it as well. */
static int is_current(const struct tlb *tlb, const struct run *run)
{
  for (u32 offset = 0; offset < run->length; offset += PAGE_SIZE) {
    u32 linear = run->linear + offset;
    if (tlb->mapped[linear >> 12] != tlb->user_generation * 2 || !mmu_shows(linear, run->physical + offset))
      return 0;
  }
  return 1;
}

/* Whether it may stay, unseen by the guest, until its tables say what it has there. */
static int is_clean(const struct tlb *tlb, const struct run *run)
{
  for (u32 offset = 0; offset < run->length; offset += PAGE_SIZE)
    if (tlb->mapped[(run->linear + offset) >> 12] != tlb->user_generation * 2)
      return 0;
  return (int)run->clean;
}

typedef int (*run_filter)(const struct tlb *tlb, const struct run *run);

/* Keeps some runs, in the order of their addresses, each once. */
static void keep_runs(struct tlb *tlb, run_filter is_kept)
{
  struct run *runs = tlb->runs;
  u32 kept = 0;
  for (u32 i = 0; i < tlb->run_count; i++) {
    struct run run = runs[i];
    if (!is_kept(tlb, &run))
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
  tlb->run_count = kept;
}

/* Unmaps from the first to the last page of the range that is mapped, by one call. */
static int unmap_noted(struct tlb *tlb, u32 first, u32 end)
{
  u32 low = end >> 12, high = 0;
  for (u32 page = first >> 12; page < end >> 12; page++)
    if (tlb_holds(tlb, page << 12)) {
      low = page < low ? page : low;
      high = page + 1;
      tlb->mapped[page] = 0;
    }
  if (high)
    unmap(tlb, low << 12, (high - low) << 12);
  return high != 0;
}

static void unmap_gap(struct tlb *tlb, u32 first, u32 end)
{
  if (first >= end)
    return;
  if (end - first <= SEARCHED_MAX && !tlb->unnoted_users)
    unmap_noted(tlb, first, end);
  else
    unmap(tlb, first, end - first);
}

static void flush_users(struct tlb *tlb, run_filter is_kept)
{
  VM->prefault = 0;
  tlb->unchecked = 0;
  if (!tlb->user_maps) {
    COUNT(flushes_user_skipped);
    return;
  }
  COUNT(flushes_user);
  keep_runs(tlb, is_kept);
  const struct run *runs = tlb->runs;
  u32 from = 0;
  for (u32 i = 0; i < tlb->run_count; i++) {
    unmap_gap(tlb, from, runs[i].linear);
    if (runs[i].linear + runs[i].length > from)
      from = runs[i].linear + runs[i].length;
  }
  unmap_gap(tlb, from, GUEST_KERNEL);
  next_generation(tlb, &tlb->user_generation, 0, GUEST_KERNEL);
  for (u32 i = 0; i < tlb->run_count; i++)
    for (u32 page = runs[i].linear >> 12, end = page + (runs[i].length >> 12); page < end; page++)
      tlb->mapped[page] = tlb->user_generation * 2;
  tlb->user_maps = tlb->run_count;
  tlb->unnoted_users = 0;
}

void tlb_forget_user(struct tlb *tlb)
{
  next_generation(tlb, &tlb->user_generation, 0, GUEST_KERNEL);
  tlb->run_count = 0;
  tlb->user_maps = 0;
  tlb->unnoted_users = 0;
  tlb->unchecked = 0;
}

void tlb_flush_user(struct tlb *tlb)
{
  flush_users(tlb, is_current);
}

void tlb_flush_user_until_checked(struct tlb *tlb)
{
  flush_users(tlb, is_clean);
  tlb->unchecked = 1;
}

void tlb_check(struct tlb *tlb)
{
  if (tlb->unchecked)
    flush_users(tlb, is_current);
}

static void flush_kernel(void)
{
  COUNT(flushes_kernel);
  unmap(&own_tlb, GUEST_KERNEL, GUEST_TOP - GUEST_KERNEL);
  own_tlb.kernel_maps = 0;
  next_generation(&own_tlb, &own_tlb.kernel_generation, GUEST_KERNEL, GUEST_TOP);
}

static void log_kernel_change(u32 page)
{
  struct kernel_log *log = &VM->kernel_log;
  log->page[log->sequence % KERNEL_LOG_SIZE] = page;
  log->sequence++;
  kernel_log_seen = log->sequence;
}

/* What the guest calls its user TLB: this process's, and that of the user process, if there is one. */
static void flush_current_user(void)
{
  struct tlb *user = users_current_tlb();
  tlb_flush_user(&own_tlb);
  if (user)
    tlb_flush_user(user);
}

void tlb_flush_current(void)
{
  flush_current_user();
}

void tlb_flush_all(void)
{
  log_kernel_change(KERNEL_LOG_ALL);
  flush_current_user();
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
      flush_current_user();
    return;
  }
  if (end > GUEST_KERNEL)
    for (u32 linear = first; linear < end; linear += PAGE_SIZE)
      log_kernel_change(linear);
  struct tlb *user = users_current_tlb();
  int unmapped = unmap_noted(&own_tlb, first, end);
  if (user && first < GUEST_KERNEL)
    unmapped |= unmap_noted(user, first, end < GUEST_KERNEL ? end : GUEST_KERNEL);
  if (!unmapped)
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
      unmap_noted(&own_tlb, page, page + PAGE_SIZE);
    }
  }
  kernel_log_seen = now;
}

void tlb_map(struct tlb *tlb, u32 linear, u32 length, int prot, int fd, u64 offset)
{
  if (tlb->user_maps + tlb->kernel_maps >= maps_limit) {
    tlb_flush_user(tlb);
    if (!tlb->user_slot)
      flush_kernel();
  }
  COUNT(maps);
  CONTROL->counter[COUNTER_pages_mapped] += length >> 12;
  if (tlb->user_slot) {
    user_map(tlb->user_slot, linear, length, prot, fd, offset);
  } else {
    /* Without MAP_POPULATE: a page that is touched costs less by its fault (0.44 s for 500 times fork
     * and exec of busybox, rather than 0.55), and many of a map are not. */
    s64 result = sys_mmap(linear, length, prot, MAP_SHARED | MAP_FIXED, fd, offset);
    if (result < 0)
      end_vm(END_NEXUS, "mmap of %x bytes at %08x: error %lu", length, linear, (u64)-result);
  }
  if (length <= NOTED_MAX)
    for (u32 page = linear >> 12, end = page + (length >> 12); page < end; page++)
      tlb->mapped[page] = generation_of(tlb, linear) * 2 + (prot & PROT_WRITE ? 1 : 0);
  else if (linear < GUEST_KERNEL)
    tlb->unnoted_users = 1;
  if (linear < GUEST_KERNEL)
    tlb->user_maps++;
  else
    tlb->kernel_maps++;
}

void tlb_note_read_only(struct tlb *tlb, u32 linear, u32 physical, u32 length, int clean)
{
  if (linear < GUEST_KERNEL && length <= NOTED_MAX && tlb->run_count < TLB_RUNS_MAX)
    tlb->runs[tlb->run_count++] = (struct run){linear, physical, length, (u32)clean};
}
