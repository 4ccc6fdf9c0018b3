/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guest user code may try against the host, the nexus and other guest
 * processes, in the strict process model: by 64-bit code, which it gets at by
 * a far call.  Whatever it does is to end in a signal of its own process, and
 * the guest is to go on.
 *
 * What of the nexus is where: org.plex86.monitor/src/main/native, map.h and handoff_map.h.
 */
#include "attacks.h"
#include "handoff_map.h"

#define SLOTS 64
#define NEXUS_SIZE 0x400000ull /* more than text and data of the nexus have */
#define MARK 0x5ca1ab1edeadbea7ull

enum { NEEDED = NEEDS_ISOLATION | NEEDS_GUEST };

struct deed {
  void (*function)(void);
  struct wide wide;
};

/*
 * A page fault of 64-bit code is not served, it is SIGILL as all its exceptions are.  So what it uses
 * is touched before: code, which may go on in the next page, the deed and the stack below, which may, too.
 */
static void touch(struct deed *deed)
{
  u32 code = (u32)deed->function;
  __asm__("" : "+r"(code)); /* not a function for the compiler, which has ends */
  (void)*(volatile u8 *)(code - 128);
  (void)*(volatile u8 *)(code + 128);
  volatile struct wide *wide = &deed->wide;
  wide->result = 0;
  wide->stack = wide->stack;
  __asm__ volatile("movb $0, -512(%%esp)" : : : "memory");
}

static void commit(void *deed)
{
  struct deed *d = deed;
  touch(d);
  call_wide(d->function, &d->wide);
}

static struct deed at(void (*function)(void), u64 address, u64 value)
{
  struct deed deed;
  memset(&deed, 0, sizeof deed);
  deed.function = function;
  deed.wide.argument[0] = address;
  deed.wide.value = value;
  return deed;
}

/* Whether the deed was done; else it was a signal.  SIGILL is that of all exceptions of 64-bit code, and what an interrupt
 * of the guest makes of it as well: so it is tried again. */
static int can(struct deed *deed)
{
  for (u32 trial = 0; trial < 10; trial++) {
    struct fault fault = fault_of(commit, deed);
    if (fault.signal != SIGILL)
      return fault.count == 0;
  }
  return 0;
}

static void must_do(struct deed *deed)
{
  require("the deed is done", can(deed));
}

static int can_read(u64 address, u64 *value)
{
  struct deed deed = at(wide_read, address, 0);
  if (!can(&deed))
    return 0;
  *value = deed.wide.result;
  return 1;
}

static int is_readable(u64 address)
{
  u64 value;
  return can_read(address, &value);
}

static int is_writable(u64 address)
{
  struct deed deed = at(wide_write_back, address, 0);
  return can(&deed);
}

/* Else each deed would be a signal, whether it is held off or not. */
static void prepare(void)
{
  catch_faults();
  require("64-bit code runs", is_readable(NEXUS_TEXT));
}

/* ---- system calls of the host ---- */

/* The host's kernel lets this one past all filters; it is for probes of its own (uprobe(2), -ENXIO else). */
static int is_unfiltered(const struct deed *deed)
{
  enum { UPROBE = 336, ENXIO = 6 };
  return deed->wide.number == UPROBE && deed->wide.result == -(u64)ENXIO;
}

static void expect_signal_for(const char *what, struct deed *deed, u32 number, u32 signal)
{
  deed->wide.number = number;
  struct fault fault;
  u32 trials = 0;
  do {
    sys(__NR_getppid); /* the signal comes with the registers that the nexus knows of */
    fault = fault_of(commit, deed);
  } while (deed->wide.result == 0 && ++trials < 10); /* a signal before the call was made */
  expect("the call was made", deed->wide.result != 0, 1);
  if (fault.count == 1 && (fault.signal == signal || !signal))
    return;
  if (fault.count == 0 && is_unfiltered(deed))
    return;
  expect("the number of a system call that did not trap", number, ~0u);
  expect(what, fault.signal, signal);
  done();
}

