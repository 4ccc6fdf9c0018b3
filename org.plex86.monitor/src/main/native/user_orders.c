/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel process of a strict machine has its user processes do but
 * run user code: map and unmap, stop, become as good as new, end.
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
 *
 * User code can have left its thread in a system call that is not where the
 * nexus makes it, and have memory prepared for what comes after.  So before
 * another address space gets the process, a signal starts the parked thread
 * anew (user_signal_entry in gates.S).  What it reports then, user code cannot
 * have written: the report was cleared while the thread was parked, and it has
 * run nothing but that entry since.
 *
 * User code can also have its process killed, by a stack that takes no signal,
 * or not do what it is told, in which case its mapper ends it.  The supervisor
 * makes another one, which waits until it is accepted here.  Nothing is lost but what
 * user code had in its registers, and where that has reported before, not even
 * that: memory is the guest's.  Until it is accepted, what a process that is gone is told
 * goes nowhere.
 */
#include "users.h"

/* Turns of a loop between looks at the clock. */
#define GLANCE 256
/* More than this between two looks is not waiting: the machine was paused. */
#define LOOK_MAX_MS 100
/*
 * To stop, once it has reported, takes a user thread microseconds, and some time of the host's
 * scheduler.  One that is ended too early costs time, nothing else.
 */
#define STOP_MS 500
/* What the mapper, the supervisor and new threads do, they do as fast as the host lets them. */
#define HOST_MS 10000

/* The life of the first process. */
#define FIRST_LIFE 1

struct user users[CONTROL_SPACES_MAX];
u32 loose_slot;

int has_passed(struct patience *patience, u32 milliseconds)
{
  u64 now = read_tsc(), khz = (u64)DATA(PLEX86_TSC_KHZ) + 1, most = LOOK_MAX_MS * khz;
  if (patience->looked)
    patience->spent += now - patience->looked < most ? now - patience->looked : most;
  patience->looked = now;
  return patience->spent / khz > milliseconds;
}

/* To be asked in a loop, of which each turn waits a little. */
static int is_exhausted(struct patience *patience, u32 milliseconds)
{
  cpu_relax();
  if (++patience->turns % GLANCE)
    return 0;
  if (has_passed(patience, milliseconds))
    return 1;
  syscall0(SYS_sched_yield);
  return 0;
}

static void await_host(struct patience *patience, u32 slot, const char *what)
{
  if (is_exhausted(patience, HOST_MS))
    end_vm(END_NEXUS, "user process %u does not %s", slot, what);
}

void orders_init(u32 slot)
{
  users[slot].life = FIRST_LIFE;
  TURN(slot)->accepted = FIRST_LIFE;
  futex_wake_all(&TURN(slot)->accepted);
}

int is_gone(u32 slot)
{
  u32 life = TURN(slot)->life;
  return life && life != users[slot].life; /* 0: the first is still to come */
}

u32 fresh_turn(u32 slot, u32 odd)
{
  u32 value;
  do {
    u64 mixed = (read_tsc() ^ users[slot].turn) * 0x9e3779b97f4a7c15ul;
    value = (u32)(mixed >> 32 & ~1u) | odd;
  } while (value == users[slot].turn || !value);
  return value;
}

/* ---- the mapper's work ---- */

void await_mapper(u32 slot)
{
  struct patience patience = {0, 0, 0};
  while (*DONE(slot) != users[slot].work && !is_gone(slot))
    await_host(&patience, slot, "map");
}

void post_work(u32 slot, u32 calls, u32 wake)
{
  volatile struct order *order = ORDER(slot);
  order->calls = calls;
  order->wake = wake;
  order->work = ++users[slot].work;
  __atomic_store_n(&TURN(slot)->work, users[slot].work, __ATOMIC_SEQ_CST);
}

