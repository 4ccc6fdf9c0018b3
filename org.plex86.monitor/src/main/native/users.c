/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict model, seen from the kernel process: guest user code runs in a
 * process of its own for each guest address space (user.c), which maps nothing
 * but what that address space shows to users.  The virtual CPU is handed there
 * and back by shared memory.
 *
 * Guest user code may do in its process whatever 64-bit code can do without a
 * system call of use: write its report at any time, and go on running when it
 * should wait.  So a report is read once and checked; and what an address
 * space must not see any more is unmapped before anything else can happen with
 * it: user_orders.c says how.
 */
#include "users.h"

/* User code that does not come back after a kick within this time never will: it is its process's end. */
#define KICK_MS 3000
/* How long the kernel process sleeps between two looks at that time. */
#define KICK_LOOK_NS 50000000

static u32 awaited_slot; /* the one whose report this process waits for; 0: none */
static u32 next_tlb_gen; /* of the address space that CR3 names, where it has no slot yet */

void users_init(void)
{
  DATA(PLEX86_STRICT) = 1;
  for (u32 slot = 1; slot < CONTROL->spaces; slot++) {
    tlb_init(&users[slot].tlb, slot, NEXUS_TLBS + (u64)slot * TLB_NOTES_SIZE, GUEST_KERNEL);
    TURN(slot)->spin = CONTROL->spin;
    orders_init(slot);
  }
}

/* ---- address spaces ---- */

struct tlb *users_current_tlb(void)
{
  if (covers & COVERS_USER)
    return NULL;
  u32 slot = space_find(DATA(PLEX86_CR3));
  return slot == CONTROL_SPACES_MAX ? NULL : &users[slot].tlb;
}

void users_load_cr3(u32 value, const struct cr3_hint *hint)
{
  u32 left = space_find(DATA(PLEX86_CR3));
  if (left != CONTROL_SPACES_MAX && hint->described)
    VM->space[left].tlb_gen = hint->previous_gen;
  DATA(PLEX86_CR3) = value;
  VM->prefault = 0;
  tlb_flush_user(&own_tlb);
  u32 slot = space_find(value);
  if (loose_slot && loose_slot != slot)
    park(loose_slot);
  next_tlb_gen = hint->next_gen;
  if (slot == CONTROL_SPACES_MAX)
    return;
  if (!hint->described || VM->space[slot].tlb_gen != hint->next_gen)
    VM->space[slot].flush = FLUSH_USER;
  VM->space[slot].tlb_gen = hint->next_gen;
}

void users_forget(u32 slot)
{
  park(slot);
  renew(slot); /* while the guest kernel goes on */
}

static u32 slot_to_run(void)
{
  u32 cr3 = DATA(PLEX86_CR3), slot = space_find(cr3);
  if (slot == CONTROL_SPACES_MAX) {
    slot = space_allocate(cr3, FLUSH_USER);
    renew(slot);
    VM->space[slot].tlb_gen = next_tlb_gen;
  }
  VM->space[slot].last_used = read_tsc();
  if (VM->space[slot].flush) {
    VM->space[slot].flush = 0;
    tlb_flush_user(&users[slot].tlb);
  }
  return slot;
}

/* ---- the FPU: its registers stay in the user process unless the guest kernel wants them ---- */

static u32 fpu_slot; /* the process that has run user code last */

void users_fetch_fpu(void)
{
  if (DATA(PLEX86_FPU) != PLEX86_FPU_AWAY || !fpu_slot)
    return;
  fpu_copy_hostile(VM->fpu, REPORT_FPU(fpu_slot));
  fpu_restore_from(VM->fpu);
  DATA(PLEX86_FPU) = 0;
}

void keep_fpu(u32 slot)
{
  if (slot != fpu_slot)
    return;
  users_fetch_fpu();
  fpu_slot = 0;
}

