/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker KIND SEED SECONDS: one process (or a few) of the soak's load. Every
 * computation is checked, against a known value or against the same work done
 * a second time. At the end it prints
 *   @ KIND checks failures
 * and for each failure, at once, a line "FAIL KIND what". Status 0: no failure.
 * worker data SEED BYTES, worker digest SEED BYTES: known data and its SHA-256.
 */
#include "compute.h"
#include "rt.h"

static const char *kind;
static u64 end;
static u32 checks, failures;

/* What the known series give: the same natively and with QEMU's floating point in software. */
enum { FP_KNOWN = 0x4e3a7899 };

static int going(void)
{
  return monotonic() < end;
}

static void check(int good, const char *what, u32 got, u32 wanted)
{
  checks++;
  if (good)
    return;
  failures++;
  text("FAIL ");
  text(kind);
  text(" ");
  text(what);
  text(": got ");
  hex(got);
  text(", wanted ");
  hex(wanted);
  text("\n");
}

static void expect(u32 got, u32 wanted, const char *what)
{
  check(got == wanted, what, got, wanted);
}

/* ---- sha256 of data that is known ---- */

static void sha256_known(u32 seed)
{
  /* FIPS 180-4 examples: "abc", and a million times 'a' */
  static const u8 abc[4] = {0xba, 0x78, 0x16, 0xbf}, million[4] = {0xcd, 0xc7, 0x6e, 0x5c};
  u8 digest[32], first[32], *data = map_anonymous(1 << 20);
  struct sha256 s;
  memset(data, 'a', 1000000);
  while (going()) {
    sha256_start(&s);
    sha256_add(&s, "abc", 3);
    sha256_end(&s, digest);
    expect(memcmp(digest, abc, 4) != 0, 0, "sha256 of abc");
    sha256_start(&s);
    for (u32 at = 0, part = seed % 977 + 1; at < 1000000; at += part) /* in parts of an odd size */
      sha256_add(&s, data + at, at + part <= 1000000 ? part : 1000000 - at);
    sha256_end(&s, first);
    expect(memcmp(first, million, 4) != 0, 0, "sha256 of a million a");
    seed = seed * 31 + 7;
  }
  sys(SYS_munmap, data, 1 << 20);
}

/* ---- compress, expand, compare ---- */

static void compress_and_check(u32 seed)
{
  enum { SIZE = 256 << 10, ROOM = SIZE + SIZE / 64 + 64 };
  static u32 table[LZ_TABLE];
  u8 *data = map_anonymous(SIZE), *packed = map_anonymous(ROOM), *again = map_anonymous(SIZE);
  while (going()) {
    compressible(data, SIZE, ++seed);
    u32 used = lz_compress(data, SIZE, packed, table);
    check(used < SIZE * 3 / 4, "compressed size", used, SIZE * 3 / 4);
    memset(again, 0, SIZE);
    expect(lz_expand(packed, used, again, SIZE), SIZE, "expanded size");
    expect((u32)memcmp(data, again, SIZE), 0, "expanded data");
  }
}

/* ---- floating point, in several processes at once ---- */

/* A pattern in all eight SSE registers, held over something that makes the
 * kernel switch; returns a bit for each register that changed. */
