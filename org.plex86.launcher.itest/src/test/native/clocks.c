/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks: they agree, never go back, and count what they say. That they keep the host's pace is CorrectnessIT's. */
#include "check.h"
#include <linux/time.h>
#include <linux/resource.h>

enum { READINGS = 100000 };

static u64 clock_by(int (*call)(int, u32, u32, u32, u32, u32, u32), int clock)
{
  struct timespec64 t = {0, 0, 0};
  must("clock_gettime64", call(__NR_clock_gettime64, (u32)clock, (u32)&t, 0, 0, 0, 0));
  return (u64)t.sec * 1000000000u + (u32)t.nsec;
}

/* ---- the vDSO's own clock, which enters no kernel ---- */

typedef int (*gettime)(int clock, struct timespec64 *t);

/* A function of the vDSO's symbol table, by its name (System V ABI, i386: DT_SYMTAB, DT_STRTAB, DT_HASH). */
static void *vdso_function(const char *name)
{
  u32 base = vdso_base();
  if (!base)
    return NULL;
  u32 *program = (u32 *)(base + ((u32 *)base)[7]); /* e_phoff */
  u32 count = *(u16 *)(base + 44); /* e_phnum */
  u32 strings = 0, symbols = 0, hash = 0;
  for (u32 i = 0; i < count; i++, program += 8) {
    if (program[0] != 2) /* PT_DYNAMIC */
      continue;
    for (u32 *entry = (u32 *)(base + program[1]); entry[0]; entry += 2) {
      strings = entry[0] == 5 ? base + entry[1] : strings;
      symbols = entry[0] == 6 ? base + entry[1] : symbols;
      hash = entry[0] == 4 ? base + entry[1] : hash;
    }
  }
  if (!strings || !symbols || !hash)
    return NULL;
  for (u32 i = 0; i < ((u32 *)hash)[1]; i++) {
    u32 *symbol = (u32 *)(symbols + i * 16);
    if (symbol[1] && same((const char *)(strings + symbol[0]), name))
      return (void *)(base + symbol[1]);
  }
  return NULL;
}

static u64 clock_of(gettime function, int clock)
{
  struct timespec64 t = {0, 0, 0};
  must("the vDSO's clock_gettime64", function(clock, &t));
  return (u64)t.sec * 1000000000u + (u32)t.nsec;
}

static void monotonic_order(void)
{
  gettime function = (gettime)vdso_function("__vdso_clock_gettime64");
  if (!function)
    skip("the vDSO has no clock_gettime64");
  static const int clocks[] = {1 /* MONOTONIC */, 4 /* RAW */, 7 /* BOOTTIME */, 6 /* COARSE */};
  for (u32 k = 0; k < COUNT_OF(clocks); k++) {
    u64 before = 0;
    u32 back = 0;
    for (u32 i = 0; i < READINGS; i++) { /* now by the kernel, now by the vDSO */
      u64 now = i % 50 == 0 ? clock_by(syscall_int80, clocks[k]) : clock_of(function, clocks[k]);
      back += now < before;
      before = now;
    }
    expect("steps back", back, 0);
  }
}

static void clocks_agree(void)
{
  gettime function = (gettime)vdso_function("__vdso_clock_gettime64");
  if (!function)
    skip("the vDSO has no clock_gettime64");
  static const int clocks[] = {0, 1, 4, 7, 11 /* TAI */};
  for (u32 k = 0; k < COUNT_OF(clocks); k++) {
    i64 least = 1ll << 62;
    for (u32 i = 0; i < 20; i++) {
      u64 first = clock_by(syscall_int80, clocks[k]), between = clock_of(function, clocks[k]),
          last = clock_by(syscall_int80, clocks[k]);
      expect("the vDSO's reading is not before the kernel's", between >= first, 1);
      expect("nor behind it", between <= last, 1);
      if ((i64)(last - first) < least)
        least = (i64)(last - first);
    }
    expect_range("ns between two readings", least, 1, 10000000);
  }
}

