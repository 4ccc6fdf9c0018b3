/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user process of the strict model: its user thread runs the user code of one
 * guest address space, and hands every system call, exception and kick to the
 * kernel process (users.c).  Its mapper (mapper.c) maps.
 *
 * Guest user code can jump to any instruction here with any registers, and
 * write all memory that this thread can.  So nothing here is relied on by
 * anybody but the guest user code itself: the confinement is the filter, the
 * read-only mappings, and the mapper that has no memory to write.
 *
 * Before another guest address space gets the process, a signal that user code
 * cannot hold off starts the thread anew, with all that it can write cleared
 * (user_signal_entry in gates.S, user_renew).
 */
#include "nexus.h"

#define REPORT_HERE ((volatile struct report *)NEXUS_VM)
#define REPORT_HERE_FPU ((u8 *)NEXUS_VM + HANDOFF_REPORT_FPU)
#define ORDER_IN_PLACE ((const volatile struct order *)ORDER_HERE)
#define HOST_TOP 0x7ffffffff000

static u32 turn_taken USER_DATA; /* the value of turn that was taken last */
static u32 mask; /* of XCR0 components that the host's CPU has */

/* Of frames that nest twice at the most: a kick comes to nexus code that serves an exception. */
static u8 signal_stack[32 * 1024] USER_DATA __attribute__((aligned(64)));

static void sleep_on(volatile u32 *word, u32 expected)
{
  futex_wait(word, expected, NULL);
}

static int has_turn(u32 turn)
{
  return (turn & 1) && turn != turn_taken;
}

static void rest(u32 turn)
{
  REPORT_HERE->asleep = 1;
  fence(); /* the kernel process gives the turn, then reads asleep */
  if (TURN(space_self)->turn == turn)
    sleep_on(&TURN(space_self)->turn, turn);
  REPORT_HERE->asleep = 0;
}

static void await_turn(void)
{
  volatile struct turn *mine = TURN(space_self);
  u32 spun = 0;
  for (;;) {
    u32 turn = __atomic_load_n(&mine->turn, __ATOMIC_ACQUIRE);
    u32 done = *DONE(space_self);
    if (mine->work != done) { /* the mapper is to go first */
      futex_wake(&mine->work);
      if (has_turn(turn))
        sleep_on(DONE(space_self), done);
      else
        rest(turn);
    } else if (has_turn(turn)) {
      turn_taken = turn;
      return;
    } else if (mine->sleep || spun++ >= mine->spin) {
      rest(turn);
    } else {
      cpu_relax();
    }
  }
}

static void report(u32 kind)
{
  REPORT_HERE->kind = kind;
  fpu_save_to(REPORT_HERE_FPU);
  segments_read(REPORT_HERE->selectors);
  DATA(PLEX86_IRQ_PENDING) = 0; /* a kick that comes from here on is for the next turn */
  __atomic_exchange_n(&REPORT_HERE->request, turn_taken, __ATOMIC_SEQ_CST);
  if (TURN(space_self)->kernel_asleep) {
    __atomic_fetch_add(&REPORT_HERE->bell, 1, __ATOMIC_SEQ_CST);
    futex_wake(&REPORT_HERE->bell);
  }
}

static void take_order(void)
{
  const volatile struct order *order = ORDER(space_self);
  u16 selectors[4];
  REPORT_HERE->regs = order->regs;
  fpu_use(order->fpu_mask & mask);
  if (order->load_fpu)
    fpu_restore_from(ORDER_FPU(space_self));
  tls_load_order();
  for (u32 i = 0; i < 4; i++)
    selectors[i] = order->selectors[i];
  segments_load(selectors);
}

/* The virtual CPU goes to the kernel process, and comes back to run user code. */
static void exchange(u32 kind)
{
  report(kind);
  await_turn();
  take_order();
}

static void exchange_exception(u32 vector, u32 error, u32 address)
{
  REPORT_HERE->trap = vector;
  REPORT_HERE->error = error;
  REPORT_HERE->address = address;
  exchange(REPORT_EXCEPTION);
}

void user_gate(u32 gate)
{
  if (gate != PLEX86_GATE_IRET) {
    u32 frame = REGS.gpr[ESP]; /* the far call has just written it */
    REGS.eip = LINEAR32(frame);
    REGS.gpr[ESP] = frame + 8;
  }
  if (REPORT_HERE->step_in_gate) {
    REPORT_HERE->step_in_gate = 0;
    REGS.eflags |= EFLAGS_TF;
  }
  if (gate == PLEX86_GATE_SYSCALL) {
    REGS.eip += 2;
    exchange(REPORT_SYSCALL);
    return;
  }
  if (gate != PLEX86_GATE_IRET)
    REGS.eip -= 7; /* lcall ptr16:32 */
  exchange_exception(VECTOR_GP, PLEX86_GATE_CS & ~3u, 0);
}

void user_look_up(void)
{
  exchange(REPORT_INTERRUPTED);
}

/* ---- signals ---- */

