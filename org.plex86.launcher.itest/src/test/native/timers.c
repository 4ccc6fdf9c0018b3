/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: never early, and none is lost. How late is the scheduler's affair and
 * that of what else the host does, so that the bounds above are generous; what
 * a quiet machine does is the least of several.
 */
#include "check.h"
#include <linux/time.h>

enum { MS = 1000000, QUIET_US = 5000 };

static volatile u32 fired;
static volatile siginfo_t last;

static void note(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)context;
  fired++;
  memcpy((void *)&last, info, sizeof last);
}

static void sleeps(void)
{
  static const u32 us[] = {100, 1000, 5000, 20000};
  for (u32 i = 0; i < COUNT_OF(us); i++) {
    i64 least_late = 1 << 30;
    for (u32 turn = 0; turn < 8; turn++) {
      struct timespec64 t = {0, (i32)us[i] * 1000, 0};
      u64 start = monotonic();
      must("nanosleep", sys(__NR_clock_nanosleep_time64, CLOCK_MONOTONIC, 0, &t, 0));
      i64 late = elapsed_us(start) - us[i];
      expect_range("microseconds late", late, 0, 10000000);
      if (late < least_late)
        least_late = late;
    }
    expect_range("microseconds late, the least of 8", least_late, 0, QUIET_US);
  }
}

static void absolute_sleeps(void)
{
  u64 next = monotonic();
  for (u32 i = 0; i < 30; i++) {
    next += 3 * MS;
    sleep_until(next);
    expect("the time has come", monotonic() >= next, 1);
  }
  u64 before = monotonic();
  sleep_until(divide(before, 2)); /* the machine may have run for less than a second */
  expect_range("microseconds of a sleep until the past", elapsed_us(before), 0, 1000000);
}

struct interval {
  struct timespec64 interval, value;
};

static int timer_descriptor(int clock)
{
  return must("timerfd_create", sys(__NR_timerfd_create, clock, 0));
}

/* As many as have been due, whatever the delays in between. */
static void periodic_descriptor(void)
{
  int fd = timer_descriptor(CLOCK_MONOTONIC);
  struct interval timer = {{0, 10 * MS, 0}, {0, 10 * MS, 0}};
  u64 start = monotonic(), count, sum = 0;
  must("timerfd_settime", sys(__NR_timerfd_settime64, fd, 0, &timer, 0));
  u64 set = monotonic();
  while (monotonic() - start < 500 * MS) {
    expect("read", (u32)sys(__NR_read, fd, &count, 8), 8);
    sum += count;
    expect("due by now", sum <= divide(monotonic() - start, 10 * MS), 1);
  }
  sleep_ms(100); /* what comes meanwhile is counted */
  u64 before = monotonic();
  expect("read", (u32)sys(__NR_read, fd, &count, 8), 8);
  u64 after = monotonic();
  sum += count;
  expect_range("expirations", (i64)sum, (i64)divide(before - set, 10 * MS), (i64)divide(after - start, 10 * MS));
  expect_range("expirations of the last 100 ms", (i64)count, 9, 1000000);
}

static void single_descriptor(void)
{
  int fd = timer_descriptor(CLOCK_MONOTONIC);
  struct interval timer = {{0, 0, 0}, {0, 30 * MS, 0}}, left;
  u64 count = 0, start = monotonic();
  u32 poll[2] = {(u32)fd, 1};
  must("timerfd_settime", sys(__NR_timerfd_settime64, fd, 0, &timer, 0));
  must("timerfd_gettime", sys(__NR_timerfd_gettime64, fd, &left));
  expect_range("ns left", left.value.nsec, 1, 30 * MS);
  expect("poll before", (u32)sys(__NR_poll, poll, 1, 0), 0);
  expect("poll", (u32)sys(__NR_poll, poll, 1, 10000), 1);
  expect_range("microseconds", elapsed_us(start), 30000, 10000000);
  expect("read", (u32)sys(__NR_read, fd, &count, 8), 8);
  expect("expirations", (u32)count, 1);
  expect("poll after", (u32)sys(__NR_poll, poll, 1, 50), 0);
}

static void absolute_descriptor(void)
{
  int fd = timer_descriptor(0 /* CLOCK_REALTIME */);
  u64 until = realtime() + 40 * MS, count = 0, seconds = divide(until, 1000000000);
  struct interval timer = {{0, 0, 0}, {(i64)seconds, (i32)(until - seconds * 1000000000), 0}};
  must("timerfd_settime", sys(__NR_timerfd_settime64, fd, 1, &timer, 0));
  expect("read", (u32)sys(__NR_read, fd, &count, 8), 8);
  expect("the time has come", realtime() >= until, 1);
}

static void interval_timer(void)
{
  u32 timer[4] = {0, 10000, 0, 10000}, off[4] = {0, 0, 0, 0}, left[4];
  handle(SIGALRM, note, SA_RESTART, 0);
  u64 start = monotonic();
  must("setitimer", sys(__NR_setitimer, ITIMER_REAL, timer, 0));
  while (fired < 30 && monotonic() - start < 20000000000ull) {
  }
  expect_range("microseconds for 30 signals of 10 ms", elapsed_us(start), 300000, 20000000);
  must("getitimer", sys(__NR_getitimer, ITIMER_REAL, left));
  expect_range("microseconds left", left[3], 0, 10000);
  must("setitimer", sys(__NR_setitimer, ITIMER_REAL, off, 0));
  u32 before = fired;
  sleep_ms(50);
  expect("signals after it is off", fired, before);
}

