/* SPDX-License-Identifier: Apache-2.0 */
/* What the gates do.  gates.S has saved the guest's registers and restores them afterwards. */
#include "nexus.h"

static void end_by_guest(u32 reason)
{
  switch (reason) {
  case PLEX86_END_POWEROFF:
  case PLEX86_END_REBOOT:
  case PLEX86_END_PANIC:
  case PLEX86_END_HALT:
    end_vm(reason, "");
  default:
    end_vm(END_NEXUS, "the guest ended for an unknown reason, %u", reason);
  }
}

/* User code called a gate that is the kernel's: a far call to a selector it may not use. */
static void refuse_gate(u32 gate)
{
  if (gate == PLEX86_GATE_IRET)
    inject_exception_error(VECTOR_GP, PLEX86_GATE_CS & ~3u);
  else {
    REGS.eip -= 7; /* lcall ptr16:32 */
    inject_exception_error(VECTOR_GP, PLEX86_GATE_CS & ~3u);
  }
}

void gate_look_up(void)
{
  if (covers & COVERS_KERNEL)
    inject_interrupts();
  else
    user_look_up();
}

void gate_dispatch(u32 gate)
{
  if (!(covers & COVERS_KERNEL)) {
    user_gate(gate);
    return;
  }
  u32 user = VM->cpl == 3;
  if (gate == PLEX86_GATE_IRET && !user) {
    return_from_interrupt();
    return;
  }
  if (gate != PLEX86_GATE_IRET) {
    u32 frame = REGS.gpr[ESP]; /* the far call has just written it: it is mapped */
    REGS.eip = LINEAR32(frame);
    REGS.gpr[ESP] = frame + 8;
  }
  REGS.eflags = (REGS.eflags & EFLAGS_GUEST) | EFLAGS_HOST;
  if (VM->step_in_gate) {
    VM->step_in_gate = 0;
    REGS.eflags |= EFLAGS_TF;
  }
  if (user && gate != PLEX86_GATE_SYSCALL) {
    refuse_gate(gate);
    return;
  }
  switch (gate) {
  case PLEX86_GATE_STI: /* delivered on the way out */
    break;
  case PLEX86_GATE_CPUID:
    cpuid_gate();
    break;
  case PLEX86_GATE_INVLPG:
    tlb_invalidate(REGS.gpr[EAX], REGS.gpr[EDX]);
    break;
  case PLEX86_GATE_CR3:
    space_load_cr3(REGS.gpr[EAX]);
    break;
  case PLEX86_GATE_TLS:
    tls_set(REGS.gpr[EAX]);
    break;
  case PLEX86_GATE_SYSCALL:
    /* Behind the gate call stands `int $0x80`: its address + 2 is where the kernel returns to, and
     * restarts from after subtracting 2 (arch/x86/kernel/signal.c). */
    COUNT(syscalls_gate);
    REGS.eip += 2;
    inject_software(VECTOR_SYSCALL);
    break;
  case PLEX86_GATE_PGD_FREE:
    space_forget(REGS.gpr[EAX]);
    break;
  case PLEX86_GATE_HALT:
    halt();
    break;
  case PLEX86_GATE_TIMER:
    COUNT(timer_programmed);
    timer_program();
    break;
  case PLEX86_GATE_LOG:
    monitor_log(REGS.gpr[EDX], REGS.gpr[ECX]);
    break;
  case PLEX86_GATE_END:
    end_by_guest(REGS.gpr[EAX]);
    break;
  case PLEX86_GATE_DOORBELL:
    monitor_doorbell(REGS.gpr[EAX], REGS.gpr[EDX]);
    break;
  case PLEX86_GATE_ACK:
    monitor_acknowledge(REGS.gpr[EAX], REGS.gpr[EDX]);
    break;
  case PLEX86_GATE_COPY_USER:
    copy_user_gate();
    break;
  case PLEX86_GATE_CLEAR_USER:
    clear_user_gate();
    break;
  case PLEX86_GATE_GET_USER:
    get_user_gate();
    break;
  case PLEX86_GATE_PUT_USER:
    put_user_gate();
    break;
  case PLEX86_GATE_FPU:
    users_fetch_fpu();
    break;
  }
}
