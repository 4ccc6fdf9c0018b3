/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro [NAME...]: micro-benchmarks; each prints a line
 *   @ NAME VALUE ns
 * with the median of its batches, in ns per operation.
 * micro --time NAME PROGRAM [ARG...]: runs a program and prints its wall time
 * in the same form; its status must be 0.
 * micro --run NAME N: runs N operations and prints nothing, for counting what they cost.
 * micro --tsc-khz: prints the frequency of the time-stamp counter, measured over 0.2 s.
 * micro --clock: prints "clock NS", the monotonic clock.
 * The directory it is started in should be on a tmpfs.
 */
#include "compute.h"
#include "micro.h"

enum { BATCHES = 7, BATCH_NS = 20000000 };

char **environment;
char *self;

/* ---- system calls ---- */

static u64 getppid_vdso(u32 n)
{
  u64 start = monotonic();
  while (n--)
    sys(SYS_getppid);
  return monotonic() - start;
}

static u64 getppid_int80(u32 n)
{
  u64 start = monotonic();
  while (n--)
    syscall_int80(SYS_getppid, 0, 0, 0, 0, 0, 0);
  return monotonic() - start;
}

struct elf_header {
  u8 ident[16];
  u16 type, machine;
  u32 version, entry, phoff, shoff, flags;
  u16 ehsize, phentsize, phnum;
};
struct elf_segment {
  u32 type, offset, vaddr, paddr, filesz, memsz, flags, align;
};
struct elf_symbol {
  u32 name, value, size;
  u8 info, other;
  u16 section;
};

/* The vDSO is one segment whose addresses start at 0. */
static void *vdso_function(const char *name)
{
  enum { PT_DYNAMIC = 2, DT_HASH = 4, DT_STRTAB = 5, DT_SYMTAB = 6 };
  u32 base = vdso_base(), symbols = 0, strings = 0, *hash = NULL;
  const struct elf_header *header = (const struct elf_header *)base;
  if (base == 0)
    return NULL;
  const struct elf_segment *segment = (const struct elf_segment *)(base + header->phoff);
  for (int i = 0; i < header->phnum; i++, segment++) {
    if (segment->type != PT_DYNAMIC)
      continue;
    for (const u32 *d = (const u32 *)(base + segment->vaddr); d[0]; d += 2) {
      if (d[0] == DT_HASH)
        hash = (u32 *)(base + d[1]);
      if (d[0] == DT_STRTAB)
        strings = base + d[1];
      if (d[0] == DT_SYMTAB)
        symbols = base + d[1];
    }
  }
  if (!hash || !strings || !symbols)
    return NULL;
  const struct elf_symbol *symbol = (const struct elf_symbol *)symbols;
  for (u32 i = 0; i < hash[1]; i++, symbol++)
    if (symbol->section && same((const char *)strings + symbol->name, name))
      return (void *)(base + symbol->value);
  return NULL;
}

/* As a C library does it: by the vDSO, else by the system call. */
static u64 clock_gettime(u32 n)
{
  struct timespec64 t;
  int (*call)(int, struct timespec64 *) = (int (*)(int, struct timespec64 *))vdso_function("__vdso_clock_gettime64");
  u64 start = monotonic();
  if (call)
    while (n--)
      call(CLOCK_MONOTONIC, &t);
  else
    while (n--)
      sys(SYS_clock_gettime64, CLOCK_MONOTONIC, &t);
  return monotonic() - start;
}

static volatile u32 signals;
static void count_signal(int signal, void *info, void *context)
{
  (void)signal, (void)info, (void)context;
  signals++;
}

static u64 signal_self(u32 n)
{
  int me = sys(SYS_getpid);
  on_signal(SIGUSR1, count_signal);
  signals = 0;
  u64 start = monotonic();
  for (u32 i = 0; i < n; i++)
    sys(SYS_kill, me, SIGUSR1);
  u64 took = monotonic() - start;
  if (signals != n)
    die("signals lost", -(int)(n - signals));
  return took;
}

