/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's TLS descriptors, in the host's GDT.  A set_thread_area costs as
 * much as a fault, so they are loaded when user code is about to run, and only
 * where this process has others: the host then reloads a %gs that names one.
 * Until then the guest kernel may load that %gs (arch/x86/kernel/process_32.c,
 * __switch_to), for which a descriptor that is present will do.
 */
#include "nexus.h"

#define I386_set_thread_area 243

/* In the data page, as a 32-bit system call takes a 32-bit address. */
#define USER_DESC (PLEX86_DATA + 0x200)

#define DESC_EMPTY 0x28 /* read_exec_only, seg_not_present */
#define HIGH_PRESENT 0x8000 /* in the descriptor's high word */

static u32 loaded[TLS_ENTRIES * 2] USER_DATA;

u32 gs_selector(void)
{
  u32 selector;
  asm volatile("mov %%gs, %0" : "=r"(selector));
  return selector & 0xffff;
}

void tls_describe(volatile struct user_desc *desc, u32 index, const u32 *tls)
{
  u32 low = tls[index * 2], high = tls[index * 2 + 1], type = high >> 8 & 0xf;
  desc->entry_number = TLS_FIRST + index;
  if (!(low | high)) {
    desc->base = 0;
    desc->limit = 0;
    desc->flags = DESC_EMPTY;
  } else {
    desc->base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
    desc->limit = (low & 0xffff) | (high & 0xf0000);
    desc->flags = (high >> 22 & 1) |
                  (type & 8    ? 2u << 1
                    : type & 4 ? 1u << 1
                               : 0) |
                  (type & 2 ? 0 : 1u << 3) | (high >> 23 & 1) << 4 | (high >> 15 & 1 ? 0 : 1u << 5) |
                  (high >> 20 & 1) << 6;
  }
}

static int is_loaded(u32 index, const u32 *tls)
{
  return tls[index * 2] == loaded[index * 2] && tls[index * 2 + 1] == loaded[index * 2 + 1];
}

/* seccomp.c lets this one instruction through.  A descriptor that the host refuses stays as it was. */
static void set_thread_area(u64 desc, u32 index, const u32 *tls)
{
  s64 number_or_error = I386_set_thread_area;
  asm volatile("int $0x80" : "+a"(number_or_error) : "b"(desc) : "memory", "r8", "r9", "r10", "r11");
  loaded[index * 2] = tls[index * 2];
  loaded[index * 2 + 1] = tls[index * 2 + 1];
}

static void load_entry(u32 index)
{
  if (is_loaded(index, VM->tls))
    return;
  tls_describe((volatile struct user_desc *)USER_DESC, index, VM->tls);
  set_thread_area(USER_DESC, index, VM->tls);
  COUNT(tls_loads);
}

void tls_load(void)
{
  for (u32 i = 0; i < TLS_ENTRIES; i++)
    load_entry(i);
}

void tls_load_order(void)
{
  const struct order *order = (const struct order *)ORDER_HERE;
  for (u32 i = 0; i < TLS_ENTRIES; i++)
    if (!is_loaded(i, order->tls))
      set_thread_area((u64)&order->desc[i], i, order->tls);
}

void tls_forget(void)
{
  memset(loaded, 0xff, sizeof loaded);
}

void tls_load_missing(void)
{
  for (u32 i = 0; i < TLS_ENTRIES; i++)
    if (VM->tls[i * 2 + 1] & ~loaded[i * 2 + 1] & HIGH_PRESENT)
      load_entry(i);
}

/* The selector where loading it cannot fault: flat data or code, a TLS entry that is present; else a null one. */
static u32 loadable(u32 selector)
{
  u32 index = selector >> 3, table = selector & 4;
  if (table)
    return 0;
  if (index >= TLS_FIRST && index < TLS_FIRST + TLS_ENTRIES)
    return loaded[(index - TLS_FIRST) * 2 + 1] & HIGH_PRESENT ? selector : 0;
  return index == 0 || index == HOST_CS32 >> 3 || index == HOST_DS >> 3 ? selector : 0;
}

void gs_load(u32 selector)
{
  selector = loadable(selector);
  if (selector != gs_selector())
    asm volatile("mov %0, %%gs" : : "r"(selector));
}

void segments_read(volatile u16 *selectors)
{
  asm volatile("mov %%ds, %0" : "=m"(selectors[0]));
  asm volatile("mov %%es, %0" : "=m"(selectors[1]));
  asm volatile("mov %%fs, %0" : "=m"(selectors[2]));
  asm volatile("mov %%gs, %0" : "=m"(selectors[3]));
}

void segments_load(const u16 *selectors)
{
  u32 fs;
  asm volatile("mov %0, %%ds" : : "r"(loadable(selectors[0])));
  asm volatile("mov %0, %%es" : : "r"(loadable(selectors[1])));
  asm volatile("mov %%fs, %0" : "=r"(fs));
  if ((fs & 0xffff) != loadable(selectors[2]))
    asm volatile("mov %0, %%fs" : : "r"(loadable(selectors[2])));
  gs_load(selectors[3]);
}

void tls_set(u32 linear)
{
  if (linear >= GUEST_TOP - sizeof VM->tls)
    return;
  for (u32 i = 0; i < TLS_ENTRIES * 2; i++)
    VM->tls[i] = LINEAR32(linear + i * 4);
  tls_load_missing();
}
