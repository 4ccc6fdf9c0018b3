/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks SUBJECT GROUP...: runs groups of checks, each check in a process of
 * its own. SUBJECT is shared or strict, the process model of the guest it runs
 * in, or native. Prints, in this order:
 *   plan NAME                        for each check
 *   at NAME: WHAT: expected X, was Y each difference
 *   ok|failed NAME, skipped NAME: WHY
 * Status 0: none failed.
 *
 * checks - --helper STATUS, checks - --state: what checks of exec start.
 * checks SUBJECT --clock: see tell_time().
 */
#include "check.h"
#include <linux/wait.h>

enum { LIMIT_S = 30, STATUS_DIFFERENT = 81, STATUS_SKIPPED = 82 };

static const struct {
  const char *name;
  const struct check *checks;
} groups[] = {
  {"signals", signal_checks},
  {"frames", frame_checks},
  {"faults", fault_checks},
  {"traps", trap_checks},
  {"memory", memory_checks},
  {"maps", map_checks},
  {"userfault", userfault_checks},
  {"threads", thread_checks},
  {"futexes", futex_checks},
  {"fpu", fpu_checks},
  {"trace", trace_checks},
  {"debug", debug_checks},
  {"clocks", clock_checks},
  {"timers", timer_checks},
  {"processes", process_checks},
  {"filters", filter_checks},
  {"attacks", attack_checks},
  {"pressure", pressure_checks},
};

static const char *subject, *group, *current;
static int different;

static void put_name(void)
{
  text(group);
  text(".");
  text(current);
}

static void put_value(u32 value)
{
  text("0x");
  hex(value);
  if (value < 1000000) {
    text(" (");
    number(value);
    text(")");
  }
}

static void put_signed(i64 value)
{
  if (value < 0)
    text("-");
  number((u64)(value < 0 ? -value : value));
}

static void begin_difference(const char *what)
{
  different = 1;
  text("at ");
  put_name();
  text(": ");
  text(what);
  text(": expected ");
}

int differences(void)
{
  return different;
}

void expect(const char *what, u32 actual, u32 expected)
{
  if (actual == expected)
    return;
  begin_difference(what);
  put_value(expected);
  text(", was ");
  put_value(actual);
  text("\n");
}

void expect_range(const char *what, i64 actual, i64 least, i64 most)
{
  if (actual >= least && actual <= most)
    return;
  begin_difference(what);
  put_signed(least);
  text(" to ");
  put_signed(most);
  text(", was ");
  put_signed(actual);
  text("\n");
}

void expect_text(const char *what, const char *actual, const char *expected)
{
  if (same(actual, expected))
    return;
  begin_difference(what);
  text(expected);
  text(", was ");
  text(actual);
  text("\n");
}

void require(const char *what, int condition)
{
  expect(what, condition != 0, 1);
  if (!condition)
    done();
}

int must(const char *what, int result)
{
  if (result < 0 && result > -PAGE) {
    begin_difference(what);
    text("success, was error ");
    number((u32)-result);
    text("\n");
    done();
  }
  return result;
}

void skip(const char *why)
{
  text("skipped ");
  put_name();
  text(": ");
  text(why);
  text("\n");
  leave(STATUS_SKIPPED);
}

void done(void)
{
  leave(different ? STATUS_DIFFERENT : 0);
}

/* ---- the subject ---- */

int in_guest(void)
{
  return !same(subject, "native") && !same(subject, "reference");
}

int on_i386_kernel(void)
{
  return !same(subject, "native");
}

static const char *reason_to_skip(u32 needs)
{
  if ((needs & NEEDS_ISOLATION) && same(subject, "shared"))
    return "only the strict process model keeps a guest's kernel from its user programs";
  if ((needs & NEEDS_I386_KERNEL) && !on_i386_kernel())
    return "of an i386 kernel only";
  if ((needs & NEEDS_GUEST) && !in_guest())
    return "of the guest's configuration";
  return NULL;
}

