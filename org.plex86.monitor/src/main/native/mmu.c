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

/* Pages that one fault maps at most on each side of the faulting one; tlb.c notes 1 MiB of a map page by page. */
#define FAULT_AROUND 64
#define FAULT_AROUND_KERNEL 127
u64 ram_bytes;

static volatile u32 *table_entry(u32 physical)
{
  return (volatile u32 *)(NEXUS_RAM + physical);
}

/* Whether the entry at level 1 or 2 of the tables leads users on, to memory that there is. */
static int leads_users_to_ram(u32 entry)
{
  return (entry & (PTE_PRESENT | PTE_USER)) == (PTE_PRESENT | PTE_USER) && (entry & PAGE_MASK) < ram_bytes;
}

int mmu_shows(u32 linear, u32 physical)
{
  u32 directory = DATA(PLEX86_CR3) & PAGE_MASK;
  if (!(VM->cr0 & CR0_PG) || directory >= ram_bytes)
    return 0;
  u32 pde = *table_entry(directory + (linear >> 22) * 4);
  if (!leads_users_to_ram(pde) || pde & PTE_LARGE)
    return 0;
  u32 pte = *table_entry((pde & PAGE_MASK) + (linear >> 12 & 1023) * 4);
  return leads_users_to_ram(pte) && (pte & PAGE_MASK) == physical;
}

int mmu_is_large(u32 linear)
{
  u32 directory = (DATA(PLEX86_CR3) & PAGE_MASK) + (linear >> 22) * 4;
  if (directory >= ram_bytes)
    return 0;
  return (*table_entry(directory) & (PTE_PRESENT | PTE_LARGE)) == (PTE_PRESENT | PTE_LARGE);
}

static enum mmu_result map_ram(struct tlb *tlb, u32 linear, u32 physical, u32 length, int write, int clean)
{
  if (linear < lowest_page) {
    u32 skip = lowest_page - linear;
    linear += skip;
    physical += skip;
    length -= skip;
  }
  if (physical + (u64)length > ram_bytes)
    length = (u32)ram_bytes - physical;
  tlb_map(tlb, linear, length, PROT_READ | PROT_EXEC | (write ? PROT_WRITE : 0), FD_RAM, physical);
  if (!write)
    tlb_note_read_only(tlb, linear, physical, length, clean);
  return MMU_MAPPED;
}

/* One page that is not RAM: a device's registers, or nothing at all. */
static enum mmu_result map_device(struct tlb *tlb, u32 linear, u32 physical, int write)
{
  u32 device = (physical - PLEX86_MMIO_BASE) >> 12;
  u64 offset = physical >= PLEX86_MMIO_BASE && device < PLEX86_MMIO_DEVICES ? CONTROL_DEVICES + (u64)device * PAGE_SIZE
                                                                            : CONTROL_VOID;
  if (write)
    return MMU_DEVICE;
  tlb_map(tlb, linear & PAGE_MASK, PAGE_SIZE, PROT_READ, FD_CONTROL, offset);
  return MMU_MAPPED;
}

/* A 4 MiB page, and its neighbours where they go on in physical memory. */
static enum mmu_result map_large(struct tlb *tlb, u32 linear, u32 directory, u32 entry, int write)
{
  u32 physical = entry & LARGE_MASK, offset = linear & ~LARGE_MASK;
  if (physical + (u64)offset >= ram_bytes)
    return map_device(tlb, linear, physical + offset, write);
  u32 index = linear >> 22, low = index, high = index + 1;
  while (low > GUEST_KERNEL >> 22 && low <= index &&
         *table_entry(directory + (low - 1) * 4) == entry - ((index - low + 1) << 22) &&
         physical >= (index - low + 1) << 22)
    low--;
  u32 limit = (linear < GUEST_KERNEL ? GUEST_KERNEL : GUEST_TOP) >> 22;
  while (high < limit && *table_entry(directory + high * 4) == entry + ((high - index) << 22) &&
         physical + ((u64)(high - index) << 22) < ram_bytes)
    high++;
  return map_ram(tlb, low << 22, physical - ((index - low) << 22), (high - low) << 22,
    (entry & (PTE_WRITE | PTE_DIRTY)) == (PTE_WRITE | PTE_DIRTY), 0);
}

/* A 4 KiB page, and its neighbours in the same table where they go on in physical memory, with the same bits but for those
 * in ignored. */
