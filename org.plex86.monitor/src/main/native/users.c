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
 * it, as follows.
 *
 * A user thread is "loose" from the moment it gets the turn.  It is "parked"
 * once a FUTEX_REQUEUE of this process has moved it from turn.turn to
 * turn.parked: it sleeps in the host's kernel, and only this process and its
 * mapper can wake it, as the filter of user threads allows no wake of that
 * word, no timeout and no other wait (seccomp.c).  Unmapping is left to the
 * mapper's next work only where the thread is parked; a thread is parked
 * before the guest leaves its address space.
 *
 * A signal, the kick, would wake it too.  So after a kick the value of turn is
 * changed and all who sleep on it are woken, before the thread is parked: who
 * then sleeps there has made its system call knowing the new value, that is
 * after the kick, and the kick has been delivered at the latest on the way out
 * of user code to that call.
 */
#include "nexus.h"

/* A thread that does not do what it is told within this time never will. */
#define PATIENCE_NS 10000000000ul
/* Turns of a loop between looks at the clock. */
#define GLANCE 256

struct user {
  struct tlb tlb;
  u32 turn; /* the value given last */
  u32 work; /* of the mapper, posted last */
  u32 calls; /* in the order, not posted yet */
  u32 loose; /* it may be running guest code */
  u32 parked; /* it sleeps on turn.parked */
  u32 kicked; /* since it was last parked */
};

static struct user users[CONTROL_SPACES_MAX];
static u32 loose_slot; /* the one that is loose; 0: none */
static u32 awaited_slot; /* the one whose report this process waits for; 0: none */
static u32 next_tlb_gen; /* of the address space that CR3 names, where it has no slot yet */

void users_init(void)
{
  DATA(PLEX86_STRICT) = 1;
  for (u32 slot = 1; slot < CONTROL->spaces; slot++) {
    tlb_init(&users[slot].tlb, slot, NEXUS_TLBS + (u64)slot * TLB_NOTES_SIZE, GUEST_KERNEL);
    TURN(slot)->spin = CONTROL->spin;
  }
}

/* Waits for what the process in that slot does of itself; the machine ends where it does not. */
struct patience {
  u32 turns;
  u64 since;
};

static void be_patient(struct patience *patience, u32 slot, const char *what)
{
  cpu_relax();
  if (++patience->turns % GLANCE)
    return;
  u64 now = read_tsc();
  if (!patience->since)
    patience->since = now;
  else if ((now - patience->since) / (DATA(PLEX86_TSC_KHZ) + 1) > PATIENCE_NS / 1000000)
    end_vm(END_NEXUS, "user process %u does not %s", slot, what);
  syscall0(SYS_sched_yield);
}

static void await_mapper(u32 slot)
{
  struct patience patience = {0, 0};
  while (*DONE(slot) != users[slot].work)
    be_patient(&patience, slot, "map");
}

static void post_work(u32 slot, u32 calls, u32 wake)
{
  volatile struct order *order = ORDER(slot);
  order->calls = calls;
  order->wake = wake;
  order->work = ++users[slot].work;
  __atomic_store_n(&TURN(slot)->work, users[slot].work, __ATOMIC_SEQ_CST);
}

static void wake(volatile u32 *word, u32 count)
{
  syscall3(SYS_futex, word, FUTEX_WAKE, count);
}

/* Has the mapper do now what it is to do before the user thread's next turn. */
static void work_now(u32 slot)
{
  await_mapper(slot);
  post_work(slot, users[slot].calls, WAKE_DONE);
  users[slot].calls = 0;
  wake(&TURN(slot)->work, 1);
  await_mapper(slot);
}

static void add_call(u32 slot, const struct call *call)
{
  await_mapper(slot); /* it reads the order until then */
  if (users[slot].calls == ORDER_CALLS_MAX)
    work_now(slot);
  ORDER(slot)->call[users[slot].calls++] = *call;
}

void user_map(u32 slot, u32 linear, u32 length, int prot, int fd, u64 offset)
{
  struct call call = {SYS_mmap, {linear, length, (u32)prot, MAP_SHARED | MAP_FIXED, (u32)fd, (u32)offset}, 0};
  add_call(slot, &call);
}

/* A value that the user thread cannot have known before. */
static u32 fresh_turn(u32 slot, u32 odd)
{
  u32 value;
  do {
    u64 mixed = (read_tsc() ^ users[slot].turn) * 0x9e3779b97f4a7c15ul;
    value = (u32)(mixed >> 32 & ~1u) | odd;
  } while (value == users[slot].turn);
  return value;
}

