/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host mappings are the guest's TLB: a page fault walks the guest's page
 * tables (SDM vol. 3, 4.3: 32-bit paging with PSE) and maps what they say;
 * what flushes a TLB unmaps.  The tables are the guest's: any entry may name
 * any address, so each is checked against the size of RAM before use.
 */
#include "nexus.h"

#define PTE_PRESENT 0x1
#define PTE_WRITE 0x2
#define PTE_USER 0x4
#define PTE_ACCESSED 0x20
#define PTE_DIRTY 0x40
#define PTE_LARGE 0x80
#define LARGE_PAGE 0x400000u
#define LARGE_MASK 0xffc00000u

/* Pages that one fault maps at most on each side of the faulting one. */
#define FAULT_AROUND 64
/* Maps of at most this many bytes are filled at once. */
#define POPULATE_MAX 0x40000
/* More than this is invalidated by a flush. */
#define INVALIDATE_MAX 0x100000
/* Larger maps are not noted page by page. */
#define NOTED_MAX 0x100000

u64 ram_bytes;
u32 lowest_page;
u32 maps_limit;

/*
 * mapped[page] / 2 == generation: this process has mapped that linear page and not
 * unmapped it since; odd: writable.  A flush is one step of the generation.
 */
static u32 mapped[1 << 20];
static u32 user_generation = 1, kernel_generation = 1;
static u32 user_maps, kernel_maps; /* host mappings made since the last flush, at the most */
static u32 kernel_log_seen;

/*
 * What is mapped read-only for users, so that a flush can keep what the guest's
 * tables still say: after a fork that is all of the program's text.
 */
#define RUNS_MAX 512
struct run {
  u32 linear, physical, length;
};
static struct run runs[RUNS_MAX];
static u32 run_count;

static u32 generation_of(u32 linear)
{
  return linear < GUEST_KERNEL ? user_generation : kernel_generation;
}

static int is_mapped(u32 page)
{
  return mapped[page] / 2 == generation_of(page << 12);
}

static volatile u32 *table_entry(u32 physical)
{
  return (volatile u32 *)(NEXUS_RAM + physical);
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
  u32 directory = DATA(PLEX86_CR3) & PAGE_MASK;
  if (!(VM->cr0 & CR0_PG) || directory >= ram_bytes)
    return 0;
  for (u32 offset = 0; offset < run->length; offset += PAGE_SIZE) {
    u32 linear = run->linear + offset;
    u32 pde = *table_entry(directory + (linear >> 22) * 4);
    u32 table = pde & PAGE_MASK;
    if ((pde & (PTE_PRESENT | PTE_USER | PTE_LARGE)) != (PTE_PRESENT | PTE_USER) || table >= ram_bytes)
      return 0;
    u32 pte = *table_entry(table + (linear >> 12 & 1023) * 4);
    if ((pte & (PTE_PRESENT | PTE_USER)) != (PTE_PRESENT | PTE_USER) || (pte & PAGE_MASK) != run->physical + offset ||
        mapped[linear >> 12] != user_generation * 2)
      return 0;
  }
  return 1;
}

/* Keeps the runs that are current, in the order of their addresses. */
static void keep_current_runs(void)
{
  u32 kept = 0;
  for (u32 i = 0; i < run_count; i++) {
    struct run run = runs[i];
    if (!is_current(&run))
      continue;
    u32 at = kept++;
    for (; at > 0 && runs[at - 1].linear > run.linear; at--)
      runs[at] = runs[at - 1];
    runs[at] = run;
  }
  run_count = kept;
}

void mmu_flush_user(void)
{
  VM->prefault = 0;
  if (!user_maps) {
    COUNT(flushes_user_skipped);
    return;
  }
  COUNT(flushes_user);
  keep_current_runs();
  user_generation++;
  u32 from = 0;
  for (u32 i = 0; i < run_count; i++) {
    u32 first = runs[i].linear, end = first + runs[i].length;
    if (first > from)
      unmap(from, first - from);
    for (u32 page = first >> 12; page < end >> 12; page++)
      mapped[page] = user_generation * 2;
    if (end > from)
      from = end;
  }
  if (from < GUEST_KERNEL)
    unmap(from, GUEST_KERNEL - from);
  user_maps = run_count;
}

static void flush_kernel(void)
{
  COUNT(flushes_kernel);
  unmap(GUEST_KERNEL, GUEST_TOP - GUEST_KERNEL);
  kernel_maps = 0;
  kernel_generation++;
}

static void log_kernel_change(u32 page)
{
  struct kernel_log *log = &VM->kernel_log;
  log->page[log->sequence % KERNEL_LOG_SIZE] = page;
  log->sequence++;
  kernel_log_seen = log->sequence;
}