static void all_numbers(void (*function)(void), u32 numbers)
{
  prepare();
  struct deed deed = at(function, 0, 0);
  for (u32 number = 0; number < numbers; number++)
    expect_signal_for("signal", &deed, number, SIGILL);
}

static void syscall_of_64_bits(void)
{
  all_numbers(wide_syscall, 480);
  struct deed deed = at(wide_syscall, 0, 0);
  for (u32 number = 0; number < 4; number++)
    expect_signal_for("signal of an x32 call", &deed, 0x40000000 + number * 200, SIGILL);
}

static void int80_of_64_bits(void)
{
  all_numbers(wide_int80, 470);
}

static void sysenter_here(void *unused)
{
  (void)unused;
  __asm__ volatile("push %%ebp\n mov %%esp, %%ebp\n sysenter\n pop %%ebp" : : "a"(20) : "ecx", "edx", "memory");
}

static void syscall_here(void *unused)
{
  (void)unused;
  __asm__ volatile("push %%ebp\n mov %%ecx, %%ebp\n .byte 0x0f, 0x05\n pop %%ebp" : : "a"(20) : "ecx", "edx", "memory");
}

static void other_instructions(void)
{
  prepare();
  expect("signals of sysenter", fault_of(sysenter_here, NULL).count, 1);
  expect("signals of syscall", fault_of(syscall_here, NULL).count, 1);
}

