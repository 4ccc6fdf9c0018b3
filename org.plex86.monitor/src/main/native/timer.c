/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system timer: line 0 is raised once the TSC has reached the deadline in
 * the data page.  Each process has a host timer of its own, as a signal of
 * another process would have to wake that first.  A host timer may fire early,
 * for a deadline that has since moved; it is then set again.
 */
#include "nexus.h"

/* Deadlines further off than this are looked at again when it is over. */
#define LONGEST_NS 3600000000000ul

struct itimerspec {
  struct timespec interval;
  struct timespec value;
};

static u32 host_timer;
static u64 armed; /* deadline that the host timer stands for; 0: none */

static u64 ns_until(u64 deadline, u64 now)
{
  u64 cycles = deadline - now, khz = DATA(PLEX86_TSC_KHZ);
  if (!khz)
    khz = 1;
  u64 ms = cycles / khz;
  if (ms >= LONGEST_NS / 1000000)
    return LONGEST_NS;
  return ms * 1000000 + cycles % khz * 1000000 / khz + 1;
}

static void arm(u64 deadline, u64 now)
{
  u64 ns = ns_until(deadline, now);
  struct itimerspec spec = {{0, 0}, {(s64)(ns / 1000000000), (s64)(ns % 1000000000)}};
  syscall4(SYS_timer_settime, host_timer, 0, &spec, NULL);
  armed = deadline;
}

/*
 * Also from a signal that came between halt()'s look at the lines and its sleep, hence wake: a
 * sleep that it has not begun yet must not begin.
 */
static void raise_line(void)
{
  __atomic_fetch_or(&DATA(PLEX86_IRQ_PENDING), 1u << PLEX86_IRQ_TIMER, __ATOMIC_SEQ_CST);
  DATA64(PLEX86_TIMER_DEADLINE) = 0;
  __atomic_fetch_add(&CONTROL->wake, 1, __ATOMIC_SEQ_CST);
  COUNT(timer_expired);
}

void timer_init(void)
{
  struct {
    u64 value;
    u32 signal, notify, pad[12];
  } event = {0, SIGALRM, 0, {0}};
  s64 result = syscall3(SYS_timer_create, CLOCK_MONOTONIC, &event, &host_timer);
  if (result < 0)
    end_vm(END_NEXUS, "timer_create: error %lu", (u64)-result);
}

void timer_program(void)
{
  u64 deadline = DATA64(PLEX86_TIMER_DEADLINE), now = read_tsc();
  if (!deadline)
    return;
  if (now >= deadline)
    raise_line();
  else if (!armed || armed > deadline || armed <= now)
    arm(deadline, now);
}

int timer_is_due(void)
{
  u64 deadline = DATA64(PLEX86_TIMER_DEADLINE);
  if (deadline && read_tsc() >= deadline)
    raise_line();
  return DATA(PLEX86_IRQ_PENDING) >> PLEX86_IRQ_TIMER & 1;
}

/* The host timer stands for nothing any more, whether or not this process runs the guest now. */
void timer_expired(void)
{
  armed = 0;
}

/* sti; hlt: until a line is raised.  The caller delivers it on its way to the guest. */
void halt(void)
{
  COUNT(halts);
  DATA(PLEX86_VIF) = EFLAGS_IF;
  for (;;) {
    CONTROL->idle = 1;
    u32 wakes = CONTROL->wake;
    fence(); /* the monitor sets the line, then reads idle */
    if (DATA(PLEX86_IRQ_PENDING) & ~DATA(PLEX86_IRQ_MASK))
      break;
    u64 deadline = DATA64(PLEX86_TIMER_DEADLINE), now = read_tsc();
    if (deadline && now >= deadline) {
      raise_line();
      continue;
    }
    u64 ns = deadline ? ns_until(deadline, now) : LONGEST_NS;
    struct timespec timeout = {(s64)(ns / 1000000000), (s64)(ns % 1000000000)};
    futex_wait(&CONTROL->wake, wakes, &timeout);
  }
  CONTROL->idle = 0;
}