/* ---- files ---- */

int scratch(u32 bytes)
{
  static const char scratch_file[] = "bench.scratch";
  int fd = sys(SYS_open, scratch_file, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0)
    die("open bench.scratch in the current directory", fd);
  void *data = map_anonymous(bytes);
  compressible(data, bytes, 7);
  if (sys(SYS_write, fd, data, bytes) != (int)bytes)
    die("write", -28);
  sys(SYS_munmap, data, bytes);
  sys(SYS_unlink, scratch_file);
  return fd;
}

/* Writes and reads of 4 KiB at scattered places of a file of 1 MiB, as a data base does. */
static u64 file_io(u32 n)
{
  enum { SYS_lseek = 19, SYS_fsync = 118, FILE = 1 << 20 };
  int fd = scratch(FILE);
  u8 page[PAGE];
  u32 random = 99;
  u64 start = monotonic();
  while (n--) {
    sys(SYS_lseek, fd, next_random(&random) % (FILE / PAGE) * PAGE, 0);
    sys(SYS_read, fd, page, PAGE);
    page[random & (PAGE - 1)]++;
    sys(SYS_lseek, fd, next_random(&random) % (FILE / PAGE) * PAGE, 0);
    sys(SYS_write, fd, page, PAGE);
    if ((n & 15) == 0)
      sys(SYS_fsync, fd);
  }
  u64 took = monotonic() - start;
  sys(SYS_close, fd);
  return took;
}

/* ---- computing; one operation is 64 KiB, 100 steps, one sieve ---- */

static u8 *input(void)
{
  static u8 *data;
  if (!data) {
    data = map_anonymous(64 << 10);
    compressible(data, 64 << 10, 42);
  }
  return data;
}

static u64 sha256_64k(u32 n)
{
  struct sha256 s;
  u8 digest[32], *data = input();
  u64 start = monotonic();
  sha256_start(&s);
  while (n--)
    sha256_add(&s, data, 64 << 10);
  sha256_end(&s, digest);
  return monotonic() - start;
}

static u64 compress_64k(u32 n)
{
  static u32 table[LZ_TABLE];
  u8 *data = input(), *packed = map_anonymous(80 << 10), *again = map_anonymous(64 << 10);
  u64 start = monotonic();
  while (n--) {
    u32 used = lz_compress(data, 64 << 10, packed, table);
    if (lz_expand(packed, used, again, 64 << 10) != 64 << 10)
      die("damaged data", -1);
  }
  u64 took = monotonic() - start;
  if (memcmp(data, again, 64 << 10))
    die("wrong data", -1);
  sys(SYS_munmap, packed, 80 << 10);
  sys(SYS_munmap, again, 64 << 10);
  return took;
}

static u64 bodies_100(u32 n)
{
  struct bodies b;
  bodies_start(&b, 5);
  u64 start = monotonic();
  while (n--)
    bodies_step(&b, 100);
  return monotonic() - start;
}

static u64 interpreter(u32 n)
{
  static u8 flags[8192];
  u32 ran;
  u64 start = monotonic();
  while (n--)
    if (interpret_sieve(8192, flags, &ran) != 1028)
      die("wrong number of primes", -1);
  return monotonic() - start;
}

/* ---- the harness ---- */

static const struct {
  const char *name;
  measure run;
} all[] = {
  {"getppid_vdso", getppid_vdso},
  {"getppid_int80", getppid_int80},
  {"clock_gettime", clock_gettime},
  {"signal_self", signal_self},
  {"fault_anon", fault_anon},
  {"fault_file", fault_file},
  {"fault_cow", fault_cow},
  {"mmap_munmap", mmap_munmap},
  {"mprotect_pair", mprotect_pair},
  {"fork_exit", fork_exit},
  {"fork_exec", fork_exec},
  {"vfork_exec", vfork_exec},
  {"pipe_round_trip", pipe_round_trip},
  {"futex_round_trip", futex_round_trip},
  {"switch_2_0k", switch_2_0k},
  {"switch_2_64k", switch_2_64k},
  {"switch_16_0k", switch_16_0k},
  {"switch_16_64k", switch_16_64k},
  {"file_io_4k", file_io},
  {"copy_64k", copy_64k},
  {"sha256_64k", sha256_64k},
  {"compress_64k", compress_64k},
  {"bodies_100", bodies_100},
  {"interpreter", interpreter},
};

