/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of micro by concern. */
#ifndef PLEX86_BENCH_MICRO_H
#define PLEX86_BENCH_MICRO_H

#include "rt.h"

/* Runs n operations and returns what they took in ns; set-up is not counted. */
typedef u64 (*measure)(u32 n);

/* What main got, for what starts the program again. */
extern char **environment;
extern char *self;

/* An open file of that many bytes, without a name, in the current directory. */
int scratch(u32 bytes);

/* ---- micro_memory.c ---- */
u64 fault_anon(u32 n);
u64 fault_file(u32 n);
u64 fault_cow(u32 n);
u64 mmap_munmap(u32 n);
u64 mprotect_pair(u32 n);
u64 copy_64k(u32 n);

/* ---- micro_processes.c ---- */
u64 fork_exit(u32 n);
u64 fork_exec(u32 n);
u64 vfork_exec(u32 n);
u64 pipe_round_trip(u32 n);
u64 switch_2_0k(u32 n);
u64 switch_2_64k(u32 n);
u64 switch_16_0k(u32 n);
u64 switch_16_64k(u32 n);
u64 futex_round_trip(u32 n);

#endif /* PLEX86_BENCH_MICRO_H */