/* Returns to user code without the system call that signal handlers end with: it is not allowed. */
__attribute__((noreturn)) static void leave_handler(void)
{
  gate_return();
}

__attribute__((noreturn)) static void resume(const struct machine_context *machine)
{
  fpu_restore_standard(machine->fpu);
  resume_context(machine);
}

static void kicked(struct machine_context *machine)
{
  if (in_nexus(machine->rip)) {
    DATA(PLEX86_VIF) = EFLAGS_IF; /* gate_exit looks at both */
    DATA(PLEX86_IRQ_PENDING) = 1;
    restart_gate_exit(machine);
    resume(machine);
  }
  fpu_restore_standard(machine->fpu); /* the host's kernel has given the handler fresh registers */
  load_registers(machine);
  if (machine->cs == HOST_CS32)
    exchange(REPORT_INTERRUPTED);
  else
    exchange_exception(VECTOR_UD, 0, 0); /* a guest has no 64-bit code that could go on */
  leave_handler();
}

void user_signal(int signal, struct machine_context *machine)
{
  if (signal == SIGUSR1)
    kicked(machine);
  if (in_nexus(machine->rip) && signal == SIGTRAP && machine->trap == VECTOR_DB) { /* TF was set at a gate call */
    machine->eflags &= ~(u64)EFLAGS_TF;
    REPORT_HERE->step_in_gate = 1;
    resume(machine);
  }
  fpu_restore_standard(machine->fpu);
  if (!in_nexus(machine->rip)) /* else the registers are those of a gate that user code has misused */
    load_registers(machine);
  if (machine->cs != HOST_CS32)
    exchange_exception(in_nexus(machine->rip) ? VECTOR_GP : VECTOR_UD, 0, 0);
  else if (signal == SIGSYS)
    exchange(REPORT_INT80);
  else
    exchange_exception((u32)machine->trap, (u32)machine->error, (u32)machine->cr2);
  leave_handler();
}

/* ---- start, and start anew ---- */

__attribute__((noreturn)) static void begin(void)
{
  await_turn();
  take_order();
  gate_return();
}

void user_renew(void)
{
  memset((void *)NEXUS_CONTROL, 0, PAGE_SIZE);
  tls_forget();
  __atomic_store_n(&REPORT_HERE->request, ORDER_IN_PLACE->renew, __ATOMIC_SEQ_CST);
  begin();
}

static void map_fixed(u64 at, u64 length, int prot, int flags, int fd, u64 offset)
{
  if (sys_mmap(at, length, prot, flags | MAP_FIXED, fd, offset) != (s64)at)
    sys_exit(4);
}

static void map_handoff(u64 offset, u64 length, int prot)
{
  map_fixed(NEXUS_HANDOFF + offset, length, prot, MAP_SHARED, FD_HANDOFF, offset);
}

/* What the supervisor had mapped goes. */
static void map_memory(void)
{
  u64 slot = HANDOFF_SLOT((u64)space_self);
  syscall2(SYS_munmap, NEXUS_CONTROL, HOST_TOP - NEXUS_CONTROL);
  map_handoff(HANDOFF_TURNS, PAGE_SIZE, PROT_READ);
  map_handoff(HANDOFF_DONE, PAGE_SIZE, PROT_READ);
  map_handoff(slot + HANDOFF_ORDER, HANDOFF_ORDER_SIZE, PROT_READ);
  map_fixed(NEXUS_VM, HANDOFF_REPORT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, FD_HANDOFF, slot + HANDOFF_REPORT);
  map_fixed(ORDER_HERE, PAGE_SIZE, PROT_READ, MAP_SHARED, FD_HANDOFF, slot + HANDOFF_ORDER);
  /* for the words that gate_exit looks at */
  map_fixed(NEXUS_CONTROL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  map_gates();
}

static void make_read_only(char *start, char *end)
{
  if (syscall3(SYS_mprotect, start, end - start, PROT_READ))
    sys_exit(4);
}

/* A process that replaces another one waits until the kernel process knows that all mappings are gone. */
static void await_acceptance(u32 life)
{
  volatile struct turn *mine = TURN(space_self);
  for (u32 seen; (seen = mine->accepted) != life;)
    sleep_on(&mine->accepted, seen);
}

static void run(u32 life)
{
  fpu_init();
  map_memory();
  await_acceptance(life);
  mapper_start(space_self);
  signals_install(user_signal_entry, signal_stack, sizeof signal_stack, 0);
  syscall3(SYS_close_range, 0, ~0u, 0);
  make_read_only(nexus_data_start, user_data_start);
  make_read_only(user_data_end, nexus_data_end);
  seccomp_confine_user(space_self);
  asm volatile("mov %0, %%ds; mov %0, %%es; mov %1, %%fs; mov %1, %%gs" : : "r"(HOST_DS), "r"(0));
  begin();
}

void user_main(u32 slot, u32 life)
{
  extern char gate_stack_top[];
  space_self = slot;
  mask = (u32)CONTROL->host_xcr0 & XCR0_GUEST;
  call_on_stack(run, life, gate_stack_top);
}
