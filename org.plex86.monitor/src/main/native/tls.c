/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's TLS descriptors, in the host's GDT.  The guest kernel only says
 * which ones it wants; they are loaded when user code is about to run, and only
 * where this process has others: a set_thread_area costs as much as a fault.
 */
#include "nexus.h"

#define I386_set_thread_area 243

/* In the data page, as a 32-bit system call takes a 32-bit address. */
#define USER_DESC (PLEX86_DATA + 0x200)

/* <asm/ldt.h> */
struct user_desc {
  u32 entry_number;
  u32 base;
  u32 limit;
  u32 flags; /* seg_32bit, contents (2), read_exec_only, limit_in_pages, seg_not_present, useable */
};
#define DESC_EMPTY 0x28 /* read_exec_only, seg_not_present */

static u32 loaded[TLS_ENTRIES * 2];

u32 gs_selector(void)
{
  u32 selector;
  asm volatile("mov %%gs, %0" : "=r"(selector));
  return selector & 0xffff;
}

/* Loads %gs where that cannot fault: the null selector, flat data, a TLS entry that is present. */
void gs_load(u32 selector)
{
  u32 index = selector >> 3;
  if (index >= TLS_FIRST && index < TLS_FIRST + TLS_ENTRIES) {
    tls_load();
    if (!(loaded[(index - TLS_FIRST) * 2 + 1] & 0x8000) || (selector & 7) != 3)
      selector = 0;
  } else if (selector != HOST_DS) {
    selector = 0;
  }
  if (selector != gs_selector())
    asm volatile("mov %0, %%gs" : : "r"(selector));
}

void tls_set(u32 linear)
{
  if (linear >= GUEST_TOP - sizeof VM->tls)
    return;
  for (u32 i = 0; i < TLS_ENTRIES * 2; i++)
    VM->tls[i] = LINEAR32(linear + i * 4);
}

static void set_entry(u32 index, u32 low, u32 high)
{
  volatile struct user_desc *desc = (volatile struct user_desc *)USER_DESC;
  u32 type = high >> 8 & 0xf;
  desc->entry_number = TLS_FIRST + index;
  if (!(low | high)) {
    desc->base = 0;
    desc->limit = 0;
    desc->flags = DESC_EMPTY;
  } else {
    desc->base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
    desc->limit = (low & 0xffff) | (high & 0xf0000);
    desc->flags = (high >> 22 & 1) | (type & 8 ? 2u << 1 : type & 4 ? 1u << 1 : 0) |
                  (type & 2 ? 0 : 1u << 3) | (high >> 23 & 1) << 4 | (high >> 15 & 1 ? 0 : 1u << 5) |
                  (high >> 20 & 1) << 6;
  }
  /* seccomp.c lets this one instruction through. A descriptor that the host refuses stays as it was. */
  s64 number_or_error = I386_set_thread_area;
  asm volatile("int $0x80" : "+a"(number_or_error) : "b"(USER_DESC) : "memory", "r8", "r9", "r10", "r11");
  COUNT(tls_loads);
}

void tls_load(void)
{
  for (u32 i = 0; i < TLS_ENTRIES; i++) {
    u32 low = VM->tls[i * 2], high = VM->tls[i * 2 + 1];
    if (low == loaded[i * 2] && high == loaded[i * 2 + 1])
      continue;
    loaded[i * 2] = low;
    loaded[i * 2 + 1] = high;
    set_entry(i, low, high);
  }
}
