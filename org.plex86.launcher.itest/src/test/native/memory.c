/* SPDX-License-Identifier: Apache-2.0 */
/* What memory holds: copy on write, protection, advice, files. */
#include "check.h"
#include <linux/mman.h>

enum {
  PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS,
  RW = PROT_READ | PROT_WRITE,
  RWX = PROT_READ | PROT_WRITE | PROT_EXEC,
  N = 32
};

static u8 *pages(u32 n)
{
  return map(0, n * PAGE, RW, PRIVATE);
}

static int memory_file(u32 bytes, u32 seed)
{
  static u8 page[PAGE];
  int fd = must("memfd_create", sys(__NR_memfd_create, "checks", 0));
  for (u32 at = 0; at < bytes; at += PAGE) {
    fill(page, PAGE, seed + at / PAGE);
    expect("write", (u32)sys(__NR_write, fd, page, PAGE), PAGE);
  }
  return fd;
}

static u8 *map_file(int fd, u32 bytes, u32 protection, u32 flags)
{
  return (u8 *)must("mmap", sys(__NR_mmap2, 0, bytes, protection, flags, fd, 0));
}

static u32 wrong(const u8 *at, u32 n, u32 seed)
{
  u32 sum = 0;
  for (u32 i = 0; i < n; i++)
    sum += !filled(at + i * PAGE, PAGE, seed + i);
  return sum;
}

static void fill_pages(u8 *at, u32 n, u32 seed)
{
  for (u32 i = 0; i < n; i++)
    fill(at + i * PAGE, PAGE, seed + i);
}

static u32 not_zero(const u8 *at, u32 bytes)
{
  u32 sum = 0;
  for (u32 i = 0; i < bytes; i += 4)
    sum += *(const volatile u32 *)(at + i) != 0;
  return sum;
}

static void fork_both_ways(void)
{
  u8 *at = pages(N);
  fill_pages(at, N, 1);
  int pid = fork_process();
  if (pid == 0) {
    expect("wrong pages in the child", wrong(at, N, 1), 0);
    fill_pages(at, N / 2, 100);
    sleep_ms(30);
    expect("wrong pages that the child wrote", wrong(at, N / 2, 100), 0);
    expect("wrong pages that the parent wrote, in the child", wrong(at + N / 2 * PAGE, N / 2, 1 + N / 2), 0);
    done();
  }
  fill_pages(at + N / 2 * PAGE, N / 2, 200);
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("wrong pages that the child wrote, in the parent", wrong(at, N / 2, 1), 0);
  expect("wrong pages that the parent wrote", wrong(at + N / 2 * PAGE, N / 2, 200), 0);
}

static void generations(void)
{
  u8 *at = pages(4);
  fill_pages(at, 4, 10);
  int pid = fork_process();
  if (pid == 0) {
    fill(at, PAGE, 20);
    int grandchild = fork_process();
    if (grandchild == 0) {
      expect("the child's page", filled(at, PAGE, 20), 1);
      expect("a page of the first", filled(at + PAGE, PAGE, 11), 1);
      fill_pages(at, 4, 30);
      done();
    }
    expect("status of the grandchild", (u32)wait_for(grandchild), 0);
    expect("its own page", filled(at, PAGE, 20), 1);
    expect("wrong pages", wrong(at + PAGE, 3, 11), 0);
    done();
  }
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("wrong pages", wrong(at, 4, 10), 0);
}

/* The kernel's own write to a shared page must copy it as well. */
static void kernel_writes(void)
{
  u8 *at = pages(2);
  int pipe[2];
  fill_pages(at, 2, 40);
  must("pipe", sys(__NR_pipe, pipe));
  int pid = fork_process();
  if (pid == 0) {
    sys(__NR_write, pipe[1], "overwritten", 11);
    expect("read", (u32)sys(__NR_read, pipe[0], at + PAGE - 5, 11), 11);
    expect("what was read", (u32)memcmp(at + PAGE - 5, "overwritten", 11), 0);
    done();
  }
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("wrong pages in the parent", wrong(at, 2, 40), 0);
}

static void zero_page(void)
{
  u8 *at = pages(N);
  expect("words that are not zero", not_zero(at, N * PAGE), 0);
  for (u32 i = 0; i < N; i += 2)
    at[i * PAGE + i] = 1;
  for (u32 i = 0; i < N; i++)
    expect("sum of a page", not_zero(at + i * PAGE, PAGE), (i & 1) == 0);
}

