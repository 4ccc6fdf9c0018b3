/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings that move, many mappings, and an address space that is full. */
#include "check.h"
#include <linux/mman.h>

enum { PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS, RW = PROT_READ | PROT_WRITE, N = 16, MIB = 1 << 20, DONTUNMAP = 4 };

static void read_byte(void *at)
{
  (void)*(volatile u8 *)at;
}

static u8 *filled_pages(u32 n, u32 seed)
{
  u8 *at = map(0, n * PAGE, RW, PRIVATE);
  for (u32 i = 0; i < n; i++)
    fill(at + i * PAGE, PAGE, seed + i);
  return at;
}

static u32 wrong(const u8 *at, u32 n, u32 seed)
{
  u32 sum = 0;
  for (u32 i = 0; i < n; i++)
    sum += !filled(at + i * PAGE, PAGE, seed + i);
  return sum;
}

static u8 *remap(u8 *at, u32 old_bytes, u32 bytes, u32 flags, u8 *to)
{
  return (u8 *)must("mremap", sys(__NR_mremap, at, old_bytes, bytes, flags, to));
}

static void expect_hole(const u8 *at)
{
  expect_fault(fault_of(read_byte, (void *)at), SIGSEGV, SEGV_MAPERR, (u32)at, 14, 4);
}

static void grows(void)
{
  catch_faults();
  u8 *wall = map(0, (2 * N + 1) * PAGE, RW, PRIVATE);
  sys(__NR_munmap, wall, 2 * N * PAGE); /* room for it, with an end */
  u8 *at = map((u32)wall, N * PAGE, RW, PRIVATE | MAP_FIXED);
  fill(at, PAGE, 1);
  expect("in place", (u32)remap(at, N * PAGE, 2 * N * PAGE, 0, NULL), (u32)at);
  expect("no further without leave to move", (u32)sys(__NR_mremap, at, 2 * N * PAGE, 3 * N * PAGE, 0), (u32)-ENOMEM);
  u8 *moved = remap(at, 2 * N * PAGE, 64 * N * PAGE, MREMAP_MAYMOVE, NULL);
  expect("moved", moved != at, 1);
  expect("content", filled(moved, PAGE, 1), 1);
  expect_hole(at);
}

static void shrinks(void)
{
  catch_faults();
  u8 *at = filled_pages(N, 10);
  remap(at, N * PAGE, 4 * PAGE, 0, NULL);
  expect("wrong pages", wrong(at, 4, 10), 0);
  expect_hole(at + 4 * PAGE);
  expect_hole(at + (N - 1) * PAGE);
}

