/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapper: the thread of a user process that makes the system calls which
 * the kernel process orders, and no others.  It shares the memory of the user
 * thread, so it has none of its own: no stack, no data, only registers
 * (mapper_loop.S), and what it reads is mapped read-only.  It has file descriptors
 * of its own; the user thread has none.
 */
#include "nexus.h"

#define CLONE_VM 0x100
#define CLONE_FS 0x200
#define CLONE_SIGHAND 0x800
#define CLONE_THREAD 0x10000
#define CLONE_SYSVSEM 0x40000

static u8 first_stack[16384] __attribute__((aligned(64)));
static volatile u32 is_started; /* user code may run: it can do no harm to the mapper */

static void enter(u32 slot)
{
  seccomp_confine_mapper(slot, syscall0(SYS_getpid));
  mapper_loop(TURN(slot), ORDER(slot), DONE(slot), HANDOFF_DONE + (u64)slot * 64, &is_started);
}

void mapper_start(u32 slot)
{
  signals_block(); /* for good in the mapper, in the user thread until signals_install() */
  s64 result = clone_mapper(
    CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, first_stack + sizeof first_stack, enter, slot);
  if (result < 0)
    sys_exit(5);
  while (!is_started)
    cpu_relax();
}