/* ---- running ---- */

/* The status of a check's process, or -1 when it has taken too long. */
static int await(int pid)
{
  u64 end = monotonic() + LIMIT_S * 1000000000ull, now;
  u32 mask[2] = {1u << (SIGCHLD - 1), 0};
  int status;
  for (;;) {
    int result = sys(__NR_wait4, pid, &status, WNOHANG, 0);
    if (result == pid)
      return status;
    if ((now = monotonic()) >= end)
      return -1;
    struct timespec64 left = {2, 0, 0};
    sys(__NR_rt_sigtimedwait_time64, mask, 0, &left, 8);
  }
}

static void put_end(int status)
{
  if (status == -1) {
    begin_difference("end");
    text("within ");
    number(LIMIT_S);
    text(" s, was running\n");
  } else if (status & 0x7f) {
    begin_difference("end");
    text("by itself, was by signal ");
    number(status & 0x7f);
    text("\n");
  } else if (status >> 8 != STATUS_DIFFERENT) {
    begin_difference("end");
    text("status 0, was ");
    number((u32)(status >> 8));
    text("\n");
  }
}

/* 1 if it failed. */
static int run(const struct check *check)
{
  const char *why = reason_to_skip(check->needs);
  current = check->name;
  different = 0;
  if (why) {
    text("skipped ");
    put_name();
    text(": ");
    text(why);
    text("\n");
    return 0;
  }
  int pid = fork_process();
  if (pid == 0) {
    u32 none[2] = {0, 0};
    sys(__NR_setpgid, 0, 0);
    sys(__NR_rt_sigprocmask, SIG_SETMASK, none, 0, 8);
    check->run();
    done();
  }
  sys(__NR_setpgid, pid, pid);
  int status = await(pid);
  sys(__NR_kill, -pid, SIGKILL); /* with all that it has left behind */
  if (status == -1)
    sys(__NR_wait4, pid, 0, 0, 0);
  if (status >> 8 == STATUS_SKIPPED && (status & 0x7f) == 0)
    return 0;
  if (status)
    put_end(status);
  text(status ? "failed " : "ok ");
  put_name();
  text("\n");
  return status != 0;
}

static u32 each(int argc, char **argv, int (*action)(const struct check *))
{
  u32 sum = 0;
  for (u32 i = 0; i < COUNT_OF(groups); i++) {
    int wanted = 0;
    for (int k = 2; k < argc; k++)
      wanted |= same(argv[k], groups[i].name);
    group = groups[i].name;
    for (const struct check *check = groups[i].checks; wanted && check->name; check++)
      sum += (u32)action(check);
  }
  return sum;
}

static int plan(const struct check *check)
{
  current = check->name;
  text("plan ");
  put_name();
  text("\n");
  return 1;
}

/* A reading of the clock for each byte of the standard input, for the host to compare with its own. */
static int tell_time(void)
{
  char byte;
  while (sys(__NR_read, 0, &byte, 1) == 1) {
    number(monotonic());
    text("\n");
  }
  return 0;
}

int main(int argc, char **argv, char **envp)
{
  (void)envp;
  if (argc >= 2)
    subject = argv[1];
  if (argc >= 4 && same(argv[2], "--helper"))
    return (int)parse(argv[3]);
  if (argc >= 3 && same(argv[2], "--state"))
    return initial_state();
  if (argc >= 3 && same(argv[2], "--clock"))
    return tell_time();
  u32 mask[2] = {1u << (SIGCHLD - 1), 0};
  sys(__NR_rt_sigprocmask, SIG_BLOCK, mask, 0, 8);
  if (argc < 3 || each(argc, argv, plan) == 0) {
    text("usage: checks shared|strict|native|reference GROUP...; groups:");
    for (u32 i = 0; i < COUNT_OF(groups); i++) {
      text(" ");
      text(groups[i].name);
    }
    text("\n");
    return 2;
  }
  return each(argc, argv, run) ? 1 : 0;
}