static void moves_to(void)
{
  catch_faults();
  u8 *at = filled_pages(N, 20), *to = filled_pages(N, 40);
  remap(at, N * PAGE, N * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  expect("wrong pages", wrong(to, N, 20), 0);
  expect_hole(at);
  u8 *back = map((u32)at, N * PAGE, RW, PRIVATE | MAP_FIXED);
  expect("a new page where it was", *(u32 *)back, 0);
  fill(to, PAGE, 77);
  expect("a write to it", filled(to, PAGE, 77), 1);
}

/* Whole page tables may be moved by one entry: 4 MiB and more, from and to the boundary of one. */
static void moves_tables(void)
{
  catch_faults();
  u8 *area = map(0, 40 * MIB, RW, PRIVATE | MAP_NORESERVE);
  u8 *at = (u8 *)(((u32)area + 4 * MIB - 1) & ~(u32)(4 * MIB - 1)), *to = at + 16 * MIB;
  for (u32 i = 0; i < 8 * MIB; i += 16 * PAGE)
    *(u32 *)(at + i) = i ^ 0x5a5a5a5a;
  remap(at, 8 * MIB, 8 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  u32 bad = 0;
  for (u32 i = 0; i < 8 * MIB; i += 16 * PAGE)
    bad += *(u32 *)(to + i) != (i ^ 0x5a5a5a5a);
  expect("wrong words", bad, 0);
  expect_hole(at);
  expect_hole(at + 8 * MIB - PAGE);
}

static void dontunmap(void)
{
  u8 *at = filled_pages(N, 60);
  u8 *to = remap(at, N * PAGE, N * PAGE, MREMAP_MAYMOVE | DONTUNMAP, NULL);
  expect("wrong pages", wrong(to, N, 60), 0);
  expect("the old place", *(u32 *)at, 0);
  *(u32 *)at = 5;
  expect("the new place", filled(to, PAGE, 60), 1);
}

static void duplicates(void)
{
  u8 *at = map(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS);
  fill(at, PAGE, 80);
  u8 *second = remap(at, 0, PAGE, MREMAP_MAYMOVE, NULL);
  expect("content", filled(second, PAGE, 80), 1);
  fill(at, PAGE, 81);
  expect("content after a write to the other", filled(second, PAGE, 81), 1);
}

static void refused(void)
{
  u8 *at = filled_pages(4, 90);
  expect(
    "onto itself", (u32)sys(__NR_mremap, at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE), (u32)-22);
  expect("to nothing", (u32)sys(__NR_mremap, at, PAGE, 0, MREMAP_MAYMOVE), (u32)-22);
  expect("off a page's start", (u32)sys(__NR_mremap, at + 1, PAGE, PAGE, MREMAP_MAYMOVE), (u32)-22);
  expect("of a hole", (u32)sys(__NR_mremap, 0x10000, PAGE, 2 * PAGE, MREMAP_MAYMOVE), (u32)-14);
  expect("munmap of all but a little of nothing", (u32)sys(__NR_munmap, 0xc0000000 - PAGE, 1u << 30), (u32)-22);
  expect("wrong pages", wrong(at, 4, 90), 0);
}

static void fixed_over(void)
{
  u8 *at = filled_pages(N, 100);
  expect("in place", (u32)map((u32)at + 4 * PAGE, 4 * PAGE, RW, PRIVATE | MAP_FIXED), (u32)at + 4 * PAGE);
  expect("a page of the new", *(u32 *)(at + 5 * PAGE), 0);
  expect("wrong pages before", wrong(at, 4, 100), 0);
  expect("wrong pages behind", wrong(at + 8 * PAGE, N - 8, 108), 0);
  expect("MAP_FIXED_NOREPLACE", (u32)sys(__NR_mmap2, at, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0), (u32)-17);
}

/* Takes what there is in ever smaller pieces. */
static u32 fill_address_space(void)
{
  u32 mib = 0;
  for (u32 piece = 256; piece; piece /= 2)
    for (;;) {
      int at = sys(__NR_mmap2, 0, piece * MIB, RW, PRIVATE | MAP_NORESERVE, -1, 0);
      if (at < 0 && at > -PAGE)
        break;
      mib += piece;
      /* a page at each end of the piece, and one for each page table in between */
      for (u32 i = 0; i < piece; i += 4)
        *(u32 *)((u32)at + i * MIB) = (u32)at + i * MIB;
      *(u32 *)((u32)at + piece * MIB - 4) = ~(u32)at;
    }
  return mib;
}

static i64 wrong_in_all_mappings(u32 *mappings)
{
  static char text[64 << 10];
  u32 bad = 0;
  read_file("/proc/self/maps", text, sizeof text);

  *mappings = 0;
  for (const char *p = text; *p; p++)
    if (*p == '\n')
      ++*mappings;
  for (u32 at = 0x10000000; at < 0xbf000000; at += 4 * MIB) {
    /* where a piece began at a multiple of 4 MiB from its start */
    u8 resident = 0;
    if (sys(__NR_mincore, at, PAGE, &resident) == 0 && (resident & 1)) {

      bad += *(volatile u32 *)at != at && *(volatile u32 *)at != 0;
    }
  }
  return bad;
}

static void full(void)
{
  u32 mib = fill_address_space(), mappings;
  expect_range("MiB mapped", mib, on_i386_kernel() ? 2900 : 3800, 4095);
  expect("one more MiB", (u32)sys(__NR_mmap2, 0, MIB, RW, PRIVATE | MAP_NORESERVE, -1, 0), (u32)-ENOMEM);
  expect_range("wrong words", wrong_in_all_mappings(&mappings), 0, 0);
  int pid = fork_process();
  if (pid == 0) {
    u32 again;
    expect_range("wrong words in a child", wrong_in_all_mappings(&again), 0, 0);
    done();
  }
  expect("status of a child", (u32)wait_for(pid), 0);
}

/* One MiB of memory at as many places as the address space has. */
static void same_memory_everywhere(void)
{
  catch_faults();
  enum { MOST = 4096 };
  static u32 *place[MOST];
  u32 count = 0, bad = 0;
  int fd = must("memfd_create", sys(__NR_memfd_create, "everywhere", 0));
  must("ftruncate", sys(__NR_ftruncate, fd, MIB));
  for (; count < MOST; count++) {
    int at = sys(__NR_mmap2, 0, MIB, RW, MAP_SHARED, fd, 0);
    if (at < 0 && at > -PAGE)
      break;
    place[count] = (u32 *)at;
  }
  expect_range("places", count, on_i386_kernel() ? 2900 : 3800, 4095);
  for (u32 i = 0; i < count; i++)
    place[i][(i % 256) * (PAGE / 4)] += 1; /* each page by every 256th place */
  for (u32 i = 0; i < 256; i++)
    bad += place[(i * 11) % count][i * (PAGE / 4)] != (count - i + 255) / 256;
  expect("wrong counts", bad, 0);
  for (u32 i = 0; i < count; i += 2)
    must("munmap", sys(__NR_munmap, place[i], MIB));
  bad = 0;
  for (u32 i = 1; i < count; i += 2)
    bad += place[i][(i % 256) * (PAGE / 4)] != (count - i % 256 + 255) / 256;
  expect("wrong counts after half of them has gone", bad, 0);
  expect_hole((u8 *)place[count / 2 & ~1u]);
}

/* Near to what the host gives a process of mappings (vm.max_map_count is 65530 as a rule). */
static void many_mappings(void)
{
  catch_faults();
  enum { COUNT = 60000 };
  u32 bad = 0;
  int fd = must("memfd_create", sys(__NR_memfd_create, "page", 0));
  must("ftruncate", sys(__NR_ftruncate, fd, 2 * PAGE));
  u8 *area = map(0, COUNT * 2 * PAGE, PROT_NONE, PRIVATE | MAP_NORESERVE);
  for (u32 i = 0; i < COUNT / 2; i++) { /* a mapping and a gap, each one of the kernel's areas */
    int at = sys(__NR_mmap2, area + i * 4 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, i & 1);
    if (at < 0 && at > -PAGE && !in_guest())
      skip("this host gives a process fewer mappings");
    must("mmap", at);
    *(u32 *)at += i;
  }
  for (u32 i = 2; i < COUNT / 2; i++)
    bad += *(u32 *)(area + i * 4 * PAGE) != *(u32 *)(area + (i & 1) * 4 * PAGE);
  expect("wrong words", bad, 0);
  u32 sum = 0;
  for (u32 i = 0; i < COUNT / 2; i += 2)
    sum += i;
  expect("sum of all that was added to the first page", *(u32 *)area, sum);
  expect_hole((u8 *)0x10000);
}

static void map_and_unmap(void)
{
  u32 bad = 0;
  for (u32 i = 0; i < 2000; i++) {
    u32 n = i % 13 + 1;
    u8 *at = map(0, n * PAGE, RW, PRIVATE);
    for (u32 k = 0; k < n; k++)
      bad += *(u32 *)(at + k * PAGE) != 0, *(u32 *)(at + k * PAGE) = i;
    must("munmap", sys(__NR_munmap, at, n * PAGE));
  }
  expect("pages that were not zero", bad, 0);
}

const struct check map_checks[] = {
  {"mremap grows in place, else moves; the old place is a hole", grows, 0},
  {"mremap shrinks: what is cut off is a hole", shrinks, 0},
  {"mremap to a given address replaces what is there", moves_to, 0},
  {"mremap of 8 MiB on boundaries of page tables moves all of it", moves_tables, 0},
  {"MREMAP_DONTUNMAP leaves zeros behind", dontunmap, 0},
  {"mremap of 0 bytes of shared memory maps it twice", duplicates, 0},
  {"mremap and munmap of what cannot be: refused, and nothing is changed", refused, 0},
  {"MAP_FIXED replaces, MAP_FIXED_NOREPLACE refuses", fixed_over, 0},
  {"an address space full of mappings: all words right, also in a child", full, 0},
  {"1 MiB of memory mapped at all of the address space", same_memory_everywhere, 0},
  {"60000 mappings in one process", many_mappings, 0},
  {"2000 times map, write, unmap: new pages are zero", map_and_unmap, 0},
  {NULL, NULL, 0},
};
