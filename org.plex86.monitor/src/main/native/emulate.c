/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Privileged instructions of the guest kernel, which fault at CPL 3, and its
 * stores to device registers.  Everything frequent has a gate instead, so this
 * runs a few hundred times in a boot.
 */
#include "nexus.h"

#define PREFIXES_MAX 14

struct instruction {
  u32 at; /* of the opcode */
  int operand_16;
};

static int skip_prefixes(struct instruction *instruction)
{
  instruction->operand_16 = 0;
  for (u32 i = 0; i <= PREFIXES_MAX; i++) {
    instruction->at = REGS.eip + i;
    switch (LINEAR8(instruction->at)) {
    case 0x66:
      instruction->operand_16 = 1;
      break;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0xf2:
    case 0xf3:
      break;
    default:
      return 1;
    }
  }
  return 0;
}

static u32 size_mask(u32 size)
{
  return size == 1 ? 0xff : size == 2 ? 0xffff : 0xffffffff;
}

static int port_io(u32 port, u32 size, int out)
{
  u32 mask = size_mask(size);
  u64 value = out ? REGS.gpr[EAX] & mask : 0;
  if (monitor_exit(out ? EXIT_PIO_OUT : EXIT_PIO_IN, 0, port & 0xffff, size, &value))
    return 0;
  if (!out)
    REGS.gpr[EAX] = (REGS.gpr[EAX] & ~mask) | ((u32)value & mask);
  return 1;
}

/* lldt, ltr; the rest of group 6 does not fault or is not for a kernel without an LDT */
static u32 group6(u32 at)
{
  struct operand operand;
  decode_operand(at, &operand);
  u32 selector = operand.mode == 3 ? *decode_register(operand.rm) & 0xffff : LINEAR16(operand.address);
  if (operand.reg == 3) {
    u32 descriptor = VM->gdt_base + (selector & 0xfff8);
    u32 low = LINEAR32(descriptor), high = LINEAR32(descriptor + 4);
    VM->tss_base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
  } else if (operand.reg != 2) {
    return 0;
  }
  return operand.length;
}

/* lgdt, lidt, lmsw, invlpg, xsetbv */
static u32 group7(u32 at)
{
  if (LINEAR8(at) == 0xd1) {
    VM->guest_xcr0 = ((u64)REGS.gpr[EDX] << 32 | REGS.gpr[EAX]) & CONTROL->guest_xcr0;
    return 1;
  }
  struct operand operand;
  decode_operand(at, &operand);
  if (operand.mode == 3)
    return 0;
  switch (operand.reg) {
  case 2:
    VM->gdt_base = LINEAR32(operand.address + 2);
    return operand.length;
  case 3:
    VM->idt_limit = LINEAR16(operand.address);
    VM->idt_base = LINEAR32(operand.address + 2);
    return operand.length;
  case 7:
    tlb_invalidate(operand.address & PAGE_MASK, (operand.address & PAGE_MASK) + PAGE_SIZE);
    return operand.length;
  default:
    return 0;
  }
}

static void write_cr0(u32 value)
{
  u32 changed = VM->cr0 ^ value;
  VM->cr0 = value;
  if (changed & (CR0_PG | CR0_WP))
    tlb_flush_all();
}

/* A change of PGE flushes all; Linux toggles it for just that, so once is enough. */
static void write_cr4(u32 value)
{
  u32 changed = VM->cr4 ^ value;
  VM->cr4 = value;
  if (changed & CR4_PSE || (changed & CR4_PGE && !(value & CR4_PGE)))
    tlb_flush_all();
}

static int move_control(u8 modrm, int write)
{
  u32 *gpr = decode_register(modrm & 7);
  u32 number = modrm >> 3 & 7;
  if (write) {
    switch (number) {
    case 0:
      write_cr0(*gpr);
      return 1;
    case 2:
      DATA(PLEX86_CR2) = *gpr;
      return 1;
    case 3:
      space_reload_cr3(*gpr); /* not from here to another process: eip is not settled yet */
      return 1;
    case 4:
      write_cr4(*gpr);
      return 1;
    }
    return 0;
  }
  switch (number) {
  case 0:
    *gpr = VM->cr0;
    return 1;
  case 2:
    *gpr = DATA(PLEX86_CR2);
    return 1;
  case 3:
    *gpr = DATA(PLEX86_CR3);
    return 1;
  case 4:
    *gpr = VM->cr4;
    return 1;
  }
  return 0;
}

/* There are no hardware breakpoints; DR6 tells a single step from one. */
static void move_debug(u8 modrm, int write)
{
  u32 *gpr = decode_register(modrm & 7);
  u32 number = modrm >> 3 & 7;
  if (!write)
    *gpr = number == 6 ? VM->dr6 : number == 7 ? 0x400 : 0;
  else if (number == 6)
    VM->dr6 = *gpr;
}

static int move_msr(int write)
{
  u64 value = write ? (u64)REGS.gpr[EDX] << 32 | REGS.gpr[EAX] : 0;
  if (monitor_exit(write ? EXIT_WRMSR : EXIT_RDMSR, 0, REGS.gpr[ECX], 8, &value))
    return 0;
  if (!write) {
    REGS.gpr[EAX] = (u32)value;
    REGS.gpr[EDX] = (u32)(value >> 32);
  }
  return 1;
}

