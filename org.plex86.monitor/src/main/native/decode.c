/* SPDX-License-Identifier: Apache-2.0 */
/* ModRM, SIB and displacement of an instruction (SDM vol. 2, 2.1). */
#include "nexus.h"

u32 *decode_register(u32 number)
{
  return &REGS.gpr[number & 7];
}

/* Segment bases are not added: the guest kernel's data is flat. */
void decode_operand(u32 at, struct operand *operand)
{
  u8 modrm = LINEAR8(at);
  operand->mode = modrm >> 6;
  operand->reg = modrm >> 3 & 7;
  operand->rm = modrm & 7;
  operand->length = 1;
  operand->address = 0;
  if (operand->mode == 3)
    return;
  u32 base = operand->rm;
  int absolute = operand->mode == 0 && base == 5;
  if (operand->rm == 4) {
    u8 sib = LINEAR8(at + 1);
    u32 index = sib >> 3 & 7;
    base = sib & 7;
    operand->length++;
    absolute = operand->mode == 0 && base == 5;
    if (index != 4)
      operand->address = *decode_register(index) << (sib >> 6);
  }
  if (!absolute)
    operand->address += *decode_register(base);
  if (operand->mode == 1) {
    operand->address += (u32)(signed char)LINEAR8(at + operand->length);
    operand->length += 1;
  } else if (operand->mode == 2 || absolute) {
    operand->address += LINEAR32(at + operand->length);
    operand->length += 4;
  }
}