static void send_fpu(u32 slot)
{
  volatile struct order *order = ORDER(slot);
  int is_elsewhere = slot != fpu_slot;
  if (is_elsewhere)
    users_fetch_fpu();
  order->load_fpu = is_elsewhere || DATA(PLEX86_FPU) == PLEX86_FPU_NEW;
  order->fpu_mask = fpu_mask();
  if (order->load_fpu)
    fpu_save_to(ORDER_FPU(slot));
  DATA(PLEX86_FPU) = PLEX86_FPU_AWAY;
  fpu_slot = slot;
}

/* ---- the turn, there and back ---- */

static void write_order(u32 slot)
{
  volatile struct order *order = ORDER(slot);
  order->regs = REGS;
  segments_read(order->selectors);
  for (u32 i = 0; i < TLS_ENTRIES * 2; i++)
    if (order->tls[i] != VM->tls[i]) {
      order->tls[i] = VM->tls[i];
      tls_describe(&order->desc[i / 2], i / 2, VM->tls);
    }
  send_fpu(slot);
}

static void give_turn(u32 slot)
{
  struct user *user = &users[slot];
  volatile struct turn *turn = TURN(slot);
  COUNT(user_turns);
  write_order(slot);
  u32 has_work = user->calls;
  if (has_work) {
    post_work(slot, user->calls, WAKE_DONE | WAKE_TURN | (user->parked ? WAKE_PARKED : 0));
    user->calls = 0;
  }
  u32 was_parked = user->parked;
  user->turn = fresh_turn(slot, 1);
  user->used = 1;
  user->loose = 1;
  user->parked = 0;
  loose_slot = slot;
  turn->sleep = 0;
  __atomic_exchange_n(&turn->turn, user->turn, __ATOMIC_SEQ_CST);
  if (!was_parked && !REPORT(slot)->asleep)
    return; /* it sees what there is */
  relay_wake(slot, has_work != 0); /* the mapper wakes it, if there is work */
}

static int is_reported(u32 slot)
{
  return __atomic_load_n(&REPORT(slot)->request, __ATOMIC_ACQUIRE) == users[slot].turn;
}

void users_interrupted(void)
{
  if (awaited_slot)
    __atomic_fetch_add(&REPORT(awaited_slot)->bell, 1, __ATOMIC_SEQ_CST);
}

/* For a report, the process's end, or a reason to kick it. */
static void sleep_on_bell(u32 slot, u32 kicked)
{
  static const struct timespec look = {0, KICK_LOOK_NS};
  u32 seen = REPORT(slot)->bell;
  TURN(slot)->kernel_asleep = 1;
  fence(); /* the user thread reports, then reads kernel_asleep */
  if (!is_reported(slot) && !is_gone(slot) && (kicked || !inject_is_due())) {
    COUNT(user_sleeps);
    futex_wait(&REPORT(slot)->bell, seen, kicked ? &look : NULL);
  }
  TURN(slot)->kernel_asleep = 0;
}

/* Returns 0 where there will be none: the process has ended. */
static int await_report(u32 slot)
{
  struct patience patience = {0, 0, 0};
  u32 kicked = 0;
  awaited_slot = slot;
  for (;;) {
    for (u32 i = CONTROL->spin; i && !is_reported(slot) && (kicked || !inject_is_due()); i--)
      cpu_relax();
    if (is_reported(slot) || is_gone(slot))
      break;
    if (!kicked && inject_is_due()) {
      kick(slot);
      kicked = 1;
      continue;
    }
    sleep_on_bell(slot, kicked);
    if (kicked && has_passed(&patience, KICK_MS))
      end_process(slot);
  }
  awaited_slot = 0;
  return is_reported(slot);
}

/* ---- what was reported ---- */

static void read_report(u32 slot)
{
  volatile struct report *report = REPORT(slot);
  u16 selectors[4];
  REGS = report->regs;
  REGS.eflags = (REGS.eflags & EFLAGS_GUEST) | EFLAGS_HOST;
  for (u32 i = 0; i < 4; i++)
    selectors[i] = report->selectors[i];
  tls_load_missing();
  segments_load(selectors);
}