void mmu_flush_all(void)
{
  log_kernel_change(KERNEL_LOG_ALL);
  mmu_flush_user();
  flush_kernel();
}

/* Unmaps from the first to the last page of the range that is mapped, by one call. */
static void invalidate_mapped(u32 first, u32 end)
{
  u32 low = end >> 12, high = 0;
  for (u32 page = first >> 12; page < end >> 12; page++)
    if (is_mapped(page)) {
      low = page < low ? page : low;
      high = page + 1;
      mapped[page] = 0;
    }
  if (high)
    unmap(low << 12, (high - low) << 12);
  else
    COUNT(invlpg_skipped);
}

static int is_large(u32 linear)
{
  u32 directory = (DATA(PLEX86_CR3) & PAGE_MASK) + (linear >> 22) * 4;
  if (directory >= ram_bytes)
    return 0;
  return (*table_entry(directory) & (PTE_PRESENT | PTE_LARGE)) == (PTE_PRESENT | PTE_LARGE);
}

void mmu_invalidate(u32 first, u32 end)
{
  COUNT(invlpg);
  first &= PAGE_MASK;
  end &= PAGE_MASK;
  if (first >= end || end > GUEST_TOP)
    return;
  if (end - first > INVALIDATE_MAX || is_large(first)) {
    if (end > GUEST_KERNEL)
      mmu_flush_all();
    else
      mmu_flush_user();
    return;
  }
  if (end > GUEST_KERNEL)
    for (u32 linear = first; linear < end; linear += PAGE_SIZE)
      log_kernel_change(linear);
  invalidate_mapped(first, end);
}

void mmu_catch_up(void)
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
      invalidate_mapped(page, page + PAGE_SIZE);
    }
  }
  kernel_log_seen = now;
}

static void map(u32 linear, u32 length, int prot, int fd, u64 offset)
{
  int flags = MAP_SHARED | MAP_FIXED | (length <= POPULATE_MAX ? MAP_POPULATE : 0);
  if (user_maps + kernel_maps >= maps_limit) {
    mmu_flush_user();
    flush_kernel();
  }
  COUNT(maps);
  CONTROL->counter[COUNTER_pages_mapped] += length >> 12;
  s64 result = sys_mmap(linear, length, prot, flags, fd, offset);
  if (result < 0)
    end_vm(END_NEXUS, "mmap of %x bytes at %08x: error %lu", length, linear, (u64)-result);
  if (length <= NOTED_MAX)
    for (u32 page = linear >> 12, end = page + (length >> 12); page < end; page++)
      mapped[page] = generation_of(linear) * 2 + (prot & PROT_WRITE ? 1 : 0);
  if (linear < GUEST_KERNEL)
    user_maps++;
  else
    kernel_maps++;
}

static enum mmu_result map_ram(u32 linear, u32 physical, u32 length, int write)
{
  if (linear < lowest_page) {
    u32 skip = lowest_page - linear;
    linear += skip;
    physical += skip;
    length -= skip;
  }
  if (physical + (u64)length > ram_bytes)
    length = (u32)ram_bytes - physical;
  map(linear, length, PROT_READ | PROT_EXEC | (write ? PROT_WRITE : 0), FD_RAM, physical);
  if (!write && linear < GUEST_KERNEL && length <= NOTED_MAX && run_count < RUNS_MAX)
    runs[run_count++] = (struct run){linear, physical, length};
  return MMU_MAPPED;
}

/* One page that is not RAM: a device's registers, or nothing at all. */
static enum mmu_result map_device(u32 linear, u32 physical, int write)
{
  u32 device = (physical - PLEX86_MMIO_BASE) >> 12;
  u64 offset = physical >= PLEX86_MMIO_BASE && device < PLEX86_MMIO_DEVICES ? CONTROL_DEVICES + (u64)device * PAGE_SIZE
                                                                            : CONTROL_VOID;
  if (write)
    return MMU_DEVICE;
  map(linear & PAGE_MASK, PAGE_SIZE, PROT_READ, FD_CONTROL, offset);
  return MMU_MAPPED;
}

/* A 4 MiB page, and its neighbours where they go on in physical memory. */
static enum mmu_result map_large(u32 linear, u32 directory, u32 entry, int write)
{
  u32 physical = entry & LARGE_MASK, offset = linear & ~LARGE_MASK;
  if (physical + (u64)offset >= ram_bytes)
    return map_device(linear, physical + offset, write);
  u32 index = linear >> 22, low = index, high = index + 1;
  while (low > GUEST_KERNEL >> 22 && low <= index &&
         *table_entry(directory + (low - 1) * 4) == entry - ((index - low + 1) << 22) &&
         physical >= (index - low + 1) << 22)
    low--;
  while (high < GUEST_TOP >> 22 && *table_entry(directory + high * 4) == entry + ((high - index) << 22) &&
         physical + ((u64)(high - index) << 22) < ram_bytes)
    high++;
  return map_ram(low << 22, physical - ((index - low) << 22), (high - low) << 22,
    (entry & (PTE_WRITE | PTE_DIRTY)) == (PTE_WRITE | PTE_DIRTY));
}

