/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where what is in the hand-off memory (handoff.h): for C, the assembler
 * (gates.S, mapper_loop.S), and the checks of what guest user code may try.
 */
#ifndef PLEX86_HANDOFF_MAP_H
#define PLEX86_HANDOFF_MAP_H

#include "map.h"

/* Areas.  A user process maps the first two and what is its own. */
#define HANDOFF_TURNS 0x0 /* struct turn of each slot; read-only in user processes */
#define HANDOFF_DONE 0x1000 /* u32 of each slot, 64 bytes apart; read-only in user processes */
#define HANDOFF_SLOTS 0x2000
#define HANDOFF_ORDER 0x0 /* struct order; read-only in the user process */
#define HANDOFF_ORDER_SIZE 0x3000
#define HANDOFF_ORDER_FPU 0x2000 /* in it */
#define HANDOFF_REPORT 0x3000 /* struct report */
#define HANDOFF_REPORT_SIZE 0x2000
#define HANDOFF_REPORT_FPU 0x1000 /* in it */
#define HANDOFF_STRIDE 0x5000
#define HANDOFF_SIZE (HANDOFF_SLOTS + 64 * HANDOFF_STRIDE)
#define HANDOFF_SLOT(slot) (HANDOFF_SLOTS + (slot)*HANDOFF_STRIDE)

/* In a user process its order begins there, too: gates.S finds renew, and a 32-bit system call the descriptors. */
#define ORDER_HERE PLEX86_DATA

/* struct turn */
#define TURN_TURN 0
#define TURN_PARKED 4
#define TURN_WORK 8
#define TURN_SIZE 64

/* struct order */
#define ORDER_WORK 0
#define ORDER_WAKE 4
#define ORDER_CALLS 8
#define ORDER_RENEW 12
#define ORDER_CALL 128
#define ORDER_CALL_SIZE 32
#define ORDER_CALLS_MAX 250

/* struct report */
#define REPORT_REQUEST 48
#define REPORT_KIND 60

/* report.kind */
#define REPORT_SYSCALL 1 /* by the gate; eip is behind the int $0x80 that follows it */
#define REPORT_EXCEPTION 2 /* trap, error, address */
#define REPORT_INT80 3 /* int $0x80 itself */
#define REPORT_INTERRUPTED 4 /* a kick */

/* order.wake: what the user thread may sleep on */
#define WAKE_TURN 1
#define WAKE_PARKED 2
#define WAKE_DONE 4

#endif /* PLEX86_HANDOFF_MAP_H */
