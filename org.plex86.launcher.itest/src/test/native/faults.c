/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults, each with its signal, code, address and error code (Intel SDM
 * vol. 3, 4.7: bit 0 the page is present, bit 1 a write, bit 2 by user code).
 * Without PAE there is no bit for instruction fetches; a 64-bit kernel has it.
 */
#include "check.h"
#include <linux/mman.h>

enum { PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS, RW = PROT_READ | PROT_WRITE, FETCH = 0x10 };
enum { TOP = 0xfffff000u, KERNEL = 0xc0000000u };
#define PLEX86_DATA_PAGE 0xffc00000u
#define PLEX86_GATE_PAGE 0xffc01000u

static void read8(void *at)
{
  __asm__ volatile("movb (%0), %%al" : : "r"(at) : "eax", "memory");
}

static void read32(void *at)
{
  __asm__ volatile("movl (%0), %%eax" : : "r"(at) : "eax", "memory");
}

static void write8(void *at)
{
  __asm__ volatile("movb $0x5a, (%0)" : : "r"(at) : "memory");
}

static void write32(void *at)
{
  __asm__ volatile("movl $0x5a5a5a5a, (%0)" : : "r"(at) : "memory");
}

static void add32(void *at)
{
  __asm__ volatile("lock addl $1, (%0)" : : "r"(at) : "memory", "cc");
}

static void call(void *at)
{
  __asm__ volatile("call *%0" : : "r"(at) : "eax", "ecx", "edx", "memory", "cc");
}

static u8 *pages(u32 n)
{
  return map(0, n * PAGE, RW, PRIVATE);
}

static u8 *hole(void)
{
  u8 *at = pages(3);
  must("munmap", sys(__NR_munmap, at + PAGE, PAGE));
  return at + PAGE;
}

static void protect(void *at, u32 n, u32 protection)
{
  must("mprotect", sys(__NR_mprotect, at, n * PAGE, protection));
}

static void unmapped_read(void)
{
  catch_faults();
  u8 *at = hole();
  expect_fault(fault_of(read8, at + 0x123), SIGSEGV, SEGV_MAPERR, (u32)at + 0x123, 14, 4);
}

static void unmapped_write(void)
{
  catch_faults();
  u8 *at = hole();
  expect_fault(fault_of(write8, at + 0xfff), SIGSEGV, SEGV_MAPERR, (u32)at + 0xfff, 14, 6);
}

static void unmapped_exec(void)
{
  catch_faults();
  u8 *at = hole();
  struct fault fault = fault_of(call, at + 7);
  expect("eip", fault.eip, (u32)at + 7);
  fault.error &= ~(u32)FETCH;
  expect_fault(fault, SIGSEGV, SEGV_MAPERR, (u32)at + 7, 14, 4);
}

static void null_read(void)
{
  catch_faults();
  expect_fault(fault_of(read32, NULL), SIGSEGV, SEGV_MAPERR, 0, 14, 4);
  expect_fault(fault_of(write8, (void *)0xffff), SIGSEGV, SEGV_MAPERR, 0xffff, 14, 6);
}

static void null_call(void)
{
  catch_faults();
  struct fault fault = fault_of(call, NULL);
  fault.error &= ~(u32)FETCH;
  expect_fault(fault, SIGSEGV, SEGV_MAPERR, 0, 14, 4);
  expect("eip", fault.eip, 0);
}

static void none(void)
{
  catch_faults();
  u8 *at = pages(1);
  *at = 1;
  protect(at, 1, PROT_NONE);
  expect_fault(fault_of(read8, at + 9), SIGSEGV, SEGV_ACCERR, (u32)at + 9, 14, 4);
  expect_fault(fault_of(write8, at + 9), SIGSEGV, SEGV_ACCERR, (u32)at + 9, 14, 6);
}