/* Has the mapper do now what it is to do before the user thread's next turn. */
static void work_now(u32 slot)
{
  await_mapper(slot);
  post_work(slot, users[slot].calls, WAKE_DONE);
  users[slot].calls = 0;
  futex_wake(&TURN(slot)->work);
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

void user_unmap(u32 slot, u32 linear, u32 length)
{
  struct call call = {SYS_munmap, {linear, length, 0, 0, 0, 0}, 0};
  park(slot);
  add_call(slot, &call);
}

static struct call signal_call(u32 slot)
{
  u32 pid = TURN(slot)->pid;
  return (struct call){SYS_tgkill, {pid, pid, SIGUSR1, 0, 0, 0}, 0};
}

/* Nothing is in the order that is not posted: that is so from the turn on. */
static void call_now(u32 slot, struct call call)
{
  await_mapper(slot);
  ORDER(slot)->call[0] = call;
  post_work(slot, 1, WAKE_DONE); /* for a thread that has not taken its turn yet */
  futex_wake(&TURN(slot)->work);
}

void kick(u32 slot)
{
  COUNT(user_kicks);
  users[slot].kicked = 1;
  call_now(slot, signal_call(slot));
}

/* ---- a process is replaced ---- */

/* All that is known of the process, and all that it could read of the address space it had. */
static void forget(u32 slot)
{
  struct user *user = &users[slot];
  keep_fpu(slot);
  tlb_forget_user(&user->tlb);
  user->calls = user->used = user->loose = user->parked = user->kicked = user->call_put_off = user->renewal = 0;
  if (loose_slot == slot)
    loose_slot = 0;
  memset((void *)ORDER(slot), 0, HANDOFF_STRIDE); /* and its report */
  memset((void *)ORDER(slot)->tls, 0xff, sizeof ORDER(slot)->tls); /* to be described anew, empty ones as well */
  user->turn = fresh_turn(slot, 0);
  __atomic_store_n(&TURN(slot)->turn, user->turn, __ATOMIC_SEQ_CST); /* there is none to take */
}

void accept_replacement(u32 slot)
{
  struct user *user = &users[slot];
  volatile struct turn *turn = TURN(slot);
  COUNT(user_replacements);
  forget(slot);
  user->work = 0;
  turn->work = 0;
  *DONE(slot) = 0;
  user->life = turn->life;
  turn->accepted = user->life;
  futex_wake_all(&turn->accepted);
}

void end_process(u32 slot)
{
  struct patience patience = {0, 0, 0};
  COUNT(user_ends_ordered);
  users[slot].calls = 0;
  call_now(slot, (struct call){SYS_exit_group, {EXIT_ORDERED, 0, 0, 0, 0, 0}, 0});
  while (!is_gone(slot))
    await_host(&patience, slot, "end");
}

/* ---- its thread stops ---- */

void park(u32 slot)
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
    futex_wake_all(&turn->turn);
    user->kicked = 0;
  }
  struct patience patience = {0, 0, 0};
  while (!is_gone(slot) && syscall6(SYS_futex, (u64)&turn->turn, FUTEX_REQUEUE, 0, 1, (u64)&turn->parked, 0) != 1)
    if (is_exhausted(&patience, STOP_MS))
      end_process(slot);
  user->loose = 0;
  user->parked = 1;
  loose_slot = 0;
  relay_expect();
}

/* ---- it becomes as good as new ---- */

void renew(u32 slot)
{
  struct user *user = &users[slot];
  if (!user->used || user->renewal || is_gone(slot))
    return;
  COUNT(user_renewals);
  await_mapper(slot);
  forget(slot);
  struct call unmap = {SYS_munmap, {lowest_page, GUEST_KERNEL - lowest_page, 0, 0, 0, 0}, 0};
  ORDER(slot)->call[0] = unmap;
  ORDER(slot)->call[1] = signal_call(slot);
  user->renewal = fresh_turn(slot, 1);
  ORDER(slot)->renew = user->renewal;
  post_work(slot, 2, WAKE_DONE);
  relay_wake(slot, 1);
}

void await_renewal(u32 slot)
{
  struct user *user = &users[slot];
  struct patience patience = {0, 0, 0};
  while (user->renewal && !is_gone(slot)) {
    if (__atomic_load_n(&REPORT(slot)->request, __ATOMIC_ACQUIRE) == user->renewal) {
      ORDER(slot)->renew = 0;
      user->renewal = 0;
    } else {
      await_host(&patience, slot, "begin anew");
    }
  }
}