static u64 processor_ns(void)
{
  struct timespec64 t;
  sys(__NR_clock_gettime64, 2, &t);
  return (u64)t.sec * 1000000000 + (u32)t.nsec;
}

static void processor_timer(void)
{
  static const int kinds[] = {ITIMER_VIRTUAL, ITIMER_PROF}, signals[] = {SIGVTALRM, SIGPROF};
  for (u32 i = 0; i < 2; i++) {
    u32 timer[4] = {0, 0, 0, 50000};
    fired = 0;
    handle(signals[i], note, 0, 0);
    must("setitimer", sys(__NR_setitimer, kinds[i], timer, 0));
    sleep_ms(80);
    expect("signals while it sleeps", fired, 0);
    u64 before = processor_ns(), start = monotonic();
    while (!fired && monotonic() - start < 20000000000ull)
      for (volatile u32 k = 0; k < 10000; k++) {
      }
    expect_range("ms of processor time", (i64)divide(processor_ns() - before, MS), 30, 400);
  }
}

static void posix_timer(void)
{
  struct sigevent event;
  i32 id = -1;
  memset(&event, 0, sizeof event);
  event.sigev_signo = 40;
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_value.sival_int = 4711;
  handle(40, note, 0, 0);
  must("timer_create", sys(__NR_timer_create, CLOCK_MONOTONIC, &event, &id));
  struct interval timer = {{0, 5 * MS, 0}, {0, 5 * MS, 0}}, off = {{0, 0, 0}, {0, 0, 0}};
  u64 start = monotonic();
  must("timer_settime", sys(__NR_timer_settime64, id, 0, &timer, 0));
  while (fired < 5 && monotonic() - start < 10000000000ull)
    sys(__NR_sched_yield);
  expect("si_code", (u32)last.si_code, (u32)SI_TIMER);
  expect("value", (u32)last.si_value.sival_int, 4711);
  expect("si_tid", (u32)last.si_tid, (u32)id);
  expect_range("microseconds for 5 signals of 5 ms", elapsed_us(start), 25000, 10000000);
  /* what comes while the signal is blocked is counted as overrun */
  u32 mask[2] = {0, 1u << (40 - 33)}, before = fired;
  sys(__NR_rt_sigprocmask, SIG_BLOCK, mask, 0, 8);
  sleep_ms(60);
  sys(__NR_rt_sigprocmask, SIG_UNBLOCK, mask, 0, 8);
  expect_range("signals", (i64)fired - before, 1, 3);
  expect_range("overruns", sys(__NR_timer_getoverrun, id), 0, 100000);
  must("timer_settime", sys(__NR_timer_settime64, id, 0, &off, 0));
  must("timer_delete", sys(__NR_timer_delete, id));
  expect("timer_delete again", (u32)sys(__NR_timer_delete, id), (u32)-22);
}

static void alarm_clock(void)
{
  handle(SIGALRM, note, 0, 0);
  u64 start = monotonic();
  expect("alarm", (u32)sys(__NR_alarm, 1), 0);
  expect("pause", (u32)sys(__NR_pause), (u32)-EINTR);
  expect("signals", fired, 1);
  expect_range("microseconds", elapsed_us(start), 990000, 10000000);
}

static void waits_with_a_limit(void)
{
  int pipe[2];
  must("pipe", sys(__NR_pipe, pipe));
  u32 poll[2] = {(u32)pipe[0], 1}, set = 1u << pipe[0], limit[2] = {0, 30000};
  u64 start = monotonic();
  expect("poll", (u32)sys(__NR_poll, poll, 1, 30), 0);
  expect_range("microseconds of poll", elapsed_us(start), 30000, 5000000);
  start = monotonic();
  expect("select", (u32)sys(__NR__newselect, pipe[0] + 1, &set, 0, 0, limit), 0);
  expect_range("microseconds of select", elapsed_us(start), 30000, 5000000);
  int epoll = must("epoll_create1", sys(__NR_epoll_create1, 0));
  u32 event[3] = {1, 0, 0};
  must("epoll_ctl", sys(__NR_epoll_ctl, epoll, 1, pipe[0], event));
  start = monotonic();
  expect("epoll_wait", (u32)sys(__NR_epoll_wait, epoll, event, 1, 30), 0);
  expect_range("microseconds of epoll_wait", elapsed_us(start), 29000, 5000000);
}

const struct check timer_checks[] = {
  {"nanosleep of 0.1 to 20 ms: never early, on a quiet machine at most 5 ms late", sleeps, 0},
  {"sleeps until a time: never early; until the past: none", absolute_sleeps, 0},
  {"timerfd every 10 ms: as many expirations as were due", periodic_descriptor, 0},
  {"timerfd once: polls ready at its time, and once", single_descriptor, 0},
  {"timerfd at a time of the wall clock", absolute_descriptor, 0},
  {"setitimer every 10 ms: 30 signals in no less than 300 ms, none when off", interval_timer, 0},
  {"ITIMER_VIRTUAL and ITIMER_PROF count processor time only", processor_timer, 0},
  {"timer_create: signal, value, identifier, overrun", posix_timer, 0},
  {"alarm interrupts pause after a second", alarm_clock, 0},
  {"poll, select and epoll_wait with a limit: not early", waits_with_a_limit, 0},
  {NULL, NULL, 0},
};