static void private_file(void)
{
  int fd = memory_file(4 * PAGE, 50);
  u8 *private = map_file(fd, 4 * PAGE, RW, MAP_PRIVATE), *shared = map_file(fd, 4 * PAGE, RW, MAP_SHARED);
  u8 word[4];
  expect("wrong pages", wrong(private, 4, 50), 0);
  *(u32 *)private = 0x12345678;
  expect("the file after a private write", filled(shared, PAGE, 50), 1);
  *(u32 *)(shared + PAGE) = 0xabcdef01;
  expect("a page that was only read, after a write to the file", *(u32 *)(private + PAGE), 0xabcdef01);
  expect("pread64", (u32)sys(__NR_pread64, fd, word, 4, PAGE, 0), 4);
  expect("what it reads", *(u32 *)word, 0xabcdef01);
  expect("pwrite64", (u32)sys(__NR_pwrite64, fd, "\1\2\3\4", 4, 2 * PAGE, 0), 4);
  expect("a shared page after a write to the file", *(u32 *)(shared + 2 * PAGE), 0x04030201);
  expect("the private page", *(u32 *)private, 0x12345678);
}

static void shared_between_processes(void)
{
  u32 *at = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  int pid = fork_process();
  if (pid == 0) {
    for (u32 i = 0; i < 1000; i++) {
      while (__atomic_load_n(at, __ATOMIC_SEQ_CST) != 2 * i)
        sys(__NR_sched_yield);
      __atomic_store_n(at, 2 * i + 1, __ATOMIC_SEQ_CST);
    }
    leave(0);
  }
  for (u32 i = 0; i < 1000; i++) {
    while (__atomic_load_n(at, __ATOMIC_SEQ_CST) != 2 * i + 1)
      sys(__NR_sched_yield);
    __atomic_store_n(at, 2 * i + 2, __ATOMIC_SEQ_CST);
  }
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("counter", *at, 2000);
}

static void write_byte(void *at)
{
  *(volatile u8 *)at = 1;
}

static void read_byte(void *at)
{
  (void)*(volatile u8 *)at;
}

static void protect_turns(void)
{
  catch_faults();
  u8 *at = pages(N);
  fill_pages(at, N, 60);
  for (u32 turn = 0; turn < 4; turn++) {
    must("mprotect", sys(__NR_mprotect, at + 8 * PAGE, 8 * PAGE, PROT_READ));
    expect_fault(fault_of(write_byte, at + 9 * PAGE), SIGSEGV, SEGV_ACCERR, (u32)at + 9 * PAGE, 14, 7);
    expect("signals of a write before", fault_of(write_byte, at + 8 * PAGE - 1).count, 0);
    expect("signals of a write behind", fault_of(write_byte, at + 16 * PAGE).count, 0);
    must("mprotect", sys(__NR_mprotect, at + 8 * PAGE, 8 * PAGE, PROT_NONE));
    expect_fault(fault_of(read_byte, at + 15 * PAGE), SIGSEGV, SEGV_ACCERR, (u32)at + 15 * PAGE, 14, 4);
    must("mprotect", sys(__NR_mprotect, at + 8 * PAGE, 8 * PAGE, RW));
    expect("wrong pages", wrong(at + 8 * PAGE, 8, 68), 0);
    expect("signals of a write", fault_of(write_byte, at + 9 * PAGE).count, 0);
    fill(at + 9 * PAGE, PAGE, 69);
  }
  expect("mprotect of a hole", (u32)sys(__NR_mprotect, 0x10000, PAGE, RW), (u32)-ENOMEM);
  expect("mprotect off a page's start", (u32)sys(__NR_mprotect, at + 1, PAGE, RW), (u32)-22);
}

static void code_that_changes(void)
{
  u8 *at = map(0, PAGE, RWX, PRIVATE);
  u32 wrong_results = 0;
  for (u32 i = 0; i < 1000; i++) {
    at[0] = 0xb8, *(u32 *)(at + 1) = i, at[5] = 0xc3; /* movl $i, %eax; ret */
    wrong_results += ((u32(*)(void))at)() != i;
  }
  expect("wrong results", wrong_results, 0);
}

static void code_by_a_second_mapping(void)
{
  int fd = memory_file(PAGE, 0);
  u8 *data = map_file(fd, PAGE, RW, MAP_SHARED), *code = map_file(fd, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED);
  u32 wrong_results = 0;
  for (u32 i = 0; i < 1000; i++) {
    data[0] = 0xb8, *(u32 *)(data + 1) = i, data[5] = 0xc3;
    __asm__ volatile("cpuid" : : "a"(0), "c"(0) : "ebx", "edx", "memory"); /* serializes, as the SDM asks for */
    wrong_results += ((u32(*)(void))code)() != i;
  }
  expect("wrong results", wrong_results, 0);
}