static enum mmu_result map_small(struct tlb *tlb, u32 linear, u32 table, u32 entry, int writable, u32 ignored)
{
  u32 index = linear >> 12 & 1023, low = index, high = index + 1;
  u32 first_page = linear >> 12 & ~1023u, around = ignored ? FAULT_AROUND_KERNEL : FAULT_AROUND;
  entry |= ignored;
  while (low > 0 && index - low < around && !tlb_holds(tlb, (first_page + low - 1) << 12) &&
         (*table_entry(table + (low - 1) * 4) | ignored) == entry - ((index - low + 1) << 12))
    low--;
  while (high < 1024 && high - index < around && !tlb_holds(tlb, (first_page + high) << 12) &&
         (*table_entry(table + high * 4) | ignored) == entry + ((high - index) << 12))
    high++;
  u32 back = index - low;
  while ((entry & PAGE_MASK) < back << 12)
    back--; /* the run wrapped around in the physical address */
  u32 physical = (entry & PAGE_MASK) - (back << 12);
  return map_ram(tlb, (linear & PAGE_MASK) - (back << 12), physical, (high - index + back) << 12, writable,
    !(entry & (PTE_WRITE | PTE_DIRTY)));
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

/* What a walk of the guest's tables has found; the entries with the bits that it has set. */
struct walk {
  u32 directory; /* guest-physical */
  u32 table; /* guest-physical; 0: entry is that of a 4 MiB page */
  u32 entry;
  u32 rights;
};

/* Sets the A and D bits as the access does. */
static enum mmu_result walk_tables(u32 linear, int write, int user, struct walk *walk)
{
  walk->directory = DATA(PLEX86_CR3) & PAGE_MASK;
  if (walk->directory >= ram_bytes)
    return MMU_NOT_PRESENT;
  volatile u32 *pde_at = table_entry(walk->directory + (linear >> 22) * 4);
  u32 pde = *pde_at;
  if (!(pde & PTE_PRESENT))
    return MMU_NOT_PRESENT;
  u32 used = PTE_ACCESSED | (write ? PTE_DIRTY : 0);
  if (pde & PTE_LARGE && VM->cr4 & CR4_PSE) {
    if (refused(pde, write, user))
      return MMU_PROTECTED;
    mark_used(pde_at, pde, used);
    walk->table = 0;
    walk->entry = pde | used;
    walk->rights = pde;
    return MMU_MAPPED;
  }
  walk->table = pde & PAGE_MASK;
  if (walk->table >= ram_bytes)
    return MMU_NOT_PRESENT;
  volatile u32 *pte_at = table_entry(walk->table + (linear >> 12 & 1023) * 4);
  u32 pte = *pte_at;
  if (!(pte & PTE_PRESENT))
    return MMU_NOT_PRESENT;
  walk->rights = pde & pte;
  if (refused(walk->rights, write, user))
    return MMU_PROTECTED;
  mark_used(pde_at, pde, PTE_ACCESSED);
  mark_used(pte_at, pte, used);
  walk->entry = pte | used;
  return MMU_MAPPED;
}

enum mmu_result mmu_map(struct tlb *tlb, u32 linear, int write, int user)
{
  u32 physical;
  if (linear < lowest_page) /* the host does not map there; what the guest is told is what its tables say */
    return mmu_translate(linear, &physical) ? MMU_PROTECTED : MMU_NOT_PRESENT;
  if (!(VM->cr0 & CR0_PG)) {
    u32 base = linear & LARGE_MASK;
    if (linear < ram_bytes)
      return map_ram(tlb, base, base, LARGE_PAGE, 1, 0);
    return map_device(tlb, linear, linear, write);
  }
  struct walk walk;
  enum mmu_result result = walk_tables(linear, write, user, &walk);
  if (result != MMU_MAPPED)
    return result;
  if (!walk.table)
    return map_large(tlb, linear, walk.directory, walk.entry, write);
  u32 entry = walk.entry;
  if ((entry & PAGE_MASK) >= ram_bytes)
    return map_device(tlb, linear, (entry & PAGE_MASK) + (linear & ~PAGE_MASK), write);
  /* A page of users that is clean stays read-only here, so that the first write sets its D bit.  Nobody looks at the A
   * and D bits of the kernel's own pages. */
  u32 ignored = linear < GUEST_KERNEL ? 0 : PTE_ACCESSED | PTE_DIRTY;
  int is_writable = walk.rights & PTE_WRITE || (!tlb->user_slot && !(VM->cr0 & CR0_WP));
  return map_small(tlb, linear, walk.table, entry, (entry | ignored) & PTE_DIRTY && is_writable, ignored);
}

enum mmu_result mmu_access(u32 linear, int write, u8 **host)
{
  struct walk walk;
  if (!(VM->cr0 & CR0_PG))
    return MMU_DEVICE;
  enum mmu_result result = walk_tables(linear, write, 0, &walk);
  if (result != MMU_MAPPED)
    return result;
  u32 offset_mask = walk.table ? ~PAGE_MASK : ~LARGE_MASK;
  u32 physical = (walk.entry & ~offset_mask) | (linear & offset_mask);
  if (physical >= ram_bytes)
    return MMU_DEVICE;
  *host = (u8 *)(NEXUS_RAM + physical);
  return MMU_MAPPED;
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
