/* SPDX-License-Identifier: Apache-2.0 */
/* The FPU registers belong to the guest; they travel with the virtual CPU from process to process. */
#include "nexus.h"

int fpu_compact;

_Static_assert(FPU_AREA >= 2696 + 64, "x87, SSE, AVX and AVX-512 state fits (SDM vol. 1, 13.4)");

void fpu_init(void)
{
  struct cpuid_entry entry;
  cpuid_host(0xd, 1, &entry);
  fpu_compact = entry.eax >> 1 & 1;
}

static u32 told_mask USER_DATA; /* in a user process, which cannot read the control memory */

u32 fpu_mask(void)
{
  return covers & COVERS_KERNEL ? (u32)CONTROL->guest_xcr0 & XCR0_GUEST : told_mask;
}

void fpu_use(u32 mask)
{
  told_mask = mask;
}

void fpu_save_to(void *area)
{
  if (fpu_compact)
    asm volatile("xsavec (%0)" : : "r"(area), "a"(fpu_mask()), "d"(0) : "memory");
  else
    asm volatile("xsave (%0)" : : "r"(area), "a"(fpu_mask()), "d"(0) : "memory");
}

void fpu_restore_from(const void *area)
{
  asm volatile("xrstor (%0)" : : "r"(area), "a"(fpu_mask()), "d"(0) : "memory");
}

void fpu_restore_standard(const void *area)
{
  fpu_restore_from(area);
}

void fpu_save(void)
{
  fpu_save_to(VM->fpu);
}

void fpu_restore(void)
{
  fpu_restore_from(VM->fpu);
}

/* The XSAVE header (SDM vol. 1, 13.4.2); MXCSR stands at 24, the mask of its bits at 28. */
#define HEADER_XSTATE_BV 64
#define HEADER_XCOMP_BV 65
#define COMPACT (1ul << 63)
#define MXCSR 6
#define MXCSR_BITS 0xffff

/*
 * XRSTOR faults on what it does not like (SDM vol. 1, 13.8); where the copy is such, all of it
 * becomes the initial state.
 */
void fpu_copy_hostile(void *to, const volatile void *from)
{
  memcpy(to, (const void *)from, FPU_AREA);
  u64 *words = to, mask = fpu_mask();
  u64 compact = fpu_compact ? COMPACT | mask : 0;
  int is_sound = !(words[HEADER_XSTATE_BV] & ~mask) && words[HEADER_XCOMP_BV] == compact;
  for (u32 i = HEADER_XCOMP_BV + 1; i < HEADER_XSTATE_BV + 8; i++)
    is_sound = is_sound && !words[i];
  if (!is_sound) {
    memset(to, 0, FPU_AREA);
    words[HEADER_XCOMP_BV] = compact;
    ((u32 *)to)[MXCSR] = 0x1f80;
  }
  ((u32 *)to)[MXCSR] &= MXCSR_BITS;
}