static void dontneed(void)
{
  u8 *at = pages(N);
  fill_pages(at, N, 70);
  must("madvise", sys(__NR_madvise, at + 4 * PAGE, 8 * PAGE, MADV_DONTNEED));
  expect("words that are not zero", not_zero(at + 4 * PAGE, 8 * PAGE), 0);
  expect("wrong pages before", wrong(at, 4, 70), 0);
  expect("wrong pages behind", wrong(at + 12 * PAGE, N - 12, 82), 0);
  fill_pages(at + 4 * PAGE, 8, 90);
  expect("wrong pages that were written anew", wrong(at + 4 * PAGE, 8, 90), 0);
}

static void dontneed_file(void)
{
  int fd = memory_file(4 * PAGE, 95);
  u8 *at = map_file(fd, 4 * PAGE, RW, MAP_PRIVATE);
  memset(at, 0, 4 * PAGE);
  must("madvise", sys(__NR_madvise, at, 4 * PAGE, MADV_DONTNEED));
  expect("wrong pages", wrong(at, 4, 95), 0);
}

static void advice_free(void)
{
  u8 *at = pages(N);
  fill_pages(at, N, 100);
  must("madvise", sys(__NR_madvise, at, N * PAGE, MADV_FREE));
  for (u32 i = 0; i < N; i++) /* the old content, or zeros */
    if (not_zero(at + i * PAGE, PAGE))
      expect("a page that is still there", filled(at + i * PAGE, PAGE, 100 + i), 1);
  fill_pages(at, N, 140);
  expect("wrong pages that were written anew", wrong(at, N, 140), 0);
}

static void advice_hugepage(void)
{
  u8 *at = map(0, 8 << 20, RW, PRIVATE);
  expect("madvise", (u32)sys(__NR_madvise, at, 8 << 20, MADV_HUGEPAGE), (u32)-22);
  expect("mmap with MAP_HUGETLB", (u32)sys(__NR_mmap2, 0, 4 << 20, RW, PRIVATE | MAP_HUGETLB, -1, 0), (u32)-22);
}

static void advice_at_fork(void)
{
  catch_faults();
  u8 *at = pages(3);
  fill_pages(at, 3, 150);
  must("madvise", sys(__NR_madvise, at, PAGE, MADV_DONTFORK));
  must("madvise", sys(__NR_madvise, at + PAGE, PAGE, MADV_WIPEONFORK));
  int pid = fork_process();
  if (pid == 0) {
    expect_fault(fault_of(read_byte, at), SIGSEGV, SEGV_MAPERR, (u32)at, 14, 4);
    expect("words of the wiped page", not_zero(at + PAGE, PAGE), 0);
    expect("the page behind", filled(at + 2 * PAGE, PAGE, 152), 1);
    done();
  }
  expect("status of the child", (u32)wait_for(pid), 0);
  expect("wrong pages in the parent", wrong(at, 3, 150), 0);
}

static void populate(void)
{
  u8 *at = pages(N), resident[N];
  memset(resident, 9, N);
  must("mincore", sys(__NR_mincore, at, N * PAGE, resident));
  expect("the first page before", resident[0] & 1, 0);
  must("madvise", sys(__NR_madvise, at, N * PAGE, MADV_POPULATE_WRITE));
  must("mincore", sys(__NR_mincore, at, N * PAGE, resident));
  for (u32 i = 0; i < N; i++)
    expect("a page after", resident[i] & 1, 1);
  expect("words that are not zero", not_zero(at, N * PAGE), 0);
  expect("madvise of a kind that there is not", (u32)sys(__NR_madvise, at, PAGE, 9999), (u32)-22);
  expect("madvise of a hole", (u32)sys(__NR_madvise, 0x10000, PAGE, MADV_DONTNEED), (u32)-ENOMEM);
}

static i64 referenced(const u8 *at)
{
  static char text[128 << 10];
  char key[16] = "00000000-";
  for (u32 i = 0; i < 8; i++)
    key[i] = "0123456789abcdef"[(u32)at >> (28 - 4 * i) & 15];
  read_file("/proc/self/smaps", text, sizeof text);
  for (const char *p = text; *p; p++)
    if (memcmp(p, key, 9) == 0)
      return value_of(p, "Referenced");
  return -1;
}

