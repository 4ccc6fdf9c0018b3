/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay of a strict machine: a process on the CPU of the user processes
 * that runs no guest code and wakes them for the kernel process.  To wake a
 * process on another CPU takes 60 us where that CPU is idle, 3 on one's own.
 * So the relay keeps that CPU from idling, for a while after the last user
 * process was parked; it is of the idle class, so whoever has work preempts it.
 * A request that it does not take at once is taken back.
 */
#include "nexus.h"

#define SCHED_IDLE 5
/* Turns of spinning without a request, about 200 us. */
#define RELAY_SPIN 8000
/* Turns that the kernel process waits for a request to be taken. */
#define TAKE_SPIN 40

#define RELAY TURN(0)
#define WAKES_MAPPER 0x100

static void wake_all(u32 request)
{
  volatile struct turn *turn = TURN(request & 0xff);
  if (request & WAKES_MAPPER) {
    futex_wake(&turn->work);
    return;
  }
  futex_wake(&turn->parked);
  futex_wake(&turn->turn);
}

static u32 take(void)
{
  return RELAY->turn ? __atomic_exchange_n(&RELAY->turn, 0, __ATOMIC_SEQ_CST) : 0;
}

void relay_main(void)
{
  u32 priority = 0, turns = 0;
  map_handoff_whole();
  syscall3(SYS_sched_setscheduler, 0, SCHED_IDLE, &priority);
  signals_block();
  seccomp_confine_relay();
  for (;;) {
    u32 request = take();
    if (request) {
      wake_all(request);
      turns = 0;
    } else if (turns++ < RELAY_SPIN) {
      cpu_relax();
    } else {
      u32 seen = RELAY->work;
      *DONE(0) = 1; /* asleep */
      fence(); /* the kernel process makes a request, then reads it */
      if (!RELAY->turn)
        futex_wait(&RELAY->work, seen, NULL);
      *DONE(0) = 0;
      turns = 0;
    }
  }
}

/* The kernel process has parked a user process: its CPU is idle, and will be wanted. */
void relay_expect(void)
{
  if (!*DONE(0))
    return;
  __atomic_fetch_add(&RELAY->work, 1, __ATOMIC_SEQ_CST);
  futex_wake(&RELAY->work);
}

void relay_wake(u32 slot, int mapper)
{
  u32 request = slot | (mapper ? WAKES_MAPPER : 0);
  if (!*DONE(0)) {
    __atomic_store_n(&RELAY->turn, request, __ATOMIC_SEQ_CST);
    for (u32 i = 0; i < TAKE_SPIN; i++) {
      if (!RELAY->turn)
        return;
      cpu_relax();
    }
    if (!take())
      return;
  }
  wake_all(request);
}