static u32 hold_sse(u32 seed)
{
  u32 pattern[8][4] __attribute__((aligned(16))), after[8][4] __attribute__((aligned(16))), wrong = 0;
  u32 random = seed | 1;
  for (int i = 0; i < 8; i++)
    for (int k = 0; k < 4; k++)
      pattern[i][k] = next_random(&random);
  __asm__ volatile("movaps (%1), %%xmm0\n movaps 16(%1), %%xmm1\n movaps 32(%1), %%xmm2\n movaps 48(%1), %%xmm3\n"
                   "movaps 64(%1), %%xmm4\n movaps 80(%1), %%xmm5\n movaps 96(%1), %%xmm6\n movaps 112(%1), %%xmm7\n"
                   "movl $158, %%eax\n int $0x80\n" /* sched_yield */
                   "movl $20000, %%ecx\n 1: pause\n loop 1b\n" /* long enough for ticks to fall into it */
                   "movaps %%xmm0, (%0)\n movaps %%xmm1, 16(%0)\n movaps %%xmm2, 32(%0)\n movaps %%xmm3, 48(%0)\n"
                   "movaps %%xmm4, 64(%0)\n movaps %%xmm5, 80(%0)\n movaps %%xmm6, 96(%0)\n movaps %%xmm7, 112(%0)\n"
                   :
                   : "r"(after), "r"(pattern)
                   : "eax", "ecx", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7");
  for (int i = 0; i < 8; i++)
    if (memcmp(pattern[i], after[i], 16))
      wrong |= 1u << i;
  return wrong;
}

/* AVX as user code finds it: CPUID says OSXSAVE and AVX, and XCR0 has both states on. */
static int have_avx(void)
{
  u32 a = 1, b, c = 0, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  if ((c & (1u << 27)) == 0 || (c & (1u << 28)) == 0)
    return 0;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (a & 6) == 6;
}

static u32 hold_avx(u32 seed)
{
  u32 pattern[4][8] __attribute__((aligned(32))), after[4][8] __attribute__((aligned(32))), wrong = 0;
  u32 random = seed | 1;
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 8; k++)
      pattern[i][k] = next_random(&random);
  __asm__ volatile("vmovups (%1), %%ymm0\n vmovups 32(%1), %%ymm3\n vmovups 64(%1), %%ymm5\n vmovups 96(%1), %%ymm7\n"
                   "movl $158, %%eax\n int $0x80\n"
                   "movl $20000, %%ecx\n 1: pause\n loop 1b\n"
                   "vmovups %%ymm0, (%0)\n vmovups %%ymm3, 32(%0)\n vmovups %%ymm5, 64(%0)\n vmovups %%ymm7, 96(%0)\n"
                   "vzeroupper\n"
                   :
                   : "r"(after), "r"(pattern)
                   : "eax", "ecx", "memory", "cc", "xmm0", "xmm3", "xmm5", "xmm7");
  for (int i = 0; i < 4; i++)
    if (memcmp(pattern[i], after[i], 32))
      wrong |= 1u << i;
  return wrong;
}

static void floating_point(u32 seed)
{
  struct bodies first, again;
  u8 x87_first[10], x87_again[10];
  int avx = have_avx();
  while (going()) {
    seed = seed * 1103515245 + 12345;
    bodies_start(&first, seed);
    bodies_step(&first, 4000);
    bodies_start(&again, seed);
    for (int i = 0; i < 40; i++) {
      bodies_step(&again, 100);
      sys(SYS_sched_yield);
    }
    expect((u32)memcmp(&first, &again, sizeof first), 0, "doubles of the same series");
    x87_series(seed, 20000, x87_first);
    sys(SYS_sched_yield);
    x87_series(seed, 20000, x87_again);
    expect((u32)memcmp(x87_first, x87_again, 10), 0, "x87 result of the same series");
    expect(hold_sse(seed), 0, "xmm registers");
    if (avx)
      expect(hold_avx(seed), 0, "ymm registers");
  }
}

/* Values known beforehand, so that a fault that repeats in the same way is found as well. */
static void floating_point_known(void)
{
  struct bodies b;
  u8 digest[32], x87[10];
  struct sha256 s;
  bodies_start(&b, 1);
  bodies_step(&b, 1000);
  x87_series(12345, 10000, x87);
  sha256_start(&s);
  sha256_add(&s, &b, sizeof b);
  sha256_add(&s, x87, sizeof x87);
  sha256_end(&s, digest);
  expect((u32)digest[0] << 24 | (u32)digest[1] << 16 | (u32)digest[2] << 8 | digest[3], FP_KNOWN,
    "digest of the known floating-point series");
}

