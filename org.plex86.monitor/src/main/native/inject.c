/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery of exceptions and interrupts through the guest's IDT, and iret
 * (SDM vol. 3, 6.12 and 6.13).  Ring 0 of the guest is ring 3 of the host, so
 * only the stack switch and the flags are left to do.
 */
#include "nexus.h"

#define GATE_PRESENT 0x8000
#define GATE_TYPE_MASK 0x1f00
#define GATE_TASK 0x0500
#define GATE_INTERRUPT_32 0x0e00
#define GATE_TRAP_32 0x0f00
#define TSS_ESP0 4

static u32 push(u32 stack, u32 value)
{
  stack -= 4;
  if (stack >= GUEST_TOP - 4)
    end_vm(END_TRIPLE_FAULT, "the guest kernel's stack is outside its address space");
  LINEAR32(stack) = value;
  return stack;
}

static void enter_kernel(u32 vector, int has_error, u32 error, int software)
{
  if (vector * 8 + 7 > VM->idt_limit || VM->idt_base >= GUEST_TOP - 0x800)
    end_vm(END_TRIPLE_FAULT, "exception %u with error %x is outside the guest's IDT", vector, error);
  u32 low = LINEAR32(VM->idt_base + vector * 8);
  u32 high = LINEAR32(VM->idt_base + vector * 8 + 4);
  u32 type = high & GATE_TYPE_MASK;
  if (software && (high >> 13 & 3) < VM->cpl) {
    REGS.eip -= 2;
    enter_kernel(VECTOR_GP, 1, vector << 3 | 2, 0);
    return;
  }
  if (!(high & GATE_PRESENT) || (type != GATE_INTERRUPT_32 && type != GATE_TRAP_32))
    end_vm(END_TRIPLE_FAULT, "the guest's IDT entry %u is no 32-bit gate", vector);

  u32 eflags = (REGS.eflags & ~EFLAGS_IF) | DATA(PLEX86_VIF);
  u32 stack = REGS.gpr[ESP];
  if (VM->cpl == 3) {
    if (VM->tss_base >= GUEST_TOP - 8)
      end_vm(END_TRIPLE_FAULT, "the guest's TSS is outside its address space");
    stack = push(LINEAR32(VM->tss_base + TSS_ESP0), HOST_DS);
    stack = push(stack, REGS.gpr[ESP]);
  }
  stack = push(stack, eflags);
  stack = push(stack, VM->cpl == 3 ? HOST_CS32 : HOST_CS32 & ~3u);
  stack = push(stack, REGS.eip);
  if (has_error)
    stack = push(stack, error);
  REGS.gpr[ESP] = stack;
  REGS.eip = (low & 0xffff) | (high & 0xffff0000);
  /* AC as well: alignment is checked at CPL 3, where the guest kernel runs. */
  REGS.eflags &= ~(u32)(EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_AC);
  if (type == GATE_INTERRUPT_32)
    DATA(PLEX86_VIF) = 0;
  VM->cpl = 0;
}

void inject_exception(u32 vector)
{
  COUNT(exceptions);
  enter_kernel(vector, 0, 0, 0);
}

void inject_exception_error(u32 vector, u32 error)
{
  COUNT(exceptions);
  enter_kernel(vector, 1, error, 0);
}

void inject_software(u32 vector)
{
  enter_kernel(vector, 0, 0, 1);
}

void inject_page_fault(u32 linear, u32 error)
{
  COUNT(page_faults_injected);
  DATA(PLEX86_CR2) = linear;
  enter_kernel(VECTOR_PF, 1, error, 0);
}

int inject_is_due(void)
{
  return DATA(PLEX86_VIF) && (DATA(PLEX86_IRQ_PENDING) & ~DATA(PLEX86_IRQ_MASK));
}

void inject_interrupts(void)
{
  u32 ready = DATA(PLEX86_IRQ_PENDING) & ~DATA(PLEX86_IRQ_MASK);
  if (!ready || !DATA(PLEX86_VIF))
    return;
  u32 line = (u32)__builtin_ctz(ready);
  __atomic_fetch_and(&DATA(PLEX86_IRQ_PENDING), ~(1u << line), __ATOMIC_SEQ_CST);
  COUNT(interrupts);
  enter_kernel(PLEX86_VECTOR_BASE + line, 0, 0, 0);
}

/* This process runs user code itself. */
static void prepare_user(void)
{
  tls_load();
  tlb_check(&own_tlb);
  if (VM->prefault) { /* the page that user code faulted on is likely there now */
    u32 page = VM->prefault;
    VM->prefault = 0;
    mmu_map(&own_tlb, page & PAGE_MASK, page & 1, 1);
  }
}

void return_from_interrupt(void)
{
  COUNT(iret);
  u32 frame = REGS.gpr[ESP];
  u32 eip = LINEAR32(frame), cs = LINEAR32(frame + 4), eflags = LINEAR32(frame + 8);
  if (cs & 3) {
    REGS.gpr[ESP] = LINEAR32(frame + 12);
    VM->cpl = 3;
    if (!CONTROL->first_user_tsc)
      CONTROL->first_user_tsc = read_tsc();
  } else {
    REGS.gpr[ESP] = frame + 12;
    VM->cpl = 0;
  }
  REGS.eip = eip;
  REGS.eflags = (eflags & EFLAGS_GUEST) | EFLAGS_HOST;
  DATA(PLEX86_VIF) = eflags & EFLAGS_IF;
  if (VM->cpl == 0)
    return;
  if (covers & COVERS_USER)
    prepare_user();
  else
    users_run();
}
