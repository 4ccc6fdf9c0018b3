/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's signals are the guest's exceptions: the handler finds the guest's
 * registers in the signal frame, serves or injects what happened, and writes
 * them back.
 */
#include "nexus.h"

struct user_context {
  u64 flags;
  void *link;
  u64 stack[3];
  struct machine_context machine;
};

struct kernel_sigaction {
  signal_handler *handler;
  u64 flags;
  void (*restorer)(void);
  u64 mask;
};

#define SA_SIGINFO 0x4
#define SA_ONSTACK 0x08000000
#define SA_NODEFER 0x40000000
#define SA_RESTORER 0x04000000

#define PF_WRITE 2
#define GP_IDT 2 /* of an error code: the selector names an IDT entry */

int in_nexus(u64 rip)
{
  return (rip >= (u64)nexus_text_start && rip < (u64)nexus_text_end) ||
         (rip >= PLEX86_GATES && rip < PLEX86_GATES + PAGE_SIZE);
}

void load_registers(const struct machine_context *machine)
{
  REGS.gpr[EAX] = (u32)machine->rax;
  REGS.gpr[ECX] = (u32)machine->rcx;
  REGS.gpr[EDX] = (u32)machine->rdx;
  REGS.gpr[EBX] = (u32)machine->rbx;
  REGS.gpr[ESP] = (u32)machine->rsp;
  REGS.gpr[EBP] = (u32)machine->rbp;
  REGS.gpr[ESI] = (u32)machine->rsi;
  REGS.gpr[EDI] = (u32)machine->rdi;
  REGS.eip = (u32)machine->rip;
  REGS.eflags = (u32)machine->eflags;
}

static void store_registers(struct machine_context *machine)
{
  machine->rax = REGS.gpr[EAX];
  machine->rcx = REGS.gpr[ECX];
  machine->rdx = REGS.gpr[EDX];
  machine->rbx = REGS.gpr[EBX];
  machine->rsp = REGS.gpr[ESP];
  machine->rbp = REGS.gpr[EBP];
  machine->rsi = REGS.gpr[ESI];
  machine->rdi = REGS.gpr[EDI];
  machine->rip = REGS.eip;
  machine->eflags = (REGS.eflags & EFLAGS_GUEST) | EFLAGS_HOST;
  machine->cs = HOST_CS32;
  machine->ss = HOST_DS;
}

/*
 * A fault of the nexus itself.  The one that is allowed is on guest memory, at
 * an address that the guest gave; if the guest has nothing there, the CPU could
 * not have delivered its exception either.
 */
static void nexus_fault(int signal, struct machine_context *machine)
{
  if (signal == SIGTRAP && machine->trap == VECTOR_DB) { /* TF was set at a gate call */
    machine->eflags &= ~(u64)EFLAGS_TF;
    VM->step_in_gate = 1;
    return;
  }
  if (signal == SIGSEGV && machine->trap == VECTOR_PF && machine->cr2 < GUEST_TOP) {
    COUNT(page_faults_nexus);
    if (mmu_map(&own_tlb, (u32)machine->cr2, machine->error & PF_WRITE ? 1 : 0, 0) == MMU_MAPPED)
      return;
  }
  if (signal == SIGSEGV && machine->cr2 < (1ul << 32) + PAGE_SIZE)
    end_vm(END_TRIPLE_FAULT, "an exception needed linear address %08lx, where the guest has nothing", machine->cr2);
  end_vm(END_NEXUS, "signal %u in the nexus at %lx: trap %lu error %lx address %lx", (u32)signal, machine->rip,
    machine->trap, machine->error, machine->cr2);
}

/* Nothing may change the registers between gate_exit and its end but a fresh start of both. */
void restart_gate_exit(struct machine_context *machine)
{
  if (machine->rip < IN_GATE_PAGE(gate_exit) || machine->rip >= IN_GATE_PAGE(gate_exit_end))
    return;
  machine->rip = IN_GATE_PAGE(gate_exit);
  machine->eflags = EFLAGS_HOST; /* DF and AC may be the guest's already */
}

/*
 * Else it is 64-bit code, which user code gets at by a far call.  A guest's frames cannot hold its
 * registers, so whatever the guest kernel were to see of it is an undefined instruction.
 */
static int is_of_guest_mode(const struct machine_context *machine)
{
  return machine->cs == HOST_CS32;
}

static void asynchronous(int signal, struct machine_context *machine)
{
  if (signal == SIGALRM)
    timer_expired();
  if (CONTROL->active != space_self)
    return; /* it came late; the active process sees to the lines and its timer itself */
  if (signal == SIGALRM)
    timer_program();
  else
    COUNT(kicks);
  if (in_nexus(machine->rip)) {
    restart_gate_exit(machine);
    users_interrupted();
    return;
  }
  if (!DATA(PLEX86_VIF) || !(DATA(PLEX86_IRQ_PENDING) & ~DATA(PLEX86_IRQ_MASK)))
    return;
  load_registers(machine);
  if (is_of_guest_mode(machine))
    inject_interrupts();
  else
    inject_exception(VECTOR_UD);
  store_registers(machine);
}

