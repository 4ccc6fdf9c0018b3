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

void fpu_save(void)
{
  u32 mask = (u32)CONTROL->guest_xcr0 & XCR0_GUEST;
  if (fpu_compact)
    asm volatile("xsavec (%0)" : : "r"(VM->fpu), "a"(mask), "d"(0) : "memory");
  else
    asm volatile("xsave (%0)" : : "r"(VM->fpu), "a"(mask), "d"(0) : "memory");
}

void fpu_restore(void)
{
  u32 mask = (u32)CONTROL->guest_xcr0 & XCR0_GUEST;
  asm volatile("xrstor (%0)" : : "r"(VM->fpu), "a"(mask), "d"(0) : "memory");
}
