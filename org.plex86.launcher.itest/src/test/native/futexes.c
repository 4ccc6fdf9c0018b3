/* SPDX-License-Identifier: Apache-2.0 */
/* Futexes: waiting, waking, requeueing, inheritance of priority, and locks whose owner dies. */
#include "check.h"
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/sched.h>

enum { THREADS = 6, EAGAIN = 11, ETIMEDOUT = 110, RW = PROT_READ | PROT_WRITE };

static u32 word, second, third;
static volatile u32 woken, waiting;
static struct thread thread[THREADS];

static int futex(u32 *at, int operation, u32 value, void *timeout, u32 *at2, u32 value3)
{
  return sys(__NR_futex_time64, at, operation, value, timeout, at2, value3);
}

static void wait_on_word(void *unused)
{
  (void)unused;
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  while (futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == -EINTR) {
  }
  __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
}

static void wait_on_bit(void *argument)
{
  __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
  futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1u << (u32)argument);
  __atomic_fetch_or(&woken, 1u << (u32)argument, __ATOMIC_SEQ_CST);
}

static void start_waiters(void (*run)(void *))
{
  for (u32 i = 0; i < THREADS; i++)
    start_thread(&thread[i], run, (void *)i, 0, NULL);
  while (waiting < THREADS)
    sys(__NR_sched_yield);
  sleep_ms(20); /* into the wait */
}

static void join_waiters(void)
{
  for (u32 i = 0; i < THREADS; i++)
    join_thread(&thread[i]);
}

static void wake_count(void)
{
  start_waiters(wait_on_word);
  expect("wake of 2", (u32)futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2);
  sleep_ms(20);
  expect("woken", woken, 2);
  expect("wake of 100", (u32)futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), THREADS - 2);
  join_waiters();
  expect("woken", woken, THREADS);
  expect("wake of none", (u32)futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
}

static void bitset(void)
{
  start_waiters(wait_on_bit);
  expect("wake of bits 1 and 4", (u32)futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 0x12), 2);
  sleep_ms(20);
  expect("woken", woken, 0x12);
  futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, ~0u);
  join_waiters();
}

static void requeue(void)
{
  start_waiters(wait_on_word);
  expect("with another value", (u32)futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)100, &second, 5), (u32)-EAGAIN);
  expect(
    "one woken, the others moved", (u32)futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)100, &second, 0), THREADS);
  sleep_ms(20);
  expect("woken", woken, 1);
  expect("wake at the old place", (u32)futex(&word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), 0);
  expect("wake at the new place", (u32)futex(&second, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), THREADS - 1);
  join_waiters();
}

static void wake_op(void)
{
  third = 7;
  start_waiters(wait_on_word);
  /* third = 9; wakes all of word, and of third if it was 7 */
  expect("woken",
    (u32)futex(&word, FUTEX_WAKE_OP_PRIVATE, 100, (void *)100, &third, FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 7)),
    THREADS);
  join_waiters();
  expect("the second word", third, 9);
}

static void refusals(void)
{
  expect("wait for another value", (u32)futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), (u32)-EAGAIN);
  expect("address off a word", (u32)futex((u32 *)((u32)&word + 1), FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), (u32)-22);
  expect("address of nothing", (u32)futex((u32 *)0x10000, FUTEX_WAIT, 0, NULL, NULL, 0), (u32)-14);
}

static void timeouts(void)
{
  struct timespec64 t = {0, 30000000, 0};
  u64 start = monotonic();
  expect("wait", (u32)futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0), (u32)-ETIMEDOUT);
  expect_range("microseconds waited", elapsed_us(start), 30000, 5000000);
  start = monotonic();
  u64 until = start + 30000000, seconds = divide(until, 1000000000);
  t.sec = (i64)seconds, t.nsec = (i32)(until - seconds * 1000000000);
  expect("wait until", (u32)futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, ~0u), (u32)-ETIMEDOUT);
  expect_range("microseconds waited", elapsed_us(start), 30000, 5000000);
}

static void between_processes(void)
{
  u32 *at = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  int pid = fork_process();
  if (pid == 0) {
    for (u32 i = 0; i < 500; i++) {
      while (__atomic_load_n(at, __ATOMIC_SEQ_CST) % 2 == 0)
        futex(at, FUTEX_WAIT, 2 * i, NULL, NULL, 0);
      __atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST);
      futex(at, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
    leave(0);
  }
  for (u32 i = 0; i < 500; i++) {
    __atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST);
    futex(at, FUTEX_WAKE, 1, NULL, NULL, 0);
    while (__atomic_load_n(at, __ATOMIC_SEQ_CST) % 2 == 1)
      futex(at, FUTEX_WAIT, 2 * i + 1, NULL, NULL, 0);
  }
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("turns", *at, 1000);
}

/* ---- a mutex as a C library makes it (0 free, 1 taken, 2 with waiters) ---- */

static u32 mutex;
static volatile u32 sum;

