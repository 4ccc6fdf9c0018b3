/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check is a function that runs in a process of its own, and says by the
 * expect functions what it found. See check.c for what is printed.
 */
#ifndef PLEX86_CHECK_H
#define PLEX86_CHECK_H

#include "rt.h"
#include <asm/unistd_32.h>
#include <linux/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

enum {
  /* Only a kernel whose user programs cannot get at its memory passes this. */
  NEEDS_ISOLATION = 1,
  /* Of an i386 kernel with 3 GiB for a process, not of a 64-bit kernel's i386 mode. */
  NEEDS_I386_KERNEL = 2,
  /* Of the guest's configuration; another kernel may do otherwise. */
  NEEDS_GUEST = 4,
};

struct check {
  const char *name; /* input and outcome */
  void (*run)(void);
  u32 needs;
};

/* Ends with a check without a name. */
extern const struct check signal_checks[], frame_checks[], fault_checks[], trap_checks[], memory_checks[], map_checks[],
  userfault_checks[], thread_checks[], futex_checks[], fpu_checks[], trace_checks[], debug_checks[], clock_checks[],
  timer_checks[], process_checks[], filter_checks[], attack_checks[], pressure_checks[];

/* ---- for checks; all go on after a difference, but for require ---- */

void expect(const char *what, u32 actual, u32 expected);
void expect_range(const char *what, i64 actual, i64 least, i64 most);
void expect_text(const char *what, const char *actual, const char *expected);
void require(const char *what, int condition); /* ends the check */
/* The result of a system call that must not fail; ends the check if it did. */
int must(const char *what, int result);
/* Ends the check: this kernel does not offer what is checked. */
__attribute__((noreturn)) void skip(const char *why);
/* Ends the check's process, or one that it has forked: its status says whether all was as expected. */
__attribute__((noreturn)) void done(void);
int differences(void);

/* ---- the subject ---- */

int in_guest(void); /* our kernel, with our configuration */
int on_i386_kernel(void);

/* ---- signals and faults ---- */

/* SA_SIGINFO always; mask of one word. */
void handle(int signal, void (*handler)(int, siginfo_t *, struct ucontext *), u32 flags, u32 mask);
void set_default(int signal);

struct fault {
  u32 count, signal, code, address, trapno, error, eip, esp;
};
/* The signal that this causes, or count 0; after catch_faults(), which maps a stack for the handler. */
void catch_faults(void);
struct fault fault_of(void (*action)(void *), void *argument);
void expect_fault(struct fault actual, u32 signal, u32 code, u32 address, u32 trapno, u32 error);
void use_altstack(void);

/* As setjmp and longjmp; what is changed between is to be volatile. */
struct place {
  u32 ebx, esi, edi, ebp, esp, eip;
};
__attribute__((returns_twice)) int save_place(struct place *place);
__attribute__((noreturn)) void go_back(struct place *place);

/* ---- other ---- */

/* A bit for each part of the FPU's state that is not as a program is to find it. */
int initial_state(void);

void *map(u32 address, u32 bytes, u32 protection, u32 flags);
void sleep_ms(u32 ms);
int gettid(void);
/* n bytes of pattern that another seed does not give; 1 if they are all there. */
void fill(void *at, u32 n, u32 seed);
int filled(const void *at, u32 n, u32 seed);
int read_file(const char *path, char *buffer, u32 size); /* its length, with a 0 behind; or an error */
int write_file(const char *path, const char *text);
/* The number behind the first occurrence of a key in a text, or -1. */
i64 value_of(const char *text, const char *key);
/* A thread of this process on a stack of 64 KiB; its flags beside CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM. */
struct thread {
  u32 tid; /* 0 once it has ended: a futex */
  void *stack;
};
void start_thread(struct thread *thread, void (*run)(void *), void *argument, u32 flags, void *tls);
void join_thread(struct thread *thread);
/* clone(2) with a stack of its own for the child. */
int clone_on(
  u32 flags, void *stack_top, void (*run)(void *), void *argument, u32 *parent_tid, void *tls, u32 *child_tid);
i64 elapsed_us(u64 since);

#endif /* PLEX86_CHECK_H */
