/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, thread-local storage by segments, and what clone(2) shares. */
#include "check.h"
#include <asm/ldt.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/time_types.h>

enum { THREADS = 8, TURNS = 2000, RW = PROT_READ | PROT_WRITE };

static volatile u32 counter, bad, start;
static struct thread thread[THREADS];
static u32 lock;

static void add(void *unused)
{
  (void)unused;
  for (u32 i = 0; i < TURNS; i++) {
    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
    if (i % 64 == 0)
      sys(__NR_sched_yield);
  }
}

static void start_all(void (*run)(void *))
{
  for (u32 i = 0; i < THREADS; i++)
    start_thread(&thread[i], run, (void *)i, 0, NULL);
}

static void join_all(void)
{
  for (u32 i = 0; i < THREADS; i++)
    join_thread(&thread[i]);
}

static void atomic_add(void)
{
  start_all(add);
  join_all();
  expect("sum", counter, THREADS * TURNS);
}

static void exchange(void *unused)
{
  (void)unused;
  for (u32 i = 0; i < TURNS; i++) {
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
      sys(__NR_sched_yield);
    counter = counter + 1;
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
  }
}

static void spin_lock(void)
{
  start_all(exchange);
  join_all();
  expect("sum", counter, THREADS * TURNS);
}

/* ---- segments ---- */

static u32 storage[THREADS + 1][16];

static u32 set_area(int entry, void *base, u32 limit)
{
  struct user_desc area;
  memset(&area, 0, sizeof area);
  area.entry_number = (u32)entry;
  area.base_addr = (u32)base;
  area.limit = limit;
  area.seg_32bit = 1;
  area.limit_in_pages = limit > 0xfffff ? 1 : 0;
  area.useable = 1;
  if (area.limit_in_pages)
    area.limit = limit >> 12;
  must("set_thread_area", sys(__NR_set_thread_area, &area));
  return area.entry_number;
}

#define LOAD_SEGMENT(segment, entry) __asm__ volatile("movw %w0, %%" segment : : "r"((entry)*8 + 3))

static u32 through_gs(u32 offset)
{
  u32 value;
  __asm__ volatile("movl %%gs:(%1), %0" : "=r"(value) : "r"(offset));
  return value;
}

static u32 through_fs(u32 offset)
{
  u32 value;
  __asm__ volatile("movl %%fs:(%1), %0" : "=r"(value) : "r"(offset));
  return value;
}

static void three_entries(void)
{
  u32 entry[3];
  for (u32 i = 0; i < 3; i++) {
    storage[i][1] = 0x1000 + i;
    entry[i] = set_area(-1, storage[i], 0xffffffff);
    expect("entry behind the one before", entry[i], entry[0] + i);
  }
  struct user_desc area = {.entry_number = (u32)-1};
  expect("a fourth", (u32)sys(__NR_set_thread_area, &area), (u32)-3);
  for (u32 i = 0; i < 3; i++) {
    LOAD_SEGMENT("gs", entry[i]);
    expect("word through gs", through_gs(4), 0x1000 + i);
    area.entry_number = entry[i];
    must("get_thread_area", sys(__NR_get_thread_area, &area));
    expect("base", area.base_addr, (u32)storage[i]);
  }
  LOAD_SEGMENT("fs", entry[1]);
  expect("word through fs", through_fs(4), 0x1001);
  set_area((int)entry[1], storage[7], 0xffffffff); /* takes effect when fs is loaded */
  storage[7][1] = 0x7007;
  LOAD_SEGMENT("fs", entry[1]);
  expect("word through fs after the entry has changed", through_fs(4), 0x7007);
}

static void beyond_limit(void *unused)
{
  (void)unused;
  through_gs(32);
}

static void limited(void)
{
  catch_faults();
  u32 entry = set_area(-1, storage[0], 31);
  LOAD_SEGMENT("gs", entry);
  storage[0][7] = 77;
  expect("the last word", through_gs(28), 77);
  expect_fault(fault_of(beyond_limit, NULL), SIGSEGV, 0x80, 0, 13, 0);
}

static void own_storage(void *argument)
{
  u32 n = (u32)argument, entry = set_area(-1, storage[n], 0xffffffff);
  LOAD_SEGMENT("gs", entry);
  for (u32 i = 0; i < TURNS; i++) {
    u32 value = n << 16 | i;
    __asm__ volatile("movl %0, %%gs:8" : : "r"(value) : "memory");
    sys(__NR_sched_yield);
    bad += through_gs(8) != value || storage[n][2] != value;
  }
}

static void each_thread_its_own(void)
{
  u32 entry = set_area(-1, storage[THREADS], 0xffffffff);
  LOAD_SEGMENT("gs", entry);
  storage[THREADS][2] = 0x55;
  start_all(own_storage);
  join_all();
  expect("wrong words", bad, 0);
  expect("this thread's word", through_gs(8), 0x55);
}