/* ---- mappings ---- */

static volatile u32 fault_address, fault_count;
static u32 fault_resume;

/* Notes the address and goes on at fault_resume: the layout of the i386 ucontext
 * is uc_flags, uc_link, uc_stack (12 bytes), then gregs with eip as the 15th. */
static void on_fault(int signal, void *info, void *context)
{
  (void)signal;
  fault_address = ((u32 *)info)[3];
  fault_count++;
  ((u32 *)context)[5 + 14] = fault_resume;
}

static u32 faults_at(volatile u8 *at, int write)
{
  fault_count = 0;
  __asm__ volatile("movl $1f, %0\n"
                   "  testl %2, %2\n"
                   "  jnz 2f\n"
                   "  movb (%1), %%al\n"
                   "  jmp 1f\n"
                   "2: movb $1, (%1)\n"
                   "1:\n"
                   : "=m"(fault_resume)
                   : "r"(at), "r"(write)
                   : "eax", "memory", "cc");
  return fault_count ? fault_address : 0;
}

static void fill(u8 *at, u32 pages, u32 seed)
{
  for (u32 i = 0; i < pages; i++) {
    u32 random = (seed ^ i * 2654435761u) | 1, *word = (u32 *)(at + i * PAGE);
    for (u32 k = 0; k < PAGE / 4; k += 8)
      word[k] = next_random(&random);
  }
}

static u32 wrong_pages(const u8 *at, u32 pages, u32 seed)
{
  u32 wrong = 0;
  for (u32 i = 0; i < pages; i++) {
    u32 random = (seed ^ i * 2654435761u) | 1, bad = 0;
    const u32 *word = (const u32 *)(at + i * PAGE);
    for (u32 k = 0; k < PAGE / 4; k += 8)
      bad |= word[k] != next_random(&random);
    wrong += bad;
  }
  return wrong;
}