static void read_only(void)
{
  catch_faults();
  u8 *at = pages(1);
  *at = 1;
  protect(at, 1, PROT_READ);
  expect("signals of a read", fault_of(read8, at).count, 0);
  expect_fault(fault_of(write8, at + 2), SIGSEGV, SEGV_ACCERR, (u32)at + 2, 14, 7);
  expect_fault(fault_of(add32, at + 4), SIGSEGV, SEGV_ACCERR, (u32)at + 4, 14, 7);
  expect("what is there", *at, 1);
}

static void read_only_untouched(void)
{
  catch_faults();
  u8 *at = map(0, PAGE, PROT_READ, PRIVATE);
  expect_fault(fault_of(write8, at), SIGSEGV, SEGV_ACCERR, (u32)at, 14, 6);
}

static void own_text(void)
{
  catch_faults();
  expect_fault(fault_of(write8, (void *)own_text), SIGSEGV, SEGV_ACCERR, (u32)own_text, 14, 7);
}

static const u8 return_7[] = {0xb8, 7, 0, 0, 0, 0xc3}; /* movl $7, %eax; ret */

/* An i386 kernel without PAE has no right of its own for execution: what can be read can be run. */
static void exec_without_right(void)
{
  catch_faults();
  u8 *at = pages(1);
  memcpy(at, return_7, sizeof return_7);
  struct fault fault = fault_of(call, at);
  if (on_i386_kernel())
    expect("signals", fault.count, 0);
  else
    expect_fault(fault, SIGSEGV, SEGV_ACCERR, (u32)at, 14, 0x15);
}

static void exec_with_right(void)
{
  u8 *at = pages(1);
  memcpy(at, return_7, sizeof return_7);
  protect(at, 1, PROT_READ | PROT_EXEC);
  expect("what it returns", (u32)((int (*)(void))at)(), 7);
}

static void exec_none(void)
{
  catch_faults();
  u8 *at = pages(1);
  memcpy(at, return_7, sizeof return_7);
  protect(at, 1, PROT_NONE);
  struct fault fault = fault_of(call, at);
  fault.error &= ~(u32)FETCH;
  expect_fault(fault, SIGSEGV, SEGV_ACCERR, (u32)at, 14, 4);
}

/* Whether there is a page or not is not told: always as if there were one. */
static void kernel_address(u32 address)
{
  expect_fault(fault_of(read8, (void *)address), SIGSEGV, SEGV_MAPERR, address, 14, 5);
  expect_fault(fault_of(write8, (void *)address), SIGSEGV, SEGV_MAPERR, address, 14, 7);
  expect_fault(fault_of(call, (void *)address), SIGSEGV, SEGV_MAPERR, address, 14, 5);
}

static void kernel_first(void)
{
  catch_faults();
  kernel_address(KERNEL);
}

static void kernel_text(void)
{
  catch_faults();
  kernel_address(KERNEL + 0x400000 + 0x10);
}

static void kernel_unmapped(void)
{
  catch_faults();
  kernel_address(0xfeeed010);
}

/* User code needs both: the gates to call them, the page before them for the system call that loads its TLS. */
static void nexus_pages(void)
{
  static const u32 addresses[] = {
    PLEX86_DATA_PAGE, PLEX86_DATA_PAGE + 0xffc, PLEX86_GATE_PAGE, PLEX86_GATE_PAGE + 0x80};
  catch_faults();
  for (u32 i = 0; i < COUNT_OF(addresses); i++)
    expect_fault(fault_of(write8, (void *)addresses[i]), SIGSEGV, SEGV_MAPERR, addresses[i], 14, 7);
}

static void last_page(void)
{
  catch_faults();
  kernel_address(TOP);
  kernel_address(TOP + 0xfff);
}

static void across_the_split(void)
{
  catch_faults();
  u32 at = KERNEL - PAGE;
  int got = sys(__NR_mmap2, at, PAGE, RW, PRIVATE | 0x100000 /* MAP_FIXED_NOREPLACE */, -1, 0);
  if (got < 0 && got > -PAGE)
    skip("the last page of user memory is in use");
  expect_fault(fault_of(read32, (void *)(KERNEL - 2)), SIGSEGV, SEGV_MAPERR, KERNEL, 14, 5);
  expect_fault(fault_of(write32, (void *)(KERNEL - 1)), SIGSEGV, SEGV_MAPERR, KERNEL, 14, 7);
  expect("signals of the last word", fault_of(write32, (void *)(KERNEL - 4)).count, 0);
}

