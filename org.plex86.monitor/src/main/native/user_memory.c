/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gates by which the guest kernel reads and writes user memory in the strict
 * model: the page tables are walked, and the copy is made in guest-physical
 * memory.  Each gate is like an instruction that can fault: the registers say
 * what is left to do, eip is that of the gate call, and the guest's exception
 * tables name that.
 */
#include "nexus.h"

#define GATE_CALL 7 /* lcall ptr16:32, in bytes */

static void fault(u32 linear, enum mmu_result result, int write)
{
  REGS.eip -= GATE_CALL;
  inject_page_fault(linear, (result == MMU_NOT_PRESENT ? 0 : 1) | (write ? 2 : 0));
}

static u32 to_end_of_page(u32 linear)
{
  return PAGE_SIZE - (linear & ~PAGE_MASK);
}

static u32 least(u32 a, u32 b)
{
  return a < b ? a : b;
}

/* An interrupt is not to wait for a copy of megabytes: it comes between two pages. */
static int is_interrupted(void)
{
  if (!inject_is_due())
    return 0;
  REGS.eip -= GATE_CALL;
  return 1;
}

void copy_user_gate(void)
{
  for (;;) {
    u32 to = REGS.gpr[EDI], from = REGS.gpr[ESI], left = REGS.gpr[ECX];
    if (!left)
      return;
    u32 length = least(left, least(to_end_of_page(to), to_end_of_page(from)));
    u8 *source, *target;
    enum mmu_result result = mmu_access(from, 0, &source);
    if (result != MMU_MAPPED) {
      fault(from, result, 0);
      return;
    }
    result = mmu_access(to, 1, &target);
    if (result != MMU_MAPPED) {
      fault(to, result, 1);
      return;
    }
    memcpy(target, source, length);
    REGS.gpr[EDI] = to + length;
    REGS.gpr[ESI] = from + length;
    REGS.gpr[ECX] = left - length;
    if (left != length && is_interrupted())
      return;
  }
}

void clear_user_gate(void)
{
  for (;;) {
    u32 to = REGS.gpr[EDI], left = REGS.gpr[ECX];
    if (!left)
      return;
    u32 length = least(left, to_end_of_page(to));
    u8 *target;
    enum mmu_result result = mmu_access(to, 1, &target);
    if (result != MMU_MAPPED) {
      fault(to, result, 1);
      return;
    }
    memset(target, 0, length);
    REGS.gpr[EDI] = to + length;
    REGS.gpr[ECX] = left - length;
    if (left != length && is_interrupted())
      return;
  }
}

/* Up to 8 bytes, which may be on two pages.  Returns 0 where it has faulted. */
static int move_value(u32 linear, u32 size, u8 *value, int write)
{
  for (u32 done = 0; done < size;) {
    u32 at = linear + done, length = least(size - done, to_end_of_page(at));
    u8 *host;
    enum mmu_result result = mmu_access(at, write, &host);
    if (result != MMU_MAPPED) {
      fault(at, result, write);
      return 0;
    }
    if (write)
      memcpy(host, value + done, length);
    else
      memcpy(value + done, host, length);
    done += length;
  }
  return 1;
}

void get_user_gate(void)
{
  u32 size = least(REGS.gpr[EDX], 8), value[2] = {0, 0};
  if (!move_value(REGS.gpr[EAX], size, (u8 *)value, 0))
    return;
  REGS.gpr[EDX] = value[0];
  if (size == 8)
    REGS.gpr[ECX] = value[1];
}

void put_user_gate(void)
{
  u32 value[2] = {REGS.gpr[EAX], REGS.gpr[EDX]};
  move_value(REGS.gpr[ECX], least(REGS.gpr[EBX], 8), (u8 *)value, 1);
}