static void lock_mutex(void)
{
  u32 state = 0;
  if (__atomic_compare_exchange_n(&mutex, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  while (__atomic_exchange_n(&mutex, 2, __ATOMIC_ACQUIRE))
    futex(&mutex, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void unlock_mutex(void)
{
  if (__atomic_exchange_n(&mutex, 0, __ATOMIC_RELEASE) == 2)
    futex(&mutex, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void add_with_mutex(void *unused)
{
  (void)unused;
  for (u32 i = 0; i < 1000; i++) {
    lock_mutex();
    u32 value = sum;
    if (i % 16 == 0)
      sys(__NR_sched_yield);
    sum = value + 1;
    unlock_mutex();
  }
}

static void contended(void (*run)(void *))
{
  for (u32 i = 0; i < THREADS; i++)
    start_thread(&thread[i], run, NULL, 0, NULL);
  join_waiters();
  expect("sum", sum, THREADS * 1000);
}

static void mutex_contended(void)
{
  contended(add_with_mutex);
}

static void add_with_pi(void *unused)
{
  u32 me = (u32)gettid();
  (void)unused;
  for (u32 i = 0; i < 1000; i++) {
    u32 none = 0, owner = me;
    if (!__atomic_compare_exchange_n(&mutex, &none, me, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      must("FUTEX_LOCK_PI", futex(&mutex, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    u32 value = sum;
    if (i % 16 == 0)
      sys(__NR_sched_yield);
    sum = value + 1;
    if (!__atomic_compare_exchange_n(&mutex, &owner, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
      must("FUTEX_UNLOCK_PI", futex(&mutex, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
  }
}

static void pi_contended(void)
{
  contended(add_with_pi);
  expect("lock at the end", mutex, 0);
}

static void pi_refusals(void)
{
  mutex = (u32)gettid();
  expect("lock of what is one's own", (u32)futex(&mutex, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), (u32)-35);
  mutex = 0;
  expect("unlock of what is not taken", (u32)futex(&mutex, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), (u32)-1);
  expect("trylock of what is free", (u32)futex(&mutex, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
  expect("owner", mutex, (u32)gettid());
}

/* ---- robust lists ---- */

static struct {
  struct robust_list list;
  u32 lock;
} item;
static struct robust_list_head head;

static void take_and_die(void *unused)
{
  (void)unused;
  head.list.next = &item.list;
  head.futex_offset = (i32)((u32)&item.lock - (u32)&item.list);
  item.list.next = &head.list;
  must("set_robust_list", sys(__NR_set_robust_list, &head, sizeof head));
  item.lock = (u32)gettid() | FUTEX_WAITERS;
  waiting = (u32)gettid();
  sleep_ms(50);
}

static void owner_dies(void)
{
  start_thread(&thread[0], take_and_die, NULL, 0, NULL);
  while (waiting == 0)
    sys(__NR_sched_yield);
  struct timespec64 limit = {10, 0, 0};
  u32 owner = waiting;
  int result = futex(&item.lock, FUTEX_WAIT, owner | FUTEX_WAITERS, &limit, NULL, 0);
  expect("the waiter is woken", result == 0 || result == -EAGAIN, 1);
  join_thread(&thread[0]);
  expect("the lock", item.lock, FUTEX_OWNER_DIED | FUTEX_WAITERS);
}

static void process_dies(void)
{
  u32 *at = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  int pid = fork_process();
  if (pid == 0) {
    struct robust_list *list = (struct robust_list *)at;
    head.list.next = list;
    head.futex_offset = 64;
    list->next = &head.list;
    must("set_robust_list", sys(__NR_set_robust_list, &head, sizeof head));
    at[16] = (u32)gettid();
    sys(__NR_kill, sys(__NR_getpid), SIGKILL);
  }
  wait_for(pid);
  expect("the lock", at[16], FUTEX_OWNER_DIED);
}

static void wake_third(void *unused)
{
  (void)unused;
  sleep_ms(30);
  third = 1;
  futex(&third, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_of_many(void)
{
  struct futex_waitv many[3] = {
    {0, (u32)&word, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0},
    {0, (u32)&second, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0},
    {0, (u32)&third, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0},
  };
  start_thread(&thread[0], wake_third, NULL, 0, NULL);
  u64 until = monotonic() + 10000000000ull, seconds = divide(until, 1000000000);
  struct timespec64 limit = {(i64)seconds, (i32)(until - seconds * 1000000000), 0};
  expect("which was woken", (u32)sys(__NR_futex_waitv, many, 3, 0, &limit, CLOCK_MONOTONIC), 2);
  join_thread(&thread[0]);
}

const struct check futex_checks[] = {
  {"FUTEX_WAKE wakes as many as it says", wake_count, 0},
  {"FUTEX_WAKE_BITSET wakes those whose bits it has", bitset, 0},
  {"FUTEX_CMP_REQUEUE wakes one and moves the others", requeue, 0},
  {"FUTEX_WAKE_OP changes the second word and wakes", wake_op, 0},
  {"another value, an odd address, no memory: EAGAIN, EINVAL, EFAULT", refusals, 0},
  {"timeouts, relative and absolute: ETIMEDOUT and not early", timeouts, 0},
  {"two processes take turns 1000 times by a shared futex", between_processes, 0},
  {"6 threads with a mutex: no addition is lost", mutex_contended, 0},
  {"6 threads with a lock that inherits priority: no addition is lost", pi_contended, 0},
  {"a priority-inheriting lock: EDEADLK, EPERM, trylock", pi_refusals, 0},
  {"a thread that dies with a robust lock: OWNER_DIED, and the waiter is woken", owner_dies, 0},
  {"a process that is killed with a robust lock: OWNER_DIED", process_dies, 0},
  {"futex_waitv says which of three was woken", wait_of_many, 0},
  {NULL, NULL, 0},
};