static void mappings(u32 seed)
{
  enum { PAGES = 96 };
  on_signal(SIGSEGV, on_fault);
  while (going()) {
    u32 turn = ++seed;
    u8 *at = map_anonymous(PAGES * PAGE);
    u32 left = 0;
    for (u32 i = 0; i < PAGES * PAGE; i += 64)
      left |= at[i];
    expect(left, 0, "a new mapping is zero");
    fill(at, PAGES, turn);
    expect(wrong_pages(at, PAGES, turn), 0, "pages as they were written");
    /* read-only: writes fault at the right address, reads do not, the content stays */
    sys(SYS_mprotect, at + 32 * PAGE, 32 * PAGE, PROT_READ);
    expect(faults_at(at + 40 * PAGE + 5, 1), (u32)(at + 40 * PAGE + 5), "address of a write fault");
    expect(faults_at(at + 41 * PAGE, 0), 0, "a read of a read-only page");
    expect(faults_at(at + 31 * PAGE + 1, 1), 0, "a write beside the read-only range");
    fill(at + 31 * PAGE, 1, turn ^ 31 * 2654435761u);
    sys(SYS_mprotect, at + 32 * PAGE, 32 * PAGE, PROT_NONE);
    expect(faults_at(at + 50 * PAGE, 0), (u32)(at + 50 * PAGE), "address of a read fault");
    sys(SYS_mprotect, at + 32 * PAGE, 32 * PAGE, PROT_READ | PROT_WRITE);
    expect(wrong_pages(at, PAGES, turn), 0, "pages after mprotect");
    /* moved: the content goes along, the old place is gone */
    int moved = sys(SYS_mremap, at, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
    check(moved > 0 || moved < -PAGE, "mremap", (u32)moved, 0);
    if ((u8 *)moved != at)
      expect(faults_at(at, 0), (u32)at, "the place that mremap left");
    at = (u8 *)moved;
    expect(wrong_pages(at, PAGES, turn), 0, "pages after mremap");
    /* thrown away: zero again */
    sys(SYS_madvise, at, 8 * PAGE, MADV_DONTNEED);
    for (u32 i = 0; i < 8 * PAGE; i += 64)
      left |= at[i];
    expect(left, 0, "pages after MADV_DONTNEED");
    /* copy on write, both ways */
    fill(at, PAGES, turn + 1);
    int pid = fork_process();
    if (pid == 0) {
      u32 bad = wrong_pages(at, PAGES, turn + 1);
      fill(at, PAGES / 2, turn + 2);
      bad += wrong_pages(at, PAGES / 2, turn + 2);
      leave(bad > 100 ? 100 : (int)bad);
    }
    fill(at + PAGES / 2 * PAGE, PAGES / 2, turn + 3);
    expect((u32)wait_for(pid), 0, "pages that a child shares and writes");
    expect(wrong_pages(at, PAGES / 2, turn + 1), 0, "pages that the child wrote to, in the parent");
    expect(wrong_pages(at + PAGES / 2 * PAGE, PAGES / 2, turn + 3), 0, "pages that the parent wrote");
    sys(SYS_munmap, at, 2 * PAGES * PAGE);
    expect(faults_at(at + 3 * PAGE, 1), (u32)(at + 3 * PAGE), "a write to what was unmapped");
  }
}

/* ---- processes ---- */

/* A tree: each process forks two, and its status is made of theirs. */
static u32 tree(u32 depth, u32 value)
{
  if (depth == 0)
    return value & 63;
  int left = fork_process();
  if (left == 0)
    leave((int)tree(depth - 1, value * 3 + 1));
  int right = fork_process();
  if (right == 0)
    leave((int)tree(depth - 1, value * 5 + 2));
  return ((u32)wait_for(left) * 7 + (u32)wait_for(right) + depth) & 63;
}

static u32 tree_without_processes(u32 depth, u32 value)
{
  if (depth == 0)
    return value & 63;
  u32 left = tree_without_processes(depth - 1, value * 3 + 1);
  return (left * 7 + tree_without_processes(depth - 1, value * 5 + 2) + depth) & 63;
}

static void forks(u32 seed)
{
  while (going()) {
    seed = seed * 69069 + 1;
    expect(tree(4, seed >> 8), tree_without_processes(4, seed >> 8), "status of a tree of 31 processes");
    int pid = fork_process();
    if (pid == 0)
      for (;;)
        sys(SYS_sched_yield);
    sys(SYS_kill, pid, SIGKILL);
    expect((u32)wait_for(pid), 128 + SIGKILL, "status of a killed process");
  }
}

/* ---- pipes ---- */

static void transfer(int fd, u8 *data, u32 n, int number_of_call)
{
  while (n) {
    int done = sys(number_of_call, fd, data, n);
    if (done == -EINTR)
      continue;
    if (done <= 0) {
      check(0, number_of_call == SYS_read ? "read of a pipe" : "write to a pipe", (u32)done, n);
      leave(1);
    }
    data += done, n -= (u32)done;
  }
}

/* writer | filter (adds 1 to each byte) | checker */
static void pipes(u32 seed)
{
  enum { CHUNK = 20000 };
  u8 *data = map_anonymous(CHUNK);
  while (going()) {
    int a[2], b[2];
    u32 chunks = 20;
    seed = seed * 69069 + 5;
    sys(SYS_pipe, a);
    sys(SYS_pipe, b);
    int writer = fork_process();
    if (writer == 0) {
      for (u32 i = 0; i < chunks; i++)
        compressible(data, CHUNK, seed + i), transfer(a[1], data, CHUNK, SYS_write);
      leave(0);
    }
    int filter = fork_process();
    if (filter == 0) {
      for (u32 i = 0; i < chunks; i++) {
        transfer(a[0], data, CHUNK, SYS_read);
        for (u32 k = 0; k < CHUNK; k++)
          data[k]++;
        transfer(b[1], data, CHUNK, SYS_write);
      }
      leave(0);
    }
    u8 *wanted = map_anonymous(CHUNK);
    for (u32 i = 0; i < chunks; i++) {
      transfer(b[0], data, CHUNK, SYS_read);
      compressible(wanted, CHUNK, seed + i);
      for (u32 k = 0; k < CHUNK; k++)
        wanted[k]++;
      expect((u32)memcmp(data, wanted, CHUNK), 0, "data through two pipes");
    }
    expect((u32)wait_for(writer), 0, "status of the writer");
    expect((u32)wait_for(filter), 0, "status of the filter");
    for (int i = 0; i < 2; i++)
      sys(SYS_close, a[i]), sys(SYS_close, b[i]);
    sys(SYS_munmap, wanted, CHUNK);
  }
}

/* ---- memory pressure ---- */

static u32 meminfo(const char *key)
{
  static char buffer[2048];
  int fd = sys(SYS_open, "/proc/meminfo", O_RDONLY);
  if (fd < 0)
    die("open /proc/meminfo", fd);
  int n = sys(SYS_read, fd, buffer, sizeof buffer - 1);
  sys(SYS_close, fd);
  if (n <= 0)
    die("read of /proc/meminfo", n);
  buffer[n] = 0;
  u32 key_length = length(key);
  for (const char *p = buffer; *p; p++) {
    if ((p == buffer || p[-1] == '\n') && !memcmp(p, key, key_length) && p[key_length] == ':') {
      for (p += key_length + 1; *p == ' '; p++) {
      }
      return (u32)parse(p);
    }
  }
  die("a line of /proc/meminfo is missing", -1);
}

static void prefer_as_victim(void)
{
  int fd = sys(SYS_open, "/proc/self/oom_score_adj", O_WRONLY);
  if (fd < 0)
    die("open oom_score_adj", fd);
  sys(SYS_write, fd, "1000", 4);
  sys(SYS_close, fd);
}

/* Fills memory until only a little is left, checks it all, lets it go. */
static void pressure(u32 seed)
{
  enum { STEP = 64, LEAVE_KB = 12 << 10, MOST = 4096 };
  static u8 *piece[MOST];
  prefer_as_victim();
  while (going()) {
    u32 pieces = 0, wrong = 0;
    while (pieces < MOST && meminfo("MemAvailable") > LEAVE_KB) {
      piece[pieces] = map_anonymous(STEP * PAGE);
      fill(piece[pieces], STEP, seed + pieces);
      pieces++;
    }
    for (u32 i = 0; i < pieces; i++)
      wrong += wrong_pages(piece[i], STEP, seed + i);
    expect(wrong, 0, "pages under memory pressure");
    for (u32 i = 0; i < pieces; i++)
      sys(SYS_munmap, piece[i], STEP * PAGE);
    seed += 9973;
    sleep_until(monotonic() + 300000000);
  }
}

/* A child takes memory without end: the kernel must kill it and nothing else. */
static void out_of_memory(u32 seed)
{
  int pid = fork_process();
  if (pid == 0) {
    prefer_as_victim();
    while (going()) {
      int at = sys(SYS_mmap2, 0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (at < 0 && at > -PAGE) {
        sys(SYS_sched_yield);
        continue;
      }
      fill((u8 *)at, 256, seed);
    }
    leave(0);
  }
  expect((u32)wait_for(pid), 128 + SIGKILL, "status of a process that takes all memory");
}

/* ---- time ---- */

/* Counts the expirations of a timer of 100 Hz and the kernel's own ticks, and
 * prints both with both clocks, for the host to compare with its clock:
 *   tick MONOTONIC_NS REALTIME_NS EXPIRATIONS JIFFIES LATEST_NS
 * LATEST_NS is the longest that an expiration was noticed late since the last line. */
static void ticks(void)
{
  enum { HZ_NS = 10000000, LINE_NS = 1000000000 };
  struct {
    struct timespec64 interval, value;
  } timer = {{0, HZ_NS, 0}, {0, HZ_NS, 0}};
  u64 expirations = 0, latest = 0, least_behind = ~0ull, count, start, line_at;
  int fd = sys(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
  if (fd < 0)
    die("timerfd_create", fd);
  start = monotonic();
  int result = sys(SYS_timerfd_settime64, fd, 0, &timer, 0);
  if (result < 0)
    die("timerfd_settime", result);
  line_at = start + LINE_NS;
  while (going()) {
    if (sys(SYS_read, fd, &count, 8) != 8)
      continue;
    u64 now = monotonic();
    expirations += count;
    u64 due = start + expirations * HZ_NS;
    check(now >= due, "an expiration before it was due", (u32)(due - now), 0);
    u64 behind = now >= due ? now - due : 0;
    if (behind < least_behind)
      least_behind = behind;
    u64 late = behind + (count - 1) * HZ_NS;
    if (late > latest)
      latest = late;
    if (now < line_at)
      continue;
    /* Being scheduled late makes one read late, not all of a second: then expirations were lost. */
    check(least_behind < HZ_NS, "expirations lost, by ns", (u32)least_behind, HZ_NS);
    text("tick ");
    number(monotonic());
    text(" ");
    number(realtime());
    text(" ");
    number(expirations);
    text(" ");
    number((u32)sys(SYS_times, 0));
    text(" ");
    number(latest);
    text("\n");
    latest = 0;
    least_behind = ~0ull;
    line_at += LINE_NS;
  }
}

/* ---- data for other programs ---- */

/* Writes bytes of compressible data to the standard output. */
static int write_data(u32 seed, u32 bytes)
{
  u8 *data = map_anonymous(bytes);
  compressible(data, bytes, seed);
  transfer(1, data, bytes, SYS_write);
  return 0;
}

/* Prints the SHA-256 of the same data as sha256sum does. */
static int print_sha256(u32 seed, u32 bytes)
{
  struct sha256 s;
  u8 digest[32], *data = map_anonymous(bytes);
  compressible(data, bytes, seed);
  sha256_start(&s);
  sha256_add(&s, data, bytes);
  sha256_end(&s, digest);
  for (int i = 0; i < 32; i += 4)
    hex((u32)digest[i] << 24 | (u32)digest[i + 1] << 16 | (u32)digest[i + 2] << 8 | digest[i + 3]);
  text("\n");
  return 0;
}

int main(int argc, char **argv, char **envp)
{
  (void)envp;
  if (argc != 4) {
    text("usage: worker sha256|compress|float|mappings|forks|pipes|pressure|oom|ticks SEED SECONDS, worker data|digest "
         "SEED BYTES\n");
    return 2;
  }
  kind = argv[1];
  u32 seed = (u32)parse(argv[2]);
  if (same(kind, "data"))
    return write_data(seed, (u32)parse(argv[3]));
  if (same(kind, "digest"))
    return print_sha256(seed, (u32)parse(argv[3]));
  end = monotonic() + parse(argv[3]) * 1000000000u;
  floating_point_known();
  if (same(kind, "sha256"))
    sha256_known(seed);
  else if (same(kind, "compress"))
    compress_and_check(seed);
  else if (same(kind, "float"))
    floating_point(seed);
  else if (same(kind, "mappings"))
    mappings(seed);
  else if (same(kind, "forks"))
    forks(seed);
  else if (same(kind, "pipes"))
    pipes(seed);
  else if (same(kind, "pressure"))
    pressure(seed);
  else if (same(kind, "oom"))
    out_of_memory(seed);
  else if (same(kind, "ticks"))
    ticks();
  else
    die("unknown kind", -1);
  text("@ ");
  text(kind);
  text(" ");
  number(checks);
  text(" ");
  number(failures);
  text("\n");
  return failures ? 1 : 0;
}