static void park(u32 slot)
{
  struct user *user = &users[slot];
  volatile struct turn *turn = TURN(slot);
  if (!user->loose)
    return;
  COUNT(user_parks);
  turn->sleep = 1;
  if (user->kicked) {
    await_mapper(slot); /* the kick is sent */
    user->turn = fresh_turn(slot, 0);
    __atomic_store_n(&turn->turn, user->turn, __ATOMIC_SEQ_CST);
    wake(&turn->turn, ~0u >> 1);
    user->kicked = 0;
  }
  struct patience patience = {0, 0};
  while (syscall6(SYS_futex, (u64)&turn->turn, FUTEX_REQUEUE, 0, 1, (u64)&turn->parked, 0) != 1)
    be_patient(&patience, slot, "stop");
  user->loose = 0;
  user->parked = 1;
  loose_slot = 0;
  relay_expect();
}

void user_unmap(u32 slot, u32 linear, u32 length)
{
  struct call call = {SYS_munmap, {linear, length, 0, 0, 0, 0}, 0};
  park(slot);
  add_call(slot, &call);
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
}

static u32 slot_to_run(void)
{
  u32 cr3 = DATA(PLEX86_CR3), slot = space_find(cr3);
  if (slot == CONTROL_SPACES_MAX) {
    slot = space_allocate(cr3, FLUSH_USER);
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
    order->tls[i] = VM->tls[i];
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
  user->loose = 1;
  user->parked = 0;
  loose_slot = slot;
  turn->sleep = 0;
  __atomic_exchange_n(&turn->turn, user->turn, __ATOMIC_SEQ_CST);
  if (!was_parked && !REPORT(slot)->asleep)
    return; /* it sees what there is */
  relay_wake(slot, has_work != 0); /* the mapper wakes it, if there is work */
}

static void kick(u32 slot)
{
  u32 pid = REPORT(slot)->pid;
  COUNT(user_kicks);
  users[slot].kicked = 1;
  await_mapper(slot);
  struct call call = {SYS_tgkill, {pid, pid, SIGUSR1, 0, 0, 0}, 0};
  ORDER(slot)->call[0] = call;
  post_work(slot, 1, WAKE_DONE); /* for a thread that has not taken its turn yet */
  wake(&TURN(slot)->work, 1);
}

void users_interrupted(void)
{
  if (awaited_slot)
    __atomic_fetch_add(&REPORT(awaited_slot)->bell, 1, __ATOMIC_SEQ_CST);
}

static int is_reported(u32 slot)
{
  return __atomic_load_n(&REPORT(slot)->request, __ATOMIC_ACQUIRE) == users[slot].turn;
}

static void await_report(u32 slot)
{
  u32 kicked = 0;
  awaited_slot = slot;
  for (;;) {
    for (u32 i = CONTROL->spin; i && !is_reported(slot) && (kicked || !inject_is_due()); i--)
      cpu_relax();
    if (is_reported(slot))
      break;
    if (!kicked && inject_is_due()) {
      kick(slot);
      kicked = 1;
      continue;
    }
    u32 seen = REPORT(slot)->bell;
    TURN(slot)->kernel_asleep = 1;
    fence(); /* the user thread reports, then reads kernel_asleep */
    if (!is_reported(slot) && (kicked || !inject_is_due())) {
      COUNT(user_sleeps);
      futex_wait(&REPORT(slot)->bell, seen, NULL);
    }
    TURN(slot)->kernel_asleep = 0;
  }
  awaited_slot = 0;
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

/* Returns 0 where user code goes on. */
static int serve_report(u32 slot)
{
  volatile struct report *report = REPORT(slot);
  u32 kind = report->kind, trap = report->trap, error = report->error, address = report->address;
  read_report(slot);
  switch (kind) {
  case REPORT_SYSCALL:
    COUNT(syscalls_gate);
    inject_software(VECTOR_SYSCALL);
    return 1;
  case REPORT_INT80:
    COUNT(syscalls_trap);
    inject_software(VECTOR_SYSCALL);
    return 1;
  case REPORT_INTERRUPTED:
    return 0;
  default:
    return user_exception(slot, trap, error, address);
  }
}

void users_run(void)
{
  u32 slot = slot_to_run();
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
    await_report(slot);
    if (serve_report(slot))
      return;
  }
}