static void pace(void)
{
  u64 start[3], end[3];
  static const int clocks[] = {0, 4, 7};
  for (u32 i = 0; i < 3; i++)
    start[i] = clock_by(syscall6, clocks[i]);
  u64 from = monotonic();
  sleep_ms(300);
  u64 to = monotonic();
  for (u32 i = 0; i < 3; i++)
    end[i] = clock_by(syscall6, clocks[i]);
  for (u32 i = 0; i < 3; i++)
    expect_range("ns of another clock beside CLOCK_MONOTONIC's", (i64)(end[i] - start[i]), (i64)(to - from),
      (i64)(to - from) + 50000000);
}

static void resolution(void)
{
  struct timespec64 t = {-1, -1, 0};
  must("clock_getres", sys(__NR_clock_getres_time64, 1, &t));
  expect("seconds", (u32)t.sec, 0);
  expect("ns", (u32)t.nsec, 1);
  expect("a clock that there is not", (u32)sys(__NR_clock_gettime64, 99, &t), (u32)-22);
  u32 bad_time[4] = {0, 0, 1000000000, 0};
  expect("a sleep of a billion ns", (u32)sys(__NR_clock_nanosleep_time64, 1, 0, bad_time, 0), (u32)-22);
}

/*
 * Processor time: of one that spins it goes on, of one that sleeps it does not. The thread's clock is read outside
 * the process's, so that the shorter span is never the thread's.
 */
static void processor_time(void)
{
  enum { PROCESS = 2, THREAD = 3 };
  u64 wall = monotonic(), thread_before = clock_by(syscall6, THREAD), before = clock_by(syscall6, PROCESS);
  while (clock_by(syscall6, PROCESS) - before < 100000000 && monotonic() - wall < 20000000000ull) {
  }
  u64 spent = clock_by(syscall6, PROCESS) - before, passed = monotonic() - wall;
  expect_range("ns of a spinning process", (i64)spent, 100000000, (i64)passed + 20000000);
  expect_range(
    "ns of its thread", (i64)(clock_by(syscall6, THREAD) - thread_before), 100000000, (i64)passed + 20000000);
  before = clock_by(syscall6, PROCESS);
  sleep_ms(200);
  expect_range("ns of a sleeping process", (i64)(clock_by(syscall6, PROCESS) - before), 0, 50000000);
}

static void usage_of_children(void)
{
  struct {
    u32 user_s, user_us, system_s, system_us, more[14];
  } usage;
  int pid = fork_process();
  if (pid == 0) {
    while (clock_by(syscall6, 2) < 150000000) {
    }
    leave(0);
  }
  wait_for(pid);
  must("getrusage", sys(__NR_getrusage, RUSAGE_CHILDREN, &usage));
  u32 us = (usage.user_s + usage.system_s) * 1000000 + usage.user_us + usage.system_us;
  expect_range("microseconds of a child that spun 150 ms", us, 120000, 400000);
}

static void old_calls(void)
{
  u32 value[2];
  u64 now = realtime();
  must("gettimeofday", sys(__NR_gettimeofday, value, 0));
  u32 seconds = (u32)divide(now, 1000000000);
  expect_range("seconds of gettimeofday", value[0], seconds, seconds + 2);
  expect_range("seconds of time", (u32)sys(__NR_time, 0), seconds - 1, seconds + 2);
  expect_range("the year", seconds, 1600000000, 4000000000u);
}

const struct check clock_checks[] = {
  {"100000 readings each, by the vDSO and the kernel in turns: no step back", monotonic_order, 0},
  {"the vDSO's reading is between two of the kernel's", clocks_agree, 0},
  {"REALTIME, MONOTONIC_RAW and BOOTTIME go as MONOTONIC does", pace, 0},
  {"resolution 1 ns; clocks and times that there are not: EINVAL", resolution, 0},
  {"processor time of a process that spins and that sleeps", processor_time, 0},
  {"getrusage has the time of children", usage_of_children, 0},
  {"gettimeofday and time agree with the clock", old_calls, 0},
  {NULL, NULL, 0},
};