static void system_call_gets_kernel_address(void)
{
  static const u32 addresses[] = {KERNEL, KERNEL + 0x400000, PLEX86_DATA_PAGE, PLEX86_GATE_PAGE, TOP, KERNEL - 1};
  int pipe[2];
  must("pipe", sys(__NR_pipe, pipe));
  sys(__NR_write, pipe[1], "four", 4);
  for (u32 i = 0; i < COUNT_OF(addresses); i++) {
    expect("write", (u32)sys(__NR_write, pipe[1], addresses[i], 4), (u32)-14);
    expect("read", (u32)sys(__NR_read, pipe[0], addresses[i], 2), (u32)-14);
  }
}

static void vdso(void)
{
  catch_faults();
  u32 at = vdso_base();
  if (!at)
    skip("no vDSO");
  expect("its first word", *(u32 *)at, 0x464c457f);
  expect_fault(fault_of(write8, (void *)at), SIGSEGV, SEGV_ACCERR, at, 14, 7);
  expect_fault(fault_of(add32, (void *)(at + 8)), SIGSEGV, SEGV_ACCERR, at + 8, 14, 7);
  expect("a system call through it", (u32)sys(__NR_getpid), (u32)syscall_int80(__NR_getpid, 0, 0, 0, 0, 0, 0));
}

/* A private page of the vDSO: what is written by ptrace or after mprotect is this process's own. */
static void vdso_private(void)
{
  u32 at = vdso_base();
  if (!at)
    skip("no vDSO");
  u32 n = 1; /* it cannot be split: all of it */
  while (n < 8 && sys(__NR_mprotect, at, n * PAGE, RW | PROT_EXEC) < 0)
    n++;
  require("mprotect of the vDSO", n < 8);
  *(u8 *)(at + 9) = 0x77;
  int pid = fork_process();
  if (pid == 0)
    leave(*(u8 *)(at + 9));
  expect("in a child", (u32)wait_for(pid), 0x77);
  expect("a system call through it", (u32)sys(__NR_getpid), (u32)syscall_int80(__NR_getpid, 0, 0, 0, 0, 0, 0));
}

static void crossing_read(void)
{
  catch_faults();
  u8 *at = hole();
  for (u32 i = 1; i < 4; i++)
    expect_fault(fault_of(read32, at - i), SIGSEGV, SEGV_MAPERR, (u32)at, 14, 4);
  for (u32 i = 1; i < 4; i++) /* from a hole into a page: the first byte is the one */
    expect_fault(fault_of(read32, at + PAGE - i), SIGSEGV, SEGV_MAPERR, (u32)at + PAGE - i, 14, 4);
  expect("signals at the end", fault_of(read32, at - 4).count, 0);
}

static void crossing_write(void)
{
  catch_faults();
  u8 *at = hole();
  for (u32 i = 1; i < 4; i++) {
    memset(at - 4, 0x11, 4);
    expect_fault(fault_of(write32, at - i), SIGSEGV, SEGV_MAPERR, (u32)at, 14, 6);
    expect("the bytes before", *(u32 *)(at - 4), 0x11111111);
  }
  u8 *two = pages(2);
  memset(two, 0x22, 2 * PAGE);
  protect(two + PAGE, 1, PROT_READ);
  expect_fault(fault_of(write32, two + PAGE - 2), SIGSEGV, SEGV_ACCERR, (u32)two + PAGE, 14, 7);
  expect("the bytes before", *(u32 *)(two + PAGE - 4), 0x22222222);
}

