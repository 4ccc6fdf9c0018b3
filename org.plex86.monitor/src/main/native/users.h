/* SPDX-License-Identifier: Apache-2.0 */
/* What users.c and user_orders.c share: the kernel process's view of the user processes (strict model). */
#ifndef PLEX86_USERS_H
#define PLEX86_USERS_H

#include "nexus.h"

struct user {
  struct tlb tlb;
  u32 life; /* of the process that all this is about, see struct turn */
  u32 turn; /* the value given last */
  u32 work; /* of the mapper, posted last */
  u32 calls; /* in the order, not posted yet */
  u32 used; /* user code has run in it since it was as good as new */
  u32 loose; /* it may be running guest code */
  u32 parked; /* it sleeps on turn.parked */
  u32 kicked; /* since it was last parked */
  u32 call_put_off; /* its system call comes after a tick */
  u32 renewal; /* what it is to report once it is as good as new; 0: nothing */
};
extern struct user users[CONTROL_SPACES_MAX];
extern u32 loose_slot; /* the one that is loose; 0: none */

/* How long something has been waited for. */
struct patience {
  u32 turns;
  u64 looked, spent; /* TSC */
};
int has_passed(struct patience *patience, u32 milliseconds);

void orders_init(u32 slot);
u32 fresh_turn(u32 slot, u32 odd); /* a value that the user thread cannot have known before */
void await_mapper(u32 slot);
void post_work(u32 slot, u32 calls, u32 wake);
void kick(u32 slot);

/* The process that was told to run user code has ended: all that is known of it does not hold any more. */
int is_gone(u32 slot);
void accept_replacement(u32 slot);
void end_process(u32 slot); /* it has not done what it was told */

void park(u32 slot);
void renew(u32 slot); /* parked; begins it */
void await_renewal(u32 slot);

/* users.c */
void keep_fpu(u32 slot); /* what this process reports is to be overwritten */

#endif /* PLEX86_USERS_H */
