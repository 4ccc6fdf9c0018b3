/* SPDX-License-Identifier: Apache-2.0 */
/* userfaultfd: faults of one process that another one resolves. */
#include "check.h"
#include <linux/mman.h>
#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/userfaultfd.h>

enum { N = 8, RW = PROT_READ | PROT_WRITE };

static u8 *area;

static int open_userfault(u64 features, u32 mode)
{
  struct uffdio_api api = {UFFD_API, features, 0};
  struct uffdio_register range = {{0, N * PAGE}, mode, 0};
  int fd = sys(__NR_userfaultfd, 02000000);
  if (fd == -38 || fd == -1)
    skip("userfaultfd is not allowed");
  must("userfaultfd", fd);
  must("UFFDIO_API", sys(__NR_ioctl, fd, UFFDIO_API, &api));
  area = map(0, N * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS);
  range.range.start = (u32)area;
  must("UFFDIO_REGISTER", sys(__NR_ioctl, fd, UFFDIO_REGISTER, &range));
  return fd;
}

/* Resolves faults until it is killed: odd pages by zeros, even ones by a pattern. */
static int start_resolver(int fd, u32 *faults)
{
  static u8 page[PAGE] __attribute__((aligned(4096)));
  int pid = fork_process();
  if (pid)
    return pid;
  for (;;) {
    struct uffd_msg message;
    if (sys(__NR_read, fd, &message, sizeof message) != sizeof message || message.event != UFFD_EVENT_PAGEFAULT)
      leave(1);
    u32 at = (u32)message.arg.pagefault.address & ~(u32)(PAGE - 1), n = (at - (u32)area) / PAGE;
    faults[n] += message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE ? 0x100 : 1;
    if (n & 1) {
      struct uffdio_zeropage zero = {{at, PAGE}, 0, 0};
      must("UFFDIO_ZEROPAGE", sys(__NR_ioctl, fd, UFFDIO_ZEROPAGE, &zero));
    } else {
      fill(page, PAGE, n);
      struct uffdio_copy copy = {at, (u32)page, PAGE, 0, 0};
      must("UFFDIO_COPY", sys(__NR_ioctl, fd, UFFDIO_COPY, &copy));
    }
  }
}

static void resolved(void)
{
  u32 *faults = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  int fd = open_userfault(0, UFFDIO_REGISTER_MODE_MISSING), pid = start_resolver(fd, faults);
  expect("an even page", filled(area, PAGE, 0), 1);
  expect("an odd page", *(u32 *)(area + PAGE + 4), 0);
  *(u32 *)(area + 2 * PAGE + 8) = 0x12345678; /* a write */
  expect("what was written", *(u32 *)(area + 2 * PAGE + 8), 0x12345678);
  u8 *at = area + 4 * PAGE;
  int pipe[2];
  must("pipe", sys(__NR_pipe, pipe));
  expect("a system call that reads the page", (u32)sys(__NR_write, pipe[1], at, 4), 4);
  sys(__NR_write, pipe[1], "more", 4);
  expect("a system call that writes the page", (u32)sys(__NR_read, pipe[0], area + 5 * PAGE, 8), 8);
  expect("what it wrote", (u32)memcmp(area + 5 * PAGE + 4, "more", 4), 0);
  static const u32 wanted[N] = {1, 1, 0x100, 0, 1, 0x100, 0, 0};
  for (u32 i = 0; i < N; i++)
    expect("faults of a page", faults[i], wanted[i]);
  sys(__NR_kill, pid, SIGKILL);
  wait_for(pid);
}

static void read_byte(void *at)
{
  (void)*(volatile u8 *)at;
}

static void bus_error(void)
{
  catch_faults();
  open_userfault(UFFD_FEATURE_SIGBUS, UFFDIO_REGISTER_MODE_MISSING);
  expect_fault(fault_of(read_byte, area + PAGE + 7), SIGBUS, BUS_ADRERR, (u32)area + PAGE + 7, 14, 4);
}

static void closed(void)
{
  int fd = open_userfault(0, UFFDIO_REGISTER_MODE_MISSING);
  sys(__NR_close, fd);
  expect("a page", *(u32 *)area, 0);
}

const struct check userfault_checks[] = {
  {"faults of the program and of system calls are resolved by another process", resolved, 0},
  {"UFFD_FEATURE_SIGBUS: SIGBUS ADRERR at the address", bus_error, 0},
  {"after the descriptor is closed faults are as ever", closed, 0},
  {NULL, NULL, 0},
};
