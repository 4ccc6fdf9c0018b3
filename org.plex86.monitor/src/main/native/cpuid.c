/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID.  The supervisor writes down what the host's CPU says, the monitor
 * makes of it what the guest kernel is told, and the gate looks that up.
 * Guest user code executes the instruction itself and sees the host's CPU.
 */
#include "nexus.h"

/* Leaves whose answers depend on ecx, and how many sub-leaves are of interest. */
static u32 subleaves(u32 leaf)
{
  switch (leaf) {
  case 4:
    return 8;
  case 7:
    return 3;
  case 0xb:
    return 2;
  case 0xd:
    return 20;
  default:
    return 1;
  }
}

void cpuid_host(u32 leaf, u32 subleaf, struct cpuid_entry *entry)
{
  entry->leaf = leaf;
  entry->subleaf = subleaf;
  asm volatile("cpuid"
               : "=a"(entry->eax), "=b"(entry->ebx), "=c"(entry->ecx), "=d"(entry->edx)
               : "a"(leaf), "c"(subleaf));
}

static void probe_range(volatile struct cpuid_table *table, u32 first, u32 limit)
{
  struct cpuid_entry entry;
  cpuid_host(first, 0, &entry);
  u32 last = entry.eax < limit ? entry.eax : limit;
  for (u32 leaf = first; leaf <= last; leaf++)
    for (u32 subleaf = 0; subleaf < subleaves(leaf) && table->count < CPUID_ENTRIES_MAX; subleaf++) {
      cpuid_host(leaf, subleaf, &entry);
      table->entry[table->count++] = entry;
    }
}

void cpuid_probe(volatile struct cpuid_table *table)
{
  table->count = 0;
  probe_range(table, 0, 0x1f);
  probe_range(table, 0x80000000, 0x80000008);
}

u64 cpu_xcr0(void)
{
  struct cpuid_entry entry;
  cpuid_host(1, 0, &entry);
  if (!(entry.ecx >> 27 & 1)) /* OSXSAVE */
    return 3;
  u32 low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (u64)high << 32 | low;
}

/* Leaf 0xd, ebx: the size of the area for what XCR0 enables (SDM vol. 1, 13.2). */
static u32 xsave_size(volatile struct cpuid_table *table, u64 xcr0)
{
  u32 size = 576;
  for (u32 i = 0; i < table->count && i < CPUID_ENTRIES_MAX; i++) {
    volatile struct cpuid_entry *entry = &table->entry[i];
    u32 component = entry->subleaf;
    if (entry->leaf == 0xd && component >= 2 && component < 63 && xcr0 >> component & 1 &&
        entry->eax + entry->ebx > size)
      size = entry->eax + entry->ebx;
  }
  return size;
}

void cpuid_gate(void)
{
  volatile struct cpuid_table *table = (volatile struct cpuid_table *)(NEXUS_CONTROL + CONTROL_CPUID_GUEST);
  u32 leaf = REGS.gpr[EAX], subleaf = REGS.gpr[ECX];
  COUNT(cpuid);
  REGS.gpr[EAX] = REGS.gpr[EBX] = REGS.gpr[ECX] = REGS.gpr[EDX] = 0;
  for (u32 i = 0; i < table->count && i < CPUID_ENTRIES_MAX; i++) {
    volatile struct cpuid_entry *entry = &table->entry[i];
    if (entry->leaf != leaf || (subleaves(leaf) > 1 && entry->subleaf != subleaf))
      continue;
    REGS.gpr[EAX] = entry->eax;
    REGS.gpr[EBX] = entry->ebx;
    REGS.gpr[ECX] = entry->ecx;
    REGS.gpr[EDX] = entry->edx;
    if (leaf == 0xd && subleaf == 0)
      REGS.gpr[EBX] = xsave_size(table, VM->guest_xcr0);
    return;
  }
}