static void line(const char *name, u64 ns)
{
  text("@ ");
  text(name);
  text(" ");
  number(ns);
  text(" ns\n");
}

/* Batches of a size that takes about BATCH_NS, at least 8 operations; the
 * value has three decimals so that a fast operation is not rounded away. */
static void measure_one(const char *name, measure run)
{
  u32 n = 8;
  u64 took = run(n), values[BATCHES];
  while (took < BATCH_NS / 4 && n < 1u << 28) {
    n *= 4;
    took = run(n);
  }
  u64 fitting = took ? divide((u64)n * (BATCH_NS / 1000), (u32)divide(took, 1000) + 1) : n;
  n = fitting < 8 ? 8 : fitting > 1u << 28 ? 1u << 28 : (u32)fitting;
  for (int i = 0; i < BATCHES; i++) {
    u64 value = divide(run(n) * 1000, n);
    int k = i;
    for (; k > 0 && values[k - 1] > value; k--)
      values[k] = values[k - 1];
    values[k] = value;
  }
  u64 median = values[BATCHES / 2], whole = divide(median, 1000);
  u32 rest = (u32)(median - whole * 1000);
  char decimals[5] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10), 0};
  text("@ ");
  text(name);
  text(" ");
  number(whole);
  text(decimals);
  text(" ns\n");
}

static u64 time_stamp(void)
{
  u32 low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (u64)high << 32 | low;
}

static void tsc_khz(void)
{
  u64 start_ns = monotonic(), start = time_stamp();
  sleep_until(start_ns + 200000000);
  u64 ns = monotonic() - start_ns, ticks = time_stamp() - start;
  number(divide(ticks * 1000, (u32)divide(ns, 1000)));
  text("\n");
}

static int time_program(const char *name, char **arguments)
{
  u64 start = monotonic();
  int pid = sys(SYS_fork);
  if (pid == 0) {
    sys(SYS_execve, arguments[0], arguments, environment);
    leave(127);
  }
  if (pid < 0)
    die("fork", pid);
  int status = wait_for(pid);
  u64 took = monotonic() - start;
  if (status)
    die(name, -status);
  line(name, took);
  return 0;
}

int main(int argc, char **argv, char **envp)
{
  environment = envp;
  self = argv[0];
  if (argc > 1 && same(argv[1], "--nothing"))
    return 0;
  if (argc > 1 && same(argv[1], "--clock")) {
    text("clock ");
    number(monotonic());
    text("\n");
    return 0;
  }
  if (argc > 1 && same(argv[1], "--tsc-khz"))
    return tsc_khz(), 0;
  if (argc > 3 && same(argv[1], "--run")) {
    for (u32 i = 0; i < COUNT_OF(all); i++)
      if (same(argv[2], all[i].name))
        return all[i].run((u32)parse(argv[3])), 0;
    die("no such measurement", -1);
  }
  if (argc > 3 && same(argv[1], "--time"))
    return time_program(argv[2], argv + 3);
  if (!have_vsyscall())
    text("note no system-call entry in a vDSO: int $0x80 is used\n");
  for (u32 i = 0; i < COUNT_OF(all); i++) {
    int wanted = argc < 2;
    for (int k = 1; k < argc; k++)
      wanted |= same(argv[k], all[i].name);
    if (wanted)
      measure_one(all[i].name, all[i].run);
  }
  return 0;
}
