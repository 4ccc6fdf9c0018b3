/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor makes the space processes and watches over them.  It runs no
 * guest code and maps no guest memory, so what it reports can be relied on:
 * which processes there are, and how the first one of them ended.
 */
#include "nexus.h"

#define PR_SET_PDEATHSIG 1
#define PR_SET_DUMPABLE 4
#define RLIMIT_CORE 4
#define POLLIN 1

/* How long the TSC is measured against the host's clock: 40 ns of error each side are 10 ppm. */
#define CALIBRATION_NS 8000000ul

/* The guest can write the control and hand-off memory once it runs: what counts is read before, or kept here. */
u32 space_count;
u32 isolation;

struct clock_sample {
  u64 tsc;
  u64 ns;
};

static u64 read_clock(u32 clock)
{
  struct timespec time;
  syscall2(SYS_clock_gettime, clock, &time);
  return (u64)time.seconds * 1000000000 + (u64)time.nanoseconds;
}

/* The sample of several that was taken in the shortest time. */
static struct clock_sample sample_clock(u32 clock)
{
  struct clock_sample best = {0, 0};
  u64 shortest = ~0ul;
  for (u32 i = 0; i < 16; i++) {
    u64 before = read_tsc(), ns = read_clock(clock), after = read_tsc();
    if (after - before < shortest) {
      shortest = after - before;
      best.tsc = before + (after - before) / 2;
      best.ns = ns;
    }
  }
  return best;
}

static void report(const char *format, ...)
{
  char buffer[160];
  struct text text = {buffer, sizeof buffer, 0};
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  text_append_list(&text, format, arguments);
  __builtin_va_end(arguments);
  text_append(&text, "\n");
  syscall3(SYS_write, FD_REPORT, buffer, text.length);
}

__attribute__((noreturn)) static void refuse(const char *what, s64 error)
{
  report("error %s: error %lu", what, (u64)-error);
  sys_exit(1);
}

static u32 read_number(const char *file, u32 otherwise)
{
  char buffer[32];
  s64 fd = syscall2(SYS_open, file, 0);
  if (fd < 0)
    return otherwise;
  s64 length = syscall3(SYS_read, fd, buffer, sizeof buffer);
  syscall1(SYS_close, fd);
  u32 value = 0;
  for (s64 i = 0; i < length && buffer[i] >= '0' && buffer[i] <= '9'; i++)
    value = value * 10 + (u32)(buffer[i] - '0');
  return length > 0 ? value : otherwise;
}

static void map_control(void)
{
  s64 result = sys_mmap(NEXUS_CONTROL, CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, FD_CONTROL, 0);
  if (result != (s64)NEXUS_CONTROL)
    refuse("cannot map the control memory", result);
  if (CONTROL->magic != CONTROL_MAGIC || CONTROL->version != CONTROL_VERSION)
    refuse("the monitor is of another version", -EINVAL);
  if (CONTROL->spaces < 1 || CONTROL->spaces > CONTROL_SPACES_MAX || CONTROL->ram_pages >= 0xd0000 ||
      CONTROL->isolation > ISOLATION_STRICT ||
      (CONTROL->isolation == ISOLATION_STRICT && (CONTROL->spaces < 2 || CONTROL->spaces == CONTROL_SPACES_MAX)))
    refuse("the monitor's parameters are out of range", -EINVAL);
  space_count = CONTROL->spaces;
  isolation = CONTROL->isolation;
}

static void probe_host(void)
{
  cpuid_probe((volatile struct cpuid_table *)(NEXUS_CONTROL + CONTROL_CPUID_HOST));
  CONTROL->host_xcr0 = cpu_xcr0();
  CONTROL->cpu_flags = probe_ia32() ? CPU_IA32_EMULATION : 0;
  ram_bytes = (u64)CONTROL->ram_pages * PAGE_SIZE;
  lowest_page = (read_number("/proc/sys/vm/mmap_min_addr", 65536) + PAGE_SIZE - 1) & PAGE_MASK;
  if (lowest_page < PAGE_SIZE)
    lowest_page = PAGE_SIZE;
  u32 limit = read_number("/proc/sys/vm/max_map_count", 65530);
  maps_limit = limit > 1100 ? limit - 1000 : 100;
}

static void write_wall_clock(void)
{
  struct clock_sample wall = sample_clock(CLOCK_REALTIME);
  DATA64(PLEX86_WALL_TSC) = wall.tsc;
  DATA64(PLEX86_WALL_NS) = wall.ns;
}

/* Returns 0 where it is too early yet. */
static int calibrate_tsc(struct clock_sample start)
{
  struct clock_sample now = sample_clock(CLOCK_MONOTONIC);
  if (now.ns - start.ns < CALIBRATION_NS)
    return 0;
  u64 khz = (now.tsc - start.tsc) * 1000000 / (now.ns - start.ns);
  CONTROL->tsc_khz = (u32)khz;
  DATA(PLEX86_TSC_KHZ) = (u32)khz;
  return 1;
}

static void make_handoff(void)
{
  s64 fd = syscall2(SYS_memfd_create, "plex86-handoff", 0);
  if (fd != FD_HANDOFF)
    refuse("cannot make the hand-off memory", fd);
  s64 result = syscall2(SYS_ftruncate, fd, HANDOFF_SIZE);
  if (result < 0)
    refuse("cannot make the hand-off memory", result);
  map_handoff_whole();
}