static void crossing_present(void)
{
  u8 *at = pages(64);
  u32 wrong = 0;
  for (u32 i = 1; i < 64; i++) /* neither of the two pages is there before */
    *(u32 *)(at + i * PAGE - 2) = i * 0x01010101;
  for (u32 i = 1; i < 64; i++)
    wrong += *(u32 *)(at + i * PAGE - 2) != i * 0x01010101;
  expect("wrong words", wrong, 0);
}

static void crossing_exec(void)
{
  catch_faults();
  u8 *at = pages(2);
  memcpy(at + PAGE - 3, return_7, sizeof return_7);
  protect(at, 2, PROT_READ | PROT_EXEC);
  expect("an instruction on two pages", (u32)((int (*)(void))(at + PAGE - 3))(), 7);
  must("munmap", sys(__NR_munmap, at + PAGE, PAGE));
  struct fault fault = fault_of(call, at + PAGE - 3);
  expect("eip", fault.eip, (u32)at + PAGE - 3);
  fault.error &= ~(u32)FETCH;
  expect_fault(fault, SIGSEGV, SEGV_MAPERR, (u32)at + PAGE, 14, 4);
}

static struct {
  u32 ecx, esi, edi;
} string_end;

static void catch_string(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  string_end.ecx = context->uc_mcontext.ecx;
  string_end.esi = context->uc_mcontext.esi;
  string_end.edi = context->uc_mcontext.edi;
  context->uc_mcontext.ecx = 0; /* rep has no more to do */
}

static void string_copy(void)
{
  u8 *to = hole() - PAGE, *from = pages(3);
  memset(from, 0x33, 3 * PAGE);
  handle(SIGSEGV, catch_string, 0, 0);
  u32 ecx = PAGE + 100, esi = (u32)from, edi = (u32)to + 50;
  __asm__ volatile("rep movsb" : "+c"(ecx), "+S"(esi), "+D"(edi) : : "memory");
  expect("ecx at the fault", string_end.ecx, 150);
  expect("esi at the fault", string_end.esi, (u32)from + PAGE - 50);
  expect("edi at the fault", string_end.edi, (u32)to + PAGE);
  expect("the last byte before", to[PAGE - 1], 0x33);
  ecx = (PAGE + 96) / 4, esi = (u32)from + PAGE - 48, edi = (u32)to + PAGE - 48;
  __asm__ volatile("std\n rep movsl\n cld" : "+c"(ecx), "+S"(esi), "+D"(edi) : : "memory");
}

static void bus_error(void)
{
  catch_faults();
  int fd = must("memfd_create", sys(__NR_memfd_create, "short", 0));
  must("ftruncate", sys(__NR_ftruncate, fd, PAGE + 1));
  u8 *at = (u8 *)must("mmap", sys(__NR_mmap2, 0, 3 * PAGE, RW, MAP_SHARED, fd, 0));
  expect("signals on the last page of the file", fault_of(write8, at + 2 * PAGE - 1).count, 0);
  expect_fault(fault_of(read8, at + 2 * PAGE + 5), SIGBUS, BUS_ADRERR, (u32)at + 2 * PAGE + 5, 14, 4);
  expect_fault(fault_of(write8, at + 3 * PAGE - 1), SIGBUS, BUS_ADRERR, (u32)at + 3 * PAGE - 1, 14, 6);
  must("ftruncate", sys(__NR_ftruncate, fd, 0));
  expect_fault(fault_of(read8, at), SIGBUS, BUS_ADRERR, (u32)at, 14, 4);
  must("ftruncate", sys(__NR_ftruncate, fd, 3 * PAGE));
  expect("signals after it has grown", fault_of(read8, at + 2 * PAGE).count, 0);
  expect("content", at[2 * PAGE - 1], 0);
}