static void see_tls(void *argument)
{
  *(u32 *)argument = through_gs(4);
}

static void by_clone(void)
{
  struct user_desc area = {
    .base_addr = (u32)storage[3], .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1};
  static u32 seen;
  area.entry_number = set_area(-1, storage[2], 0xffffffff);
  LOAD_SEGMENT("gs", area.entry_number);
  storage[2][1] = 222, storage[3][1] = 333;
  start_thread(&thread[0], see_tls, &seen, CLONE_SETTLS, &area);
  join_thread(&thread[0]);
  expect("the thread's word", seen, 333);
  expect("this thread's word", through_gs(4), 222);
}

static void on_usr1(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  (void)context;
  LOAD_SEGMENT("gs", 0u - 0); /* selector 3: null */
  counter++;
}

static void through_signal_and_fork(void)
{
  u32 entry = set_area(-1, storage[4], 0xffffffff);
  LOAD_SEGMENT("gs", entry);
  storage[4][1] = 444;
  handle(SIGUSR1, on_usr1, 0, 0);
  sys(__NR_kill, sys(__NR_getpid), SIGUSR1);
  expect("signals", counter, 1);
  expect("after a handler that has cleared gs", through_gs(4), 444);
  int pid = fork_process();
  if (pid == 0) {
    storage[4][1] = 555;
    expect("in a child", through_gs(4), 555);
    done();
  }
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("in the parent", through_gs(4), 444);
}

/* ---- clone ---- */

static void leave_tid(void *argument)
{
  *(u32 *)argument = (u32)gettid();
}

static void tids(void)
{
  static u32 seen;
  u32 before;
  start_thread(&thread[0], leave_tid, &seen, 0, NULL);
  before = thread[0].tid;
  join_thread(&thread[0]);
  expect("CLONE_PARENT_SETTID and gettid", before == 0 || before == seen, 1);
  expect("cleared at the end", thread[0].tid, 0);
  expect("gettid is not getpid", seen != (u32)sys(__NR_getpid), 1);
}

static void on_thread_signal(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  (void)context;
  counter = (u32)gettid();
}

static void wait_signal(void *argument)
{
  *(volatile u32 *)argument = (u32)gettid();
  while (counter == 0)
    sys(__NR_sched_yield);
}

static void directed_signal(void)
{
  static volatile u32 tid;
  handle(SIGUSR1, on_thread_signal, 0, 0);
  start_thread(&thread[0], wait_signal, (void *)&tid, 0, NULL);
  while (tid == 0)
    sys(__NR_sched_yield);
  must("tgkill", sys(__NR_tgkill, sys(__NR_getpid), tid, SIGUSR1));
  join_thread(&thread[0]);
  expect("thread that the handler ran in", counter, tid);
}

static void spin(void *unused)
{
  (void)unused;
  for (;;)
    counter++;
}

static void exit_of_all(void)
{
  int pid = fork_process();
  if (pid == 0) {
    start_all(spin);
    sleep_ms(20);
    leave(42);
  }
  expect("status", (u32)wait_for(pid), 42);
}

static void run_helper(void *unused)
{
  static const char *const arguments[] = {"checks", "-", "--helper", "43", NULL}, *const none[] = {NULL};
  (void)unused;
  sys(__NR_execve, "/proc/self/exe", arguments, none);
  leave(1);
}

static void exec_of_a_thread(void)
{
  int pid = fork_process();
  if (pid == 0) {
    start_thread(&thread[1], spin, NULL, 0, NULL);
    start_thread(&thread[0], run_helper, NULL, 0, NULL);
    for (;;)
      sys(__NR_pause);
  }
  expect("status", (u32)wait_for(pid), 43);
}

static u8 *stack(void)
{
  return (u8 *)map(0, 64 << 10, RW, MAP_PRIVATE | MAP_ANONYMOUS) + (64 << 10);
}

static void close_3(void *argument)
{
  sys(__NR_close, argument);
  sys(__NR_chdir, "/proc");
  counter = 5;
}

/* What a child does to memory, descriptors and folder is seen here if it is shared. */
static void shares(void)
{
  char folder[16];
  for (u32 flags = 0; flags < 8; flags++) {
    u32 vm = flags & 1 ? CLONE_VM : 0, files = flags & 2 ? CLONE_FILES : 0, fs = flags & 4 ? CLONE_FS : 0;
    int fd = must("memfd_create", sys(__NR_memfd_create, "shared", 0));
    counter = 1;
    must("chdir", sys(__NR_chdir, "/"));
    int pid = must("clone", clone_on(vm | files | fs | SIGCHLD, stack(), close_3, (void *)fd, NULL, NULL, NULL));
    expect("status", (u32)wait_for(pid), 0);
    expect("memory", counter, vm ? 5 : 1);
    expect("the descriptor", (u32)sys(__NR_fcntl64, fd, 1 /* F_GETFD */), files ? (u32)-9 : 0);
    must("getcwd", sys(__NR_getcwd, folder, sizeof folder));
    expect_text("the folder", folder, fs ? "/proc" : "/");
    if (!files)
      sys(__NR_close, fd);
  }
}