static s64 supervisor;
static s64 pids[CONTROL_SPACES_MAX + 1];
static u32 lives[CONTROL_SPACES_MAX + 1];

static int is_strict(void)
{
  return isolation == ISOLATION_STRICT;
}

/* All spaces are one process group, that of the first, so that one signal stops or ends them all. */
static s64 fork_process(u32 slot, u32 life)
{
  s64 pid = syscall0(SYS_fork);
  if (pid < 0)
    refuse("cannot fork", pid);
  if (pid)
    return pid;
  syscall2(SYS_setpgid, 0, slot ? pids[0] : 0);
  syscall2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (syscall0(SYS_getppid) != supervisor)
    sys_exit(1);
  syscall1(SYS_close, FD_SIGNALS);
  if (slot == space_count)
    relay_main();
  space_main(slot, life);
}

static void start_process(u32 slot)
{
  u32 life = ++lives[slot];
  pids[slot] = fork_process(slot, life);
  syscall2(SYS_setpgid, pids[slot], pids[0]);
  report("space %u %u", slot, (u32)pids[slot]);
  if (!is_strict())
    return;
  TURN(slot)->pid = (u32)pids[slot];
  __atomic_store_n(&TURN(slot)->life, life, __ATOMIC_SEQ_CST);
}

/*
 * User code can end its process, by a stack that takes no signal; that is the guest process's end,
 * not the machine's.  One that ends before the kernel process has accepted it has run no user code:
 * the next one would fare no better.
 */
static int is_replaceable(u32 slot)
{
  return is_strict() && slot && slot < space_count && TURN(slot)->accepted == lives[slot];
}

static void replace(u32 slot)
{
  start_process(slot);
  __atomic_fetch_add(&REPORT(slot)->bell, 1, __ATOMIC_SEQ_CST); /* the kernel process may sleep on it */
  futex_wake(&REPORT(slot)->bell);
}

static void report_end(u32 slot, u32 status)
{
  if (status & 0x7f)
    report("died %u signal %u", slot, status & 0x7f);
  else if (status >> 8)
    report("died %u exit %u", slot, status >> 8 & 0xff);
  else
    report("ended");
}

static u32 slot_of(s64 pid, u32 count)
{
  u32 slot = 0;
  while (slot < count && pids[slot] != pid)
    slot++;
  return slot;
}

/* Sees to those that have ended.  Returns 0 where the machine is to end. */
static int reap(u32 count)
{
  u32 status = 0;
  for (s64 pid; (pid = syscall4(SYS_wait4, -1, &status, 1, NULL)) > 0;) { /* WNOHANG */
    u32 slot = slot_of(pid, count);
    if (is_replaceable(slot)) {
      replace(slot);
    } else if (slot < count) {
      report_end(slot, status);
      return 0;
    }
  }
  return 1;
}

/* Until a process ends that cannot be replaced, or the monitor does. */
static void watch(u32 count)
{
  struct {
    u32 fd;
    u16 events, happened;
  } polled[2] = {{FD_LIFELINE, POLLIN, 0}, {FD_SIGNALS, POLLIN, 0}};
  for (;;) {
    s64 ready = syscall3(SYS_poll, polled, 2, -1);
    if (ready < 0 && ready != -EINTR)
      return;
    if (!reap(count) || polled[0].happened)
      return;
    u8 signal_info[128];
    if (polled[1].happened)
      syscall3(SYS_read, FD_SIGNALS, signal_info, sizeof signal_info);
  }
}

int supervise(void)
{
  struct clock_sample start = sample_clock(CLOCK_MONOTONIC);
  u64 child_signal = 1ul << (SIGCHLD - 1), no_core[2] = {0, 0};
  /* blocked in a space as well, until it has its handlers: a kick may come before */
  u64 blocked = child_signal | 1ul << (SIGUSR1 - 1) | 1ul << (SIGALRM - 1);
  u64 ignore[4] = {1 /* SIG_IGN */, 0, 0, 0};

  syscall0(SYS_setsid);
  syscall3(SYS_close_range, FD_RAM + 1, ~0u, 0);
  syscall4(SYS_rt_sigaction, SIGPIPE, ignore, NULL, 8);
  syscall2(SYS_setrlimit, RLIMIT_CORE, no_core);
  map_control();
  CONTROL->start_tsc = start.tsc;
  probe_host();
  write_wall_clock();

  syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, 8);
  s64 fd = syscall4(SYS_signalfd4, -1, &child_signal, 8, 0);
  if (fd != FD_SIGNALS)
    refuse("cannot watch over processes", fd);
  if (is_strict())
    make_handoff();
  supervisor = syscall0(SYS_getpid);
  u32 count = space_count;
  if (is_strict())
    count++; /* the relay is the last */
  int is_ready = 0;
  for (u32 slot = 0; slot < count || !is_ready; slot++) {
    if (slot < count)
      start_process(slot);
    if (!is_ready && calibrate_tsc(start)) {
      report("ready"); /* the guest can go: a turn may be given to a process before there is one */
      is_ready = 1;
    }
  }
  if (is_strict())
    seccomp_confine_strict_supervisor();
  else
    seccomp_confine_supervisor();

  watch(count);
  syscall2(SYS_kill, -pids[0], SIGKILL);
  while (syscall4(SYS_wait4, -1, NULL, 0, NULL) > 0)
    ;
  return 0;
}