static u8 *text_of_nexus(u32 *size)
{
  enum { MOST = 256 << 10 };
  u8 *copy = map(0, MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  u64 value;
  for (*size = 0; *size < MOST && can_read(NEXUS_TEXT + *size, &value); *size += 8)
    memcpy(copy + *size, &value, 8);
  return copy;
}

/* The nexus's own instructions, with any registers. */
static void syscall_in_nexus(void)
{
  /* read, write, open, mmap, mprotect, munmap, sigaction, sigprocmask, sigreturn, ioctl, pause, nanosleep, getpid,
   * socket, clone, fork, execve, exit, kill, prctl, arch_prctl, futex of no word of its own, exit_group, tgkill,
   * process_vm_writev, seccomp, memfd_create, bpf, io_uring_setup, pidfd_open, close_range */
  static const u16 numbers[] = {0, 1, 2, 9, 10, 11, 13, 14, 15, 16, 34, 35, 39, 41, 56, 57, 59, 60, 62, 101, 157, 158,
    202, 231, 234, 311, 317, 319, 321, 425, 434, 436};
  prepare();
  u32 size, found = 0;
  u8 *code = text_of_nexus(&size);
  for (u32 i = 0; i + 1 < size; i++) {
    if (code[i] != 0x0f || code[i + 1] != 0x05)
      continue;
    found++;
    struct deed deed = at(wide_jump_to_syscall, NEXUS_RAM, NEXUS_TEXT + i);
    for (u32 k = 0; k < COUNT_OF(numbers); k++)
      expect_signal_for("signal", &deed, numbers[k], 0);
  }
  expect_range("system-call instructions in the nexus", found, 5, 1000);
}

static void vsyscall_page(void)
{
  static char room[256] __attribute__((aligned(16)));
  prepare();
  for (u32 i = 0; i < 3; i++) {
    struct deed deed = at(wide_jump_to_syscall, (u32)room, 0xffffffffff600000ull + i * 1024);
    expect("signals of a jump into the vsyscall page", fault_of(commit, &deed).count, 1);
  }
}

/* ---- memory above the guest's ---- */

static void reads_above(void)
{
  static const u64 secrets[] = {NEXUS_CONTROL + PAGE_SIZE, NEXUS_CONTROL + 0x4000, NEXUS_CONTROL + 0x14000,
    NEXUS_VM + HANDOFF_REPORT_SIZE, NEXUS_TLBS, NEXUS_TLBS + 0x400000, NEXUS_RAM, NEXUS_RAM + 0x100000,
    NEXUS_RAM + 0x1000000, 0x555555554000, 0x7ffff7fc0000, 0x7fffffffe000, 0x7ffffffff000, 0x800000000000,
    0xffff800000000000, 0xffff888000000000, 0xffffffff81000000, 0xffffffffff600000, 0xfffffffffffffff8};
  prepare();
  for (u32 i = 0; i < COUNT_OF(secrets); i++)
    if (is_readable(secrets[i]))
      expect("the upper half of an address that can be read", (u32)(secrets[i] >> 32), 0);
  u32 random = 1;
  for (u32 bit = 32; bit < 47; bit++)
    for (u32 i = 0; i < 20; i++) {
      u64 address = 1ull << bit | ((u64)next_random(&random) << 12 & ((1ull << bit) - 1));
      if (is_readable(address) && address >> 24 != NEXUS_TEXT >> 24)
        expect("the upper half of an address that can be read", (u32)(address >> 32), 0);
    }
}

static u32 own_slot(void)
{
  u32 slot = 0, orders = 0;
  for (u32 i = 1; i < SLOTS; i++)
    if (is_readable(NEXUS_HANDOFF + HANDOFF_SLOT(i))) {
      slot = i;
      orders++;
    }
  expect("orders that can be read", orders, 1);
  return slot;
}

static u64 turn_of(u32 slot)
{
  return NEXUS_HANDOFF + slot * 64;
}

static void others_hand_off(void)
{
  prepare();
  u32 slot = own_slot();
  u64 order = NEXUS_HANDOFF + HANDOFF_SLOT(slot);
  expect("orders can be written", is_writable(order), 0);
  expect("turns can be written", is_writable(turn_of(slot)), 0);
  expect("what mappers have done can be written", is_writable(NEXUS_HANDOFF + HANDOFF_DONE), 0);
  expect("the report by its place in the hand-off memory", is_readable(order + 0x3000), 0);
}

/* The writable pages of the nexus, which are its stacks, and how many there are. */
static u64 writable_of_nexus(u32 *pages)
{
  u64 first = 0;
  *pages = 0;
  for (u64 address = NEXUS_TEXT; address < NEXUS_TEXT + NEXUS_SIZE; address += PAGE_SIZE)
    if (is_writable(address)) {
      first = first ? first : address;
      ++*pages;
    }
  require("there are writable pages", first != 0);
  return first;
}

static void writes_of_nexus(void)
{
  prepare();
  u32 pages;
  u64 first = writable_of_nexus(&pages);
  expect_range("writable pages of the nexus", pages, 1, 20);
  expect("they are all together", is_writable(first + (pages - 1) * PAGE_SIZE), 1);
  expect("the text can be written", is_writable(NEXUS_TEXT), 0);
  expect("the gates can be written", is_writable(PLEX86_GATES), 0);
  expect("the order can be written where 32-bit code sees it", is_writable(PLEX86_DATA), 0);
}

/* ---- processes that do not do what they should ---- */

/* The end of a child that does it, as wait4 tells; a child that is at it for ever is killed: 0. */
static int end_of(void (*act)(void *), void *argument)
{
  int pid = fork_process(), status = 0;
  if (pid == 0) {
    for (u32 signal = 1; signal < 32; signal++)
      if (signal != SIGKILL && signal != SIGSTOP)
        set_default((int)signal);
    act(argument);
    leave(0);
  }
  u64 since = monotonic();
  while (sys(__NR_wait4, pid, &status, 1, 0) == 0) {
    if (elapsed_us(since) > 15000000) {
      sys(__NR_kill, pid, SIGKILL);
      wait_for(pid);
      expect("seconds that a child took", 15, 0);
      return 0;
    }
    sleep_ms(1);
  }
  return status;
}

/*
 * With its notes overwritten the thread takes each kick for its turn, and goes on with the registers
 * that it was given last.  Those are of the system call here, so it overwrites them again.
 */
static void fill_all(void *deed)
{
  struct deed *d = deed;
  int number = __NR_getpid;
  touch(d);
  __asm__ volatile("int $0x80" : "+a"(number) : : "memory");
  call_wide(wide_fill_and_spin, &d->wide);
}

/* The kernel's frames have no place for its registers. */
static void interrupted(void)
{
  catch_faults();
  for (u32 n = 0; n < 20; n++) {
    struct deed deed = at(wide_spin, 0, 0);
    struct fault fault = fault_of(commit, &deed);
    expect("signal", fault.signal, SIGILL);
  }
}

/* A page that is not there, and an undefined instruction. */
static void exceptions(void)
{
  catch_faults();
  struct deed deeds[] = {at(wide_read, 0x1000, 0), at(wide_undefined, 0, 0)};
  for (u32 i = 0; i < COUNT_OF(deeds); i++) {
    if (deeds[i].function == wide_undefined)
      deeds[i].wide.stack = (u32)&deeds;
    expect("signal", fault_of(commit, &deeds[i]).signal, SIGILL);
  }
}

/* Its notes of what it has been told, overwritten over and over: what it reports is never right. */
static void deaf(void)
{
  prepare();
  u32 pages;
  struct deed deed = at(wide_fill_and_spin, writable_of_nexus(&pages), MARK);
  deed.wide.argument[1] = pages * PAGE_SIZE;
  u32 signal = SIGILL;
  for (u32 trial = 0; trial < 10 && signal == SIGILL; trial++) /* an interrupt before it is deaf */
    signal = (u32)end_of(fill_all, &deed) & 0x7f;
  expect("the child's end", signal, SIGSEGV);
}

/* On each page that can be a stack of signals: on one of them no signal fits any more. */
static void no_stack(void)
{
  prepare();
  u32 pages;
  u64 first = writable_of_nexus(&pages);
  u32 ended = 0;
  for (u32 i = 0; i < pages; i++) {
    struct deed deed = at(wide_undefined, 0, 0);
    deed.wide.stack = first + i * PAGE_SIZE + 256;
    u32 signal = (u32)end_of(commit, &deed) & 0x7f;
    if (signal == SIGSEGV)
      ended++;
    else
      expect("the child's end", signal, SIGILL);
  }
  expect_range("processes of the host that ended", ended, 1, pages);
}

static void no_stack_at_all(void)
{
  static const u64 stacks[] = {0, 8, 0x7fffffffffff, 0x800000000000, ~0ull - 7, NEXUS_TEXT + 64, PLEX86_GATES + 64};
  prepare();
  for (u32 i = 0; i < COUNT_OF(stacks); i++) {
    struct deed deed = at(wide_undefined, 0, 0);
    deed.wide.stack = stacks[i];
    u32 signal = (u32)end_of(commit, &deed) & 0x7f;
    if (signal != SIGSEGV)
      expect("the child's end", signal, SIGILL);
  }
}

static void protection_keys(void)
{
  prepare();
  struct deed deed = at(wide_pkru, 0, 0xffffffff);
  u32 status = (u32)end_of(commit, &deed), signal = status & 0x7f;
  if (status && signal != SIGILL)
    expect("the child's end", signal, SIGSEGV);
}

/* ---- forged reports ---- */

struct forgery {
  u32 seed, slot;
};

/* A report of anything, as if it were one. */
static void forge(void *argument)
{
  const struct forgery *forgery = argument;
  u32 random = forgery->seed * 2654435761u | 1;
  u64 turn;
  prepare();
  for (u32 offset = 0; offset < HANDOFF_REPORT_SIZE; offset += 8) {
    u64 value = (u64)next_random(&random) << 32 | next_random(&random);
    struct deed deed = at(wide_write, NEXUS_VM + offset, value);
    if (offset / 8 != REPORT_REQUEST / 8 && (forgery->seed % 3 == 0 || offset < PAGE_SIZE))
      can(&deed);
  }
  struct deed kind = at(wide_write, NEXUS_VM + REPORT_KIND, forgery->seed % 6 | (u64)next_random(&random) << 32);
  can(&kind);
  can_read(turn_of(forgery->slot), &turn);
  struct deed request = at(wide_write, NEXUS_VM + REPORT_REQUEST, turn & 0xffffffff);
  can(&request);
  for (u64 since = monotonic(); elapsed_us(since) < 20000;) {
  }
}

/* What a report asks for may be a call that sleeps, or user code that goes on for ever: it has some time, and is killed. */
static void forged_reports(void)
{
  prepare();
  for (u32 seed = 0; seed < 36; seed++) {
    struct forgery forgery = {seed, 0};
    int pid = fork_process(), status;
    if (pid == 0) {
      forgery.slot = own_slot();
      forge(&forgery);
      leave(0);
    }
    u64 since = monotonic();
    while (sys(__NR_wait4, pid, &status, 1, 0) == 0) {
      sleep_ms(1);
      if (elapsed_us(since) > 200000)
        sys(__NR_kill, pid, SIGKILL);
    }
    expect_range("us until the child has ended", elapsed_us(since), 0, 10000000);
  }
}

/* ---- what the next address space finds ---- */

static u64 first_mark(u64 from, u64 to)
{
  struct deed deed = at(wide_scan, from, MARK);
  deed.wide.argument[1] = to;
  return can(&deed) ? deed.wide.result : 0;
}

static u32 marks(u64 writable, u32 pages)
{
  struct deed registers = at(wide_get_registers, 0, MARK);
  must_do(&registers);
  return (first_mark(writable, writable + pages * PAGE_SIZE) != 0) |
         (first_mark(NEXUS_CONTROL, NEXUS_CONTROL + PAGE_SIZE) != 0) << 1 |
         (first_mark(NEXUS_VM, NEXUS_VM + HANDOFF_REPORT_SIZE) != 0) << 2 | (registers.wide.result != 0) << 3;
}

static void leave_marks(u64 writable)
{
  struct deed stack = at(wide_fill, writable, MARK), control = at(wide_fill, NEXUS_CONTROL + 0x800, MARK),
              report = at(wide_fill, NEXUS_VM + 0x800, MARK), registers = at(wide_set_registers, 0, MARK);
  stack.wide.argument[1] = control.wide.argument[1] = report.wide.argument[1] = 0x400;
  must_do(&stack);
  must_do(&control);
  must_do(&report);
  must_do(&registers);
}

static void leftovers(void)
{
  prepare();
  u32 pages;
  u64 writable = writable_of_nexus(&pages);
  for (u32 i = 0; i < 6; i++) {
    int pid = fork_process();
    if (pid == 0) {
      expect("marks of processes before: stack, control page, report, registers", marks(writable, pages), 0);
      leave_marks(writable);
      expect("marks of its own", marks(writable, pages) & 7, 7);
      done();
    }
    expect("the child's status", (u32)wait_for(pid), 0);
  }
}

const struct check attack_checks[] = {
  {"64-bit code that a tick interrupts: SIGILL", interrupted, NEEDS_GUEST},
  {"exceptions of 64-bit code: SIGILL", exceptions, NEEDS_GUEST},
  {"480 system calls of the host by syscall of 64-bit code: SIGILL each", syscall_of_64_bits, NEEDED},
  {"470 system calls by int 0x80 of 64-bit code: SIGILL each", int80_of_64_bits, NEEDED},
  {"sysenter and syscall of 32-bit code: a signal", other_instructions, NEEDED},
  {"jumps to the system-call instructions of the nexus, 32 calls each: a signal", syscall_in_nexus, NEEDED},
  {"jumps into the vsyscall page: a signal", vsyscall_page, NEEDED},
  {"memory above 4 GiB: what is not the process's own cannot be read", reads_above, NEEDED},
  {"the hand-off memory: one's own order can be read, and nothing written", others_hand_off, NEEDED},
  {"the nexus's memory: its stacks can be written, and nothing else", writes_of_nexus, NEEDED},
  {"a thread that overwrites the nexus's notes and never reports: SIGSEGV", deaf, NEEDED},
  {"a signal where the signal stack ends: SIGSEGV or SIGILL", no_stack, NEEDED},
  {"a signal without any stack: SIGSEGV or SIGILL", no_stack_at_all, NEEDED},
  {"protection keys that allow nothing: goes on, or SIGSEGV", protection_keys, NEEDED},
  {"forged reports: the guest goes on", forged_reports, NEEDED},
  {"what a process leaves in the nexus's memory and registers: the next one does not find it", leftovers, NEEDED},
  {NULL, NULL, 0},
};
