/* SPDX-License-Identifier: Apache-2.0 */
/* A traced child, for trace.c and debug.c. */
#ifndef PLEX86_TRACEE_H
#define PLEX86_TRACEE_H

#include "check.h"
#include <linux/ptrace.h>
#include <asm/ptrace.h>
#include <linux/wait.h>

/* A child that is traced and has stopped itself by SIGSTOP before it runs this; options of PTRACE_SETOPTIONS. */
int start_tracee(void (*run)(void), u32 options);
/* Status of the next stop or end. */
int next_stop(int pid);
int trace(int request, int pid, u32 address, u32 data);
void go_on(int request, int pid, int signal);
struct pt_regs registers(int pid);
void set_registers(int pid, const struct pt_regs *registers);
u32 peek(int pid, const void *address);
void poke(int pid, const void *address, u32 value);
/* Expects a stop by this signal. */
void expect_stop(const char *what, int status, int signal);
siginfo_t stop_information(int pid);
void end_tracee(int pid);

#endif /* PLEX86_TRACEE_H */