/* The accessed bits of the page tables: cleared, and set again by an access. */
static void accessed_bits(void)
{
  u8 *at = pages(N);
  must("mlock", sys(__NR_mlock, at, N * PAGE));
  fill_pages(at, N, 160);
  expect_range("kB referenced after a write", referenced(at), N * 4, N * 4);
  must("clear_refs", write_file("/proc/self/clear_refs", "1"));
  /* which leaves the TLB alone; a fork does not */
  int pid = fork_process();
  if (pid == 0)
    leave(0);
  wait_for(pid);
  expect_range("kB referenced after clearing", referenced(at), 0, 0);
  (void)*(volatile u8 *)(at + 3 * PAGE);
  (void)*(volatile u8 *)(at + 7 * PAGE);
  at[9 * PAGE]++;
  expect_range("kB referenced after three accesses", referenced(at), 12, 12);
}

static void program_break(void)
{
  catch_faults();
  u32 start = (u32)sys(__NR_brk, 0);
  u32 first = (start + PAGE - 1) & ~(u32)(PAGE - 1);
  expect("brk up", (u32)sys(__NR_brk, first + N * PAGE), first + N * PAGE);
  expect("words that are not zero", not_zero((u8 *)first, N * PAGE), 0);
  fill_pages((u8 *)first, N, 170);
  expect("brk down", (u32)sys(__NR_brk, first), first);
  expect_fault(fault_of(read_byte, (void *)first), SIGSEGV, SEGV_MAPERR, first, 14, 4);
  expect("brk up again", (u32)sys(__NR_brk, first + N * PAGE), first + N * PAGE);
  expect("words that are not zero", not_zero((u8 *)first, N * PAGE), 0);
}

static void stack_grows(void)
{
  u32 sum = 0;
  u8 *here = __builtin_frame_address(0);
  for (u32 i = 1; i < 1000; i++)
    here[-(i32)(i * PAGE)] = (u8)i;
  for (u32 i = 1; i < 1000; i++)
    sum += here[-(i32)(i * PAGE)] != (u8)i;
  expect("wrong bytes", sum, 0);
}

static void other_processes_memory(void)
{
  u8 *at = pages(2), *copy = pages(2);
  fill_pages(at, 2, 180);
  int pid = fork_process();
  if (pid == 0)
    for (;;)
      sys(__NR_pause);
  u32 local[2] = {(u32)copy, 2 * PAGE}, remote[2] = {(u32)at, 2 * PAGE};
  expect("process_vm_readv", (u32)sys(__NR_process_vm_readv, pid, local, 1, remote, 1, 0), 2 * PAGE);
  expect("wrong pages", wrong(copy, 2, 180), 0);
  fill_pages(copy, 2, 190);
  expect("process_vm_writev", (u32)sys(__NR_process_vm_writev, pid, local, 1, remote, 1, 0), 2 * PAGE);
  memset(copy, 0, 2 * PAGE);
  expect("process_vm_readv", (u32)sys(__NR_process_vm_readv, pid, local, 1, remote, 1, 0), 2 * PAGE);
  expect("wrong pages that were written", wrong(copy, 2, 190), 0);
  expect("wrong pages here", wrong(at, 2, 180), 0);
  sys(__NR_kill, pid, SIGKILL);
  wait_for(pid);
}

const struct check memory_checks[] = {
  {"fork: child and parent write, each sees its own", fork_both_ways, 0},
  {"fork in a fork: three generations, each with its own", generations, 0},
  {"a read(2) into a page shared by fork copies it", kernel_writes, 0},
  {"new memory is zero, and what is written stays by itself", zero_page, 0},
  {"private and shared mappings of a file, and read and write beside them", private_file, 0},
  {"shared memory: two processes see each other's writes in order", shared_between_processes, 0},
  {"mprotect to read-only, to nothing and back: exact faults, the content stays", protect_turns, 0},
  {"code that is written anew runs as it was last written", code_that_changes, 0},
  {"code that is written by a second mapping runs as it was last written", code_by_a_second_mapping, 0},
  {"MADV_DONTNEED of anonymous memory: zeros, and nothing around", dontneed, 0},
  {"MADV_DONTNEED of a private file mapping: the file again", dontneed_file, 0},
  {"MADV_FREE: the old content or zeros, and what is written then stays", advice_free, 0},
  {"MADV_HUGEPAGE and MAP_HUGETLB: EINVAL where there are no huge pages", advice_hugepage, NEEDS_GUEST},
  {"MADV_DONTFORK and MADV_WIPEONFORK: missing and zero in the child", advice_at_fork, 0},
  {"MADV_POPULATE_WRITE makes pages resident; wrong advice is refused", populate, 0},
  {"clear_refs and three accesses: three pages referenced", accessed_bits, 0},
  {"brk up, down and up: zeros, and a fault where nothing is", program_break, 0},
  {"the stack grows by 4 MiB as it is used", stack_grows, 0},
  {"process_vm_readv and writev reach the other process's pages", other_processes_memory, 0},
  {NULL, NULL, 0},
};
