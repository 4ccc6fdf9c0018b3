/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's process 1: what its parts offer each other. */
#ifndef PLEX86_INIT_H
#define PLEX86_INIT_H

#include <linux/types.h>
#include "sys.h"

/* ---- setup.c: the world that user programs expect ---- */

/* Mounts, links, environment; the host name is the kernel's (hostname=). */
void set_up_system(char **environment);

/* Is this word, alone, on the kernel's command line?  With a '=' at its end: with any value. */
int command_line_has(const char *word);

/* "init: WHAT: ABOUT (error N)" to the kernel log and so to the console.  nolibc has an errno in
 * every unit, so the number is taken where it was set. */
#define complain(what, about) complain_of(what, about, errno)
void complain_of(const char *what, const char *about, int error);

/* The environment of whatever is started. */
extern char **init_environment;

/* ---- network.c ---- */

/* Loopback, and the first card if there is one; waits some seconds for an address. */
void set_up_network(void);

/* ---- shutdown.c: signals to process 1, and the end ---- */

/* Signals that process 1 takes through signal_fd(), all blocked. */
#define INIT_SIGNALS \
  (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2))

int signal_fd(void);

struct signal_events {
  int end; /* a LINUX_REBOOT_CMD_*: somebody asks for the end; 0: nobody does */
  int reaped; /* the process asked about has ended... */
  int status; /* ...with this wait status */
};

/* Takes what signals there are, reaps every child that has ended. */
void take_signals(pid_t watched, struct signal_events *events);

/* Ends all processes, writes disks back, ends the VM. */
void shut_down(int reboot_command) __attribute__((noreturn));

/* ---- process.c ---- */

/* In a child: signals as a program expects them, then exec; exits 127 if that fails. */
void become(const char *program, char *const arguments[]) __attribute__((noreturn));

/* ---- shell.c, exec.c: the two things a guest is for; return how it is to end ---- */
int run_shell(void);
int serve_exec(void);

#endif