/* A 4 KiB page, and its neighbours in the same table where they go on in physical memory. */
static enum mmu_result map_small(u32 linear, u32 table, u32 entry, int writable)
{
  u32 index = linear >> 12 & 1023, low = index, high = index + 1;
  u32 first_page = linear >> 12 & ~1023u;
  while (low > 0 && index - low < FAULT_AROUND && !is_mapped(first_page + low - 1) &&
         *table_entry(table + (low - 1) * 4) == entry - ((index - low + 1) << 12))
    low--;
  while (high < 1024 && high - index < FAULT_AROUND && !is_mapped(first_page + high) &&
         *table_entry(table + high * 4) == entry + ((high - index) << 12))
    high++;
  u32 back = index - low;
  while ((entry & PAGE_MASK) < back << 12)
    back--; /* the run wrapped around in the physical address */
  u32 physical = (entry & PAGE_MASK) - (back << 12);
  return map_ram((linear & PAGE_MASK) - (back << 12), physical, (high - index + back) << 12, writable);
}

static void mark_used(volatile u32 *at, u32 entry, u32 bits)
{
  if ((entry | bits) != entry)
    *at = entry | bits;
}

static int refused(u32 rights, int write, int user)
{
  if (user && !(rights & PTE_USER))
    return 1;
  return write && !(rights & PTE_WRITE) && (user || VM->cr0 & CR0_WP);
}

enum mmu_result mmu_map(u32 linear, int write, int user)
{
  if (linear < lowest_page)
    return MMU_PROTECTED;
  if (!(VM->cr0 & CR0_PG)) {
    u32 base = linear & LARGE_MASK;
    if (linear < ram_bytes)
      return map_ram(base, base, LARGE_PAGE, 1);
    return map_device(linear, linear, write);
  }
  u32 directory = DATA(PLEX86_CR3) & PAGE_MASK;
  if (directory >= ram_bytes)
    return MMU_NOT_PRESENT;
  volatile u32 *pde_at = table_entry(directory + (linear >> 22) * 4);
  u32 pde = *pde_at;
  if (!(pde & PTE_PRESENT))
    return MMU_NOT_PRESENT;
  u32 used = PTE_ACCESSED | (write ? PTE_DIRTY : 0);
  if (pde & PTE_LARGE && VM->cr4 & CR4_PSE) {
    if (refused(pde, write, user))
      return MMU_PROTECTED;
    mark_used(pde_at, pde, used);
    return map_large(linear, directory, pde | used, write);
  }
  u32 table = pde & PAGE_MASK;
  if (table >= ram_bytes)
    return MMU_NOT_PRESENT;
  volatile u32 *pte_at = table_entry(table + (linear >> 12 & 1023) * 4);
  u32 pte = *pte_at;
  if (!(pte & PTE_PRESENT))
    return MMU_NOT_PRESENT;
  u32 rights = pde & pte;
  if (refused(rights, write, user))
    return MMU_PROTECTED;
  mark_used(pde_at, pde, PTE_ACCESSED);
  mark_used(pte_at, pte, used);
  pte |= used;
  if ((pte & PAGE_MASK) >= ram_bytes)
    return map_device(linear, (pte & PAGE_MASK) + (linear & ~PAGE_MASK), write);
  /* A page that is clean stays read-only here, so that the first write sets its D bit. */
  return map_small(linear, table, pte, pte & PTE_DIRTY && (rights & PTE_WRITE || !(VM->cr0 & CR0_WP)));
}

int mmu_translate(u32 linear, u32 *physical)
{
  u32 directory = DATA(PLEX86_CR3) & PAGE_MASK;
  if (!(VM->cr0 & CR0_PG)) {
    *physical = linear;
    return 1;
  }
  if (directory >= ram_bytes)
    return 0;
  u32 pde = *table_entry(directory + (linear >> 22) * 4);
  if (!(pde & PTE_PRESENT))
    return 0;
  if (pde & PTE_LARGE && VM->cr4 & CR4_PSE) {
    *physical = (pde & LARGE_MASK) | (linear & ~LARGE_MASK);
    return 1;
  }
  u32 table = pde & PAGE_MASK;
  if (table >= ram_bytes)
    return 0;
  u32 pte = *table_entry(table + (linear >> 12 & 1023) * 4);
  if (!(pte & PTE_PRESENT))
    return 0;
  *physical = (pte & PAGE_MASK) | (linear & ~PAGE_MASK);
  return 1;
}
