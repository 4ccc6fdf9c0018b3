/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory by which the kernel process and the user processes of a strict
 * machine hand the virtual CPU to each other: a memfd of the supervisor's.
 *
 * Trust: guest user code can read all that its user process has mapped, and
 * write its report.  The kernel process takes a report as an attacker's; all
 * else it alone writes, but for done[], which the mappers write by a descriptor
 * that user code does not have.
 */
#ifndef PLEX86_HANDOFF_H
#define PLEX86_HANDOFF_H

#include "handoff_map.h"
#include "types.h"
#include "vm.h"

/* A line of its own in the cache for each slot. */
struct turn {
  u32 turn; /* a futex; odd: the user thread may run, once for each value */
  u32 parked; /* a futex, on which a user thread sleeps that must not run */
  u32 work; /* a futex for the mapper, counted up: the order has calls */
  u32 sleep; /* the user thread is to sleep on turn at once */
  u32 kernel_asleep; /* the kernel process sleeps on report.bell */
  u32 spin; /* turns that the user thread spins before it sleeps */
  u32 life; /* which of the slot's processes there is: counted up by the supervisor, which replaces one that ends */
  u32 pid; /* its id, by the supervisor */
  u32 accepted; /* a futex: the life that the kernel process knows of; a new process waits for that */
  u32 pad[7];
};

/* A system call for the mapper, as its filter allows it. */
struct call {
  u32 number;
  u32 argument[6];
  u32 pad;
};

struct order {
  u32 work; /* what the mapper writes to done[] behind the calls */
  u32 wake; /* WAKE_*, then */
  u32 calls;
  u32
    renew; /* a signal makes the user thread as good as new, which then reports this as request; 0: signals are the guest's */
  u32 fpu_mask; /* XCR0 components that the guest has */
  u32 load_fpu; /* HANDOFF_ORDER_FPU is newer than what the user thread has */
  u16 selectors[4]; /* ds, es, fs, gs */
  u32 tls[6];
  struct user_desc desc[TLS_ENTRIES]; /* the same, for set_thread_area */
  u32 pad[6];
  struct call call[ORDER_CALLS_MAX];
  struct registers regs;
};

/* At NEXUS_VM in the user process: gates.S finds the registers there in all processes. */
struct report {
  struct registers regs;
  u32 step_in_gate; /* as in struct vm */
  u32 request; /* the value of turn that is over */
  u32 bell; /* a futex of the kernel process, counted up */
  u32 asleep; /* the user thread sleeps on turn */
  u32 kind; /* REPORT_* */
  u32 trap, error, address;
  u16 selectors[4];
};

_Static_assert(__builtin_offsetof(struct turn, parked) == TURN_PARKED, "mapper_loop.S");
_Static_assert(__builtin_offsetof(struct turn, work) == TURN_WORK, "mapper_loop.S");
_Static_assert(sizeof(struct turn) == TURN_SIZE, "a cache line");
_Static_assert(__builtin_offsetof(struct order, wake) == ORDER_WAKE, "mapper_loop.S");
_Static_assert(__builtin_offsetof(struct order, calls) == ORDER_CALLS, "mapper_loop.S");
_Static_assert(__builtin_offsetof(struct order, renew) == ORDER_RENEW, "gates.S");
_Static_assert(__builtin_offsetof(struct order, call) == ORDER_CALL, "mapper_loop.S");
_Static_assert(sizeof(struct call) == ORDER_CALL_SIZE, "mapper_loop.S");
_Static_assert(__builtin_offsetof(struct report, request) == REPORT_REQUEST, "the attack checks");
_Static_assert(__builtin_offsetof(struct report, kind) == REPORT_KIND, "the attack checks");
_Static_assert(sizeof(struct order) <= HANDOFF_ORDER_FPU, "the order fits");
_Static_assert(sizeof(struct report) <= HANDOFF_REPORT_FPU, "the report fits");
_Static_assert(
  __builtin_offsetof(struct report, step_in_gate) == __builtin_offsetof(struct vm, step_in_gate), "in_gate");

#define TURN(slot) ((volatile struct turn *)(NEXUS_HANDOFF + HANDOFF_TURNS + (u64)(slot)*TURN_SIZE))
#define DONE(slot) ((volatile u32 *)(NEXUS_HANDOFF + HANDOFF_DONE + (u64)(slot)*64))
#define ORDER(slot) ((volatile struct order *)(NEXUS_HANDOFF + HANDOFF_SLOT((u64)(slot))))
#define ORDER_FPU(slot) ((u8 *)(NEXUS_HANDOFF + HANDOFF_SLOT((u64)(slot)) + HANDOFF_ORDER_FPU))
#define REPORT(slot) ((volatile struct report *)(NEXUS_HANDOFF + HANDOFF_SLOT((u64)(slot)) + HANDOFF_REPORT))
#define REPORT_FPU(slot) ((u8 *)(NEXUS_HANDOFF + HANDOFF_SLOT((u64)(slot)) + HANDOFF_REPORT + HANDOFF_REPORT_FPU))

#endif /* PLEX86_HANDOFF_H */