static void system_calls(void)
{
  u8 *at = hole();
  int pipe[2];
  must("pipe", sys(__NR_pipe, pipe));
  expect("write from a hole", (u32)sys(__NR_write, pipe[1], at, 8), (u32)-14);
  memset(at - 4, 'a', 4);
  sys(__NR_write, pipe[1], "12345678", 8);
  expect("read into a hole", (u32)sys(__NR_read, pipe[0], at, 4), (u32)-14);
  u8 *read_only = pages(1);
  *read_only = 1;
  protect(read_only, 1, PROT_READ);
  expect("read into a read-only page", (u32)sys(__NR_read, pipe[0], read_only, 4), (u32)-14);
  expect("what is there", *read_only, 1);
  protect(read_only, 1, PROT_NONE);
  expect("write from a page without rights", (u32)sys(__NR_write, pipe[1], read_only, 4), (u32)-14);
  expect("open of a name in a hole", (u32)sys(__NR_open, at, O_RDONLY), (u32)-14);
  expect("a name that runs into a hole", (u32)sys(__NR_open, at - 4, O_RDONLY), (u32)-14);
  expect("stat of nothing", (u32)sys(__NR_stat64, "/", NULL), (u32)-14);
}

const struct check fault_checks[] = {
  {"read of an unmapped page: SIGSEGV MAPERR, error 4, exact address", unmapped_read, 0},
  {"write to an unmapped page: SIGSEGV MAPERR, error 6, exact address", unmapped_write, 0},
  {"jump to an unmapped page: SIGSEGV MAPERR, error 4, eip and address there", unmapped_exec, 0},
  {"read and write near address 0: SIGSEGV MAPERR", null_read, 0},
  {"call of address 0: SIGSEGV MAPERR, eip 0", null_call, 0},
  {"PROT_NONE: SIGSEGV ACCERR, errors 4 and 6", none, 0},
  {"write to a read-only page that is there: SIGSEGV ACCERR, error 7", read_only, 0},
  {"write to a read-only page that is not there yet: SIGSEGV ACCERR, error 6", read_only_untouched, 0},
  {"write to the program's text: SIGSEGV ACCERR, error 7", own_text, 0},
  {"jump to a page without the right to run: runs on i386 without PAE", exec_without_right, 0},
  {"jump to a page with the right to run: runs", exec_with_right, 0},
  {"jump to a page without rights: SIGSEGV ACCERR", exec_none, 0},
  {"0xc0000000, the kernel's first address: SIGSEGV MAPERR, errors 5, 7, 5", kernel_first,
    NEEDS_ISOLATION | NEEDS_I386_KERNEL},
  {"the kernel's text: SIGSEGV MAPERR, errors 5, 7, 5", kernel_text, NEEDS_ISOLATION | NEEDS_I386_KERNEL},
  {"a kernel address without a page: SIGSEGV MAPERR, errors 5, 7, 5", kernel_unmapped, NEEDS_I386_KERNEL},
  {"0xffc00000 and 0xffc01000, pages of the nexus: a write is SIGSEGV MAPERR, error 7", nexus_pages,
    NEEDS_ISOLATION | NEEDS_I386_KERNEL},
  {"the last page of 4 GiB: SIGSEGV MAPERR, errors 5, 7, 5", last_page, NEEDS_I386_KERNEL},
  {"access across 0xc0000000: SIGSEGV at 0xc0000000", across_the_split, NEEDS_ISOLATION | NEEDS_I386_KERNEL},
  {"kernel addresses in system calls: EFAULT", system_call_gets_kernel_address, NEEDS_I386_KERNEL},
  {"vDSO: read and run, a write is SIGSEGV ACCERR, error 7", vdso, 0},
  {"vDSO after mprotect: written, and private", vdso_private, 0},
  {"read across pages into and out of a hole: address of the first byte that is missing", crossing_read, 0},
  {"write across pages that may not go through: nothing is written", crossing_write, 0},
  {"write across pages that are both not there yet: goes through", crossing_present, 0},
  {"instruction across pages: runs, and faults at the second page with eip on the first", crossing_exec, 0},
  {"rep movs into a hole: registers at exactly the byte that faults", string_copy, 0},
  {"access behind the end of a mapped file: SIGBUS ADRERR", bus_error, 0},
  {"system calls with addresses without rights: EFAULT and no signal", system_calls, 0},
  {NULL, NULL, 0},
};