/* Returns 0 where the page was not mapped only here. */
static int user_page_fault(u32 slot, u32 linear, u32 write)
{
  enum mmu_result result;
  u32 physical;
  COUNT(page_faults);
  if (linear < GUEST_KERNEL)
    result = mmu_map(&users[slot].tlb, linear, (int)write, 1);
  else
    result = linear < GUEST_TOP && !mmu_translate(linear, &physical) ? MMU_NOT_PRESENT : MMU_PROTECTED;
  if (result == MMU_MAPPED)
    return 0;
  if (result == MMU_DEVICE) { /* users have no device registers: nothing is there to be written */
    inject_exception_error(VECTOR_GP, 0);
    return 1;
  }
  if (linear < GUEST_KERNEL)
    VM->prefault = (linear & PAGE_MASK) | write;
  inject_page_fault(linear, (u32)result | write << 1 | 4);
  return 1;
}

/* Exceptions that user code can cause by an instruction; all else that is reported is a lie. */
#define USER_EXCEPTIONS 0x000b387b /* DE DB BP OF BR UD, NP SS GP, MF AC XM */

static int user_exception(u32 slot, u32 vector, u32 error, u32 address)
{
  if (vector == VECTOR_PF)
    return user_page_fault(slot, address, error >> 1 & 1);
  if (vector == VECTOR_GP && error & 2) { /* int n of a vector that the host has no gate for */
    REGS.eip += 2;
    inject_software(error >> 3 & 0xff);
    return 1;
  }
  if (vector > 31 || !(USER_EXCEPTIONS >> vector & 1))
    vector = VECTOR_GP;
  if (vector == VECTOR_DB)
    VM->dr6 |= 0x4000; /* BS */
  if (pushes_error(vector))
    inject_exception_error(vector, vector == VECTOR_AC ? 0 : error & 0xffff);
  else
    inject_exception(vector);
  return 1;
}

/* Instructions of the vDSO: lcall ptr16:32, int $0x80. */
#define SYSCALL_INT 2
#define SYSCALL_CALL (7 + SYSCALL_INT)

/*
 * The guest accounts a tick to what it interrupts.  That was user code, which makes its call after
 * it; the host's signal may take longer than it takes to the call, so the tick is looked for.  A
 * call is put off once, however many ticks there are.  Returns 0 where it is.
 */
static int serve_call(u32 slot, u32 length)
{
  struct user *user = &users[slot];
  if (!user->call_put_off && timer_is_due() && inject_is_due()) {
    user->call_put_off = 1;
    REGS.eip -= length;
    return 0;
  }
  user->call_put_off = 0;
  inject_software(VECTOR_SYSCALL);
  return 1;
}

/* Returns 0 where user code goes on. */
static int serve_report(u32 slot)
{
  volatile struct report *report = REPORT(slot);
  u32 kind = report->kind, trap = report->trap, error = report->error, address = report->address;
  read_report(slot);
  switch (kind) {
  case REPORT_SYSCALL:
    COUNT(syscalls_gate);
    return serve_call(slot, SYSCALL_CALL);
  case REPORT_INT80:
    COUNT(syscalls_trap);
    return serve_call(slot, SYSCALL_INT);
  case REPORT_INTERRUPTED:
    return 0;
  default:
    return user_exception(slot, trap, error, address);
  }
}

/* The registers of user code went with its process: those that it was given last are here still. */
static void end_user_code(u32 slot)
{
  accept_replacement(slot);
  inject_exception_error(VECTOR_GP, 0);
}

void users_run(void)
{
  u32 slot = slot_to_run();
  await_renewal(slot);
  if (is_gone(slot))
    accept_replacement(slot);
  if (VM->prefault) { /* the page that user code faulted on is likely there now */
    u32 page = VM->prefault;
    VM->prefault = 0;
    mmu_map(&users[slot].tlb, page & PAGE_MASK, page & 1, 1);
  }
  for (;;) {
    if (inject_is_due()) {
      inject_interrupts();
      return;
    }
    give_turn(slot);
    if (!await_report(slot)) {
      end_user_code(slot);
      return;
    }
    if (serve_report(slot))
      return;
  }
}