static void note_parent(void *argument)
{
  *(volatile u32 *)argument = (u32)sys(__NR_getppid);
}

static void parent_of_parent(void)
{
  volatile u32 *seen = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  int me = sys(__NR_getpid), pid = fork_process();
  if (pid == 0) {
    must("clone", clone_on(CLONE_PARENT | SIGCHLD, stack(), note_parent, (void *)seen, NULL, NULL, NULL));
    leave(0);
  }
  wait_for(pid);
  int status;
  expect("a second child to wait for", sys(__NR_wait4, -1, &status, 0, 0) > 0, 1);
  expect("its parent", *seen, (u32)me);
}

static void note_pid(void *argument)
{
  *(volatile u32 *)argument = (u32)sys(__NR_getpid);
}

static void pid_namespace(void)
{
  volatile u32 *seen = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  int pid = clone_on(CLONE_NEWPID | SIGCHLD, stack(), note_pid, (void *)seen, NULL, NULL, NULL);
  if (pid == -1)
    skip("needs root");
  must("clone", pid);
  wait_for(pid);
  expect("its own pid", *seen, 1);
}

static void clone3_pidfd(void)
{
  int pidfd = -1;
  struct clone_args arguments = {
    .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND, .pidfd = (u32)&pidfd, .exit_signal = SIGCHLD};
  handle(SIGUSR1, on_thread_signal, 0, 0);
  int pid = must("clone3", sys(__NR_clone3, &arguments, sizeof arguments));
  if (pid == 0)
    for (;;)
      sys(__NR_pause);
  u32 poll[2] = {(u32)pidfd, 1};
  expect("poll while it runs", (u32)sys(__NR_poll, poll, 1, 0), 0);
  must("pidfd_send_signal", sys(__NR_pidfd_send_signal, pidfd, SIGUSR1, 0, 0));
  expect("poll after its end", (u32)sys(__NR_poll, poll, 1, 5000), 1);
  expect("status by the signal that has no handler there", (u32)wait_for(pid), 128 + SIGUSR1);
  arguments.flags = ~0ull;
  expect("clone3 with flags that there are not", (u32)sys(__NR_clone3, &arguments, sizeof arguments), (u32)-22);
}

static void vfork_shares_memory(void)
{
  static volatile u32 word;
  u64 before = monotonic();
  word = 0;
  /* the child runs on this stack while the parent waits: in assembler, as the return address of a call would be lost */
  int pid;
  __asm__ volatile("movl $190, %%eax\n int $0x80\n testl %%eax, %%eax\n jnz 1f\n"
                   "movl $77, %1\n"
                   "movl $162, %%eax\n movl %2, %%ebx\n xorl %%ecx, %%ecx\n int $0x80\n" /* nanosleep */
                   "movl $1, %%eax\n movl $9, %%ebx\n int $0x80\n"
                   "1:"
                   : "=a"(pid), "=m"(word)
                   : "r"(((u32[2]){0, 20000000}))
                   : "ebx", "ecx", "memory", "cc");
  must("vfork", pid);
  expect("what the child wrote", word, 77);
  expect_range("microseconds that the parent waited", elapsed_us(before), 20000, 10000000);
  expect("status", (u32)wait_for(pid), 9);
}

const struct check thread_checks[] = {
  {"8 threads add 2000 times each with lock: no addition is lost", atomic_add, 0},
  {"8 threads behind a lock by xchg: no addition is lost", spin_lock, 0},
  {"set_thread_area: three entries and not a fourth, through gs and fs", three_entries, 0},
  {"access beyond the limit of a thread's segment: SIGSEGV, vector 13", limited, 0},
  {"8 threads with gs of their own, over 2000 switches", each_thread_its_own, 0},
  {"CLONE_SETTLS gives the thread its segment", by_clone, 0},
  {"gs comes back after a handler that clears it, and goes to a child", through_signal_and_fork, 0},
  {"a thread's tid is written, and cleared at its end", tids, 0},
  {"tgkill runs the handler in that thread", directed_signal, 0},
  {"exit_group ends 8 threads that spin", exit_of_all, 0},
  {"exec by a second thread ends the others and keeps the pid", exec_of_a_thread, 0},
  {"clone shares exactly what CLONE_VM, CLONE_FILES and CLONE_FS say", shares, 0},
  {"CLONE_PARENT: a sibling", parent_of_parent, 0},
  {"CLONE_NEWPID: the child is process 1", pid_namespace, 0},
  {"clone3 with a pidfd and CLONE_CLEAR_SIGHAND", clone3_pidfd, 0},
  {"vfork: the parent waits and sees what the child wrote", vfork_shares_memory, 0},
  {NULL, NULL, 0},
};