/* Opcodes behind 0x0f.  Returns the instruction's length from the second byte on, or 0. */
static u32 emulate_0f(u32 at)
{
  u32 length;
  switch (LINEAR8(at)) {
  case 0x00:
    length = group6(at + 1);
    return length ? 1 + length : 0;
  case 0x01:
    length = group7(at + 1);
    return length ? 1 + length : 0;
  case 0x06: /* clts */
  case 0x08: /* invd */
  case 0x09: /* wbinvd */
    return 1;
  case 0x20:
    return move_control(LINEAR8(at + 1), 0) ? 2 : 0;
  case 0x22:
    return move_control(LINEAR8(at + 1), 1) ? 2 : 0;
  case 0x21:
    move_debug(LINEAR8(at + 1), 0);
    return 2;
  case 0x23:
    move_debug(LINEAR8(at + 1), 1);
    return 2;
  case 0x30:
    return move_msr(1) ? 1 : 0;
  case 0x32:
    return move_msr(0) ? 1 : 0;
  default:
    return 0;
  }
}

int emulate_privileged(void)
{
  struct instruction instruction;
  if (!skip_prefixes(&instruction))
    return 0;
  u32 at = instruction.at, length = 1, wide = instruction.operand_16 ? 2 : 4;
  u8 opcode = LINEAR8(at);
  switch (opcode) {
  case 0x0f:
    length = emulate_0f(at + 1);
    if (!length)
      return 0;
    length++;
    break;
  case 0xe4:
  case 0xe5:
  case 0xe6:
  case 0xe7:
    if (!port_io(LINEAR8(at + 1), opcode & 1 ? wide : 1, opcode & 2))
      return 0;
    length = 2;
    break;
  case 0xec:
  case 0xed:
  case 0xee:
  case 0xef:
    if (!port_io(REGS.gpr[EDX], opcode & 1 ? wide : 1, opcode & 2))
      return 0;
    break;
  case 0xea: /* ljmp to a selector that only the guest's GDT has: all code segments are flat */
    REGS.eip = LINEAR32(at + 1);
    return 1;
  case 0xf4: /* outside the idle loop: for ever */
    if (!DATA(PLEX86_VIF))
      end_vm(PLEX86_END_HALT, "");
    halt();
    break;
  case 0xfa:
    DATA(PLEX86_VIF) = 0;
    break;
  case 0xfb:
    DATA(PLEX86_VIF) = EFLAGS_IF;
    break;
  default:
    return 0;
  }
  COUNT(privileged);
  REGS.eip = at + length;
  return 1;
}

/* mov to memory, in the forms that the kernel's writeb, writew and writel compile to. */
static int decode_store(u32 *size, u32 *value, u32 *next)
{
  struct instruction instruction;
  struct operand operand;
  if (!skip_prefixes(&instruction))
    return 0;
  u32 at = instruction.at;
  u8 opcode = LINEAR8(at);
  *size = opcode & 1 ? (instruction.operand_16 ? 2 : 4) : 1;
  switch (opcode) {
  case 0x88:
  case 0x89:
    decode_operand(at + 1, &operand);
    *next = at + 1 + operand.length;
    /* byte registers 4 to 7 are ah, ch, dh, bh */
    *value = *size == 1 ? REGS.gpr[operand.reg & 3] >> (operand.reg & 4 ? 8 : 0) : REGS.gpr[operand.reg];
    break;
  case 0xc6:
  case 0xc7:
    decode_operand(at + 1, &operand);
    at += 1 + operand.length;
    *value = *size == 1 ? LINEAR8(at) : *size == 2 ? LINEAR16(at) : LINEAR32(at);
    *next = at + *size;
    break;
  case 0xa2:
  case 0xa3:
    *value = REGS.gpr[EAX];
    *next = at + 5;
    break;
  default:
    return 0;
  }
  *value &= size_mask(*size);
  return 1;
}

#define VIRTIO_MMIO_QUEUE_NOTIFY 0x050 /* virtio 1.2, 4.2.2 */
#define VIRTIO_MMIO_INTERRUPT_ACK 0x064

static void write_device(u32 device, u32 offset, u32 size, u32 value)
{
  switch (offset) {
  case VIRTIO_MMIO_QUEUE_NOTIFY:
    monitor_doorbell(device, value);
    break;
  case VIRTIO_MMIO_INTERRUPT_ACK:
    monitor_acknowledge(device, value);
    break;
  default: {
    u64 wide = value;
    monitor_exit(EXIT_MMIO_WRITE, device, offset, size, &wide);
  }
  }
}

int emulate_device_store(u32 linear)
{
  u32 size, value, next, physical;
  if (!decode_store(&size, &value, &next) || !mmu_translate(linear, &physical))
    return 0;
  u32 device = (physical - PLEX86_MMIO_BASE) >> 12;
  if (physical >= PLEX86_MMIO_BASE && device < CONTROL->devices && device < PLEX86_MMIO_DEVICES) {
    COUNT(mmio_writes);
    write_device(device, physical & 0xfff, size, value);
  }
  REGS.eip = next;
  return 1;
}