static void page_fault(struct machine_context *machine)
{
  u32 linear = (u32)machine->cr2, write = machine->error & PF_WRITE ? 1 : 0, user = VM->cpl == 3;
  COUNT(page_faults);
  enum mmu_result result = MMU_PROTECTED;
  if (machine->cr2 < GUEST_TOP)
    result = mmu_map(&own_tlb, linear, (int)write, (int)user);
  if (result == MMU_MAPPED)
    return;
  load_registers(machine);
  if (!is_of_guest_mode(machine)) {
    inject_exception(VECTOR_UD);
  } else if (result == MMU_DEVICE) {
    if (!emulate_device_store(linear))
      inject_exception_error(VECTOR_GP, 0);
  } else {
    if (user && linear < GUEST_KERNEL)
      VM->prefault = (linear & PAGE_MASK) | write;
    inject_page_fault(linear, (u32)result | write << 1 | user << 2);
  }
  inject_interrupts();
  store_registers(machine);
}

static void general_protection(u32 error)
{
  if (VM->cpl == 0 && emulate_privileged())
    return;
  if (error & GP_IDT && VM->cpl == 3) { /* int n of a vector that the host has no gate for */
    REGS.eip += 2;
    inject_software(error >> 3);
    return;
  }
  inject_exception_error(VECTOR_GP, error);
}

int pushes_error(u64 vector)
{
  return vector == 8 || (vector >= 10 && vector <= 14) || vector == VECTOR_AC;
}

static void guest_exception(int signal, struct machine_context *machine)
{
  load_registers(machine);
  u32 vector = (u32)machine->trap;
  if (!is_of_guest_mode(machine)) {
    inject_exception(VECTOR_UD);
  } else if (signal == SIGSYS) { /* int $0x80 */
    COUNT(syscalls_trap);
    inject_software(VECTOR_SYSCALL);
  } else if (signal == SIGSEGV && vector == VECTOR_GP) {
    general_protection((u32)machine->error);
  } else if (signal == SIGBUS && vector != VECTOR_AC) {
    end_vm(END_NEXUS, "the host has no memory left for the guest (SIGBUS at %lx)", machine->cr2);
  } else {
    if (vector == VECTOR_DB)
      VM->dr6 |= 0x4000; /* BS */
    if (pushes_error(vector))
      inject_exception_error(vector, vector == VECTOR_AC ? 0 : (u32)machine->error);
    else
      inject_exception(vector & 31);
  }
  inject_interrupts();
  store_registers(machine);
}

/*
 * The host clears TF and DF for a handler, but leaves it what user code has set of these.  No other
 * flag is touched: rt_sigreturn does not load ID from the frame, so the handler's is user code's.
 */
static void clear_flags(const struct machine_context *machine)
{
  if (machine->eflags & (EFLAGS_NT | EFLAGS_AC))
    asm volatile("pushfq\n\tandl %0, (%%rsp)\n\tpopfq" : : "i"(~(EFLAGS_NT | EFLAGS_AC)) : "memory", "cc");
}

void signal_handle(int signal, void *info, struct user_context *context)
{
  struct machine_context *machine = &context->machine;
  (void)info;
  clear_flags(machine);
  if (!(covers & COVERS_KERNEL))
    user_signal(signal, machine);
  else if (signal == SIGALRM || signal == SIGUSR1)
    asynchronous(signal, machine);
  else if (in_nexus(machine->rip))
    nexus_fault(signal, machine);
  else if (signal == SIGSEGV && machine->trap == VECTOR_PF)
    page_fault(machine);
  else
    guest_exception(signal, machine);
}

void signals_block(void)
{
  u64 all = ~0ul;
  syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
}

void signals_install(signal_handler *handler, void *stack_memory, u64 stack_size, u64 masked_in_handlers)
{
  static const u8 signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGALRM, SIGUSR1};
  u64 stack[3] = {(u64)stack_memory, 0, stack_size};
  u64 none = 0;
  syscall2(SYS_sigaltstack, stack, NULL);
  for (u32 i = 0; i < sizeof signals; i++) {
    struct kernel_sigaction action = {
      handler, SA_SIGINFO | SA_ONSTACK | SA_RESTORER | SA_NODEFER, signal_return, masked_in_handlers};
    s64 result = syscall4(SYS_rt_sigaction, signals[i], &action, NULL, 8);
    if (result < 0)
      end_vm(END_NEXUS, "sigaction %u: error %lu", (u32)signals[i], (u64)-result);
  }
  syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
}
