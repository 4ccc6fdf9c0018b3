/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What system calls the processes may make.  Guest code's attempts trap and
 * become the guest's own exceptions; the nexus's are held to the few it needs,
 * with their arguments checked.  Documentation/userspace-api/seccomp_filter.rst
 */
#include "nexus.h"

#define AUDIT_ARCH_I386 0x40000003
#define AUDIT_ARCH_X86_64 0xc000003e
#define I386_set_thread_area 243

#define RET_KILL_PROCESS 0x80000000
#define RET_TRAP 0x00030000
#define RET_ALLOW 0x7fff0000

/* struct seccomp_data */
#define DATA_NR 0
#define DATA_ARCH 4
#define DATA_IP 8
#define DATA_ARG(n) (16 + 8 * (n))
#define LOW(at) (at)
#define HIGH(at) ((at) + 4)

/* <linux/filter.h> */
#define BPF_LOAD 0x20 /* A = data[k] */
#define BPF_JEQ 0x15
#define BPF_JGT 0x25
#define BPF_JGE 0x35
#define BPF_JGT_X 0x2d
#define BPF_AND 0x54
#define BPF_SUB_X 0x1c
#define BPF_LOAD_IMM 0x00
#define BPF_TAX 0x07
#define BPF_RETURN 0x06

#define SECCOMP_SET_MODE_FILTER 1
#define PR_SET_NO_NEW_PRIVS 38

struct instruction {
  u16 code;
  u8 if_true, if_false;
  u32 k;
};

/* A filter under construction.  Checks that fail jump to the kill or trap that follows them. */
struct filter {
  u32 length;
  struct instruction code[160];
};

static void emit(struct filter *filter, u16 code, u8 if_true, u8 if_false, u32 k)
{
  filter->code[filter->length++] = (struct instruction){code, if_true, if_false, k};
}

static void load(struct filter *filter, u32 at)
{
  emit(filter, BPF_LOAD, 0, 0, at);
}

static void finish(struct filter *filter, u32 verdict)
{
  emit(filter, BPF_RETURN, 0, 0, verdict);
}

/* Ends with the verdict unless data[at] == value. */
static void require_equal(struct filter *filter, u32 at, u32 value, u32 verdict)
{
  load(filter, at);
  emit(filter, BPF_JEQ, 1, 0, value);
  finish(filter, verdict);
}

static void require_at_most(struct filter *filter, u32 at, u32 value, u32 verdict)
{
  load(filter, at);
  emit(filter, BPF_JGT, 0, 1, value);
  finish(filter, verdict);
}

static void require_only_bits(struct filter *filter, u32 at, u32 bits, u32 verdict)
{
  load(filter, at);
  emit(filter, BPF_AND, 0, 0, ~bits);
  emit(filter, BPF_JEQ, 1, 0, 0);
  finish(filter, verdict);
}

/* The instruction pointer is behind a syscall instruction of the nexus. */
static void require_nexus_text(struct filter *filter, u32 verdict)
{
  u64 start = (u64)nexus_text_start, end = (u64)nexus_text_end;
  require_equal(filter, HIGH(DATA_IP), (u32)(start >> 32), verdict);
  require_at_most(filter, LOW(DATA_IP), (u32)end, verdict);
  load(filter, LOW(DATA_IP));
  emit(filter, BPF_JGE, 1, 0, (u32)start);
  finish(filter, verdict);
}

/* Arguments 0 and 1 are a range of guest linear addresses below top. */
static void require_range_below(struct filter *filter, u32 top)
{
  require_equal(filter, HIGH(DATA_ARG(0)), 0, RET_KILL_PROCESS);
  require_equal(filter, HIGH(DATA_ARG(1)), 0, RET_KILL_PROCESS);
  require_at_most(filter, LOW(DATA_ARG(1)), top, RET_KILL_PROCESS);
  load(filter, LOW(DATA_ARG(1)));
  emit(filter, BPF_TAX, 0, 0, 0);
  emit(filter, BPF_LOAD_IMM, 0, 0, top);
  emit(filter, BPF_SUB_X, 0, 0, 0);
  emit(filter, BPF_TAX, 0, 0, 0); /* the last start that fits */
  load(filter, LOW(DATA_ARG(0)));
  emit(filter, BPF_JGT_X, 0, 1, 0);
  finish(filter, RET_KILL_PROCESS);
}

/* Starts the rules for one system call; returns where end_rule() patches the jump over them. */
static u32 start_rule(struct filter *filter, u32 number)
{
  load(filter, DATA_NR);
  emit(filter, BPF_JEQ, 0, 0, number);
  return filter->length - 1;
}

static void end_rule(struct filter *filter, u32 rule)
{
  finish(filter, RET_ALLOW);
  filter->code[rule].if_false = (u8)(filter->length - rule - 1);
}

static void allow(struct filter *filter, u32 number)
{
  end_rule(filter, start_rule(filter, number));
}

static void install(struct filter *filter)
{
  struct {
    u16 length;
    struct instruction *code;
  } program = {(u16)filter->length, filter->code};
  syscall5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  s64 result = syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  if (result < 0)
    end_vm(END_NEXUS, "seccomp: error %lu; the host refuses filters", (u64)-result);
}

static void rule_mmap(struct filter *filter, u32 top)
{
  u32 rule = start_rule(filter, SYS_mmap);
  require_range_below(filter, top);
  require_equal(filter, HIGH(DATA_ARG(3)), 0, RET_KILL_PROCESS);
  require_only_bits(filter, LOW(DATA_ARG(3)), MAP_SHARED | MAP_FIXED | MAP_POPULATE, RET_KILL_PROCESS);
  load(filter, LOW(DATA_ARG(3)));
  emit(filter, BPF_AND, 0, 0, MAP_SHARED | MAP_FIXED);
  emit(filter, BPF_JEQ, 1, 0, MAP_SHARED | MAP_FIXED);
  finish(filter, RET_KILL_PROCESS);
  load(filter, LOW(DATA_ARG(4)));
  emit(filter, BPF_JEQ, 0, 1, FD_RAM);
  finish(filter, RET_ALLOW);
  /* else device registers and what stands for no memory, to read */
  require_equal(filter, LOW(DATA_ARG(4)), FD_CONTROL, RET_KILL_PROCESS);
  require_equal(filter, LOW(DATA_ARG(2)), PROT_READ, RET_KILL_PROCESS);
  require_equal(filter, LOW(DATA_ARG(1)), PAGE_SIZE, RET_KILL_PROCESS);
  require_at_most(filter, LOW(DATA_ARG(5)), CONTROL_VOID, RET_KILL_PROCESS);
  load(filter, LOW(DATA_ARG(5)));
  emit(filter, BPF_JGE, 1, 0, CONTROL_DEVICES);
  finish(filter, RET_KILL_PROCESS);
  end_rule(filter, rule);
}

static void rule_munmap(struct filter *filter, u32 top)
{
  u32 rule = start_rule(filter, SYS_munmap);
  require_range_below(filter, top);
  end_rule(filter, rule);
}

static void rule_futex(struct filter *filter, u32 last_operation)
{
  u32 rule = start_rule(filter, SYS_futex);
  require_at_most(filter, LOW(DATA_ARG(1)), last_operation, RET_KILL_PROCESS);
  end_rule(filter, rule);
}

void seccomp_confine_space(void)
{
  struct filter filter = {.length = 0};
  load(&filter, DATA_ARCH);
  emit(&filter, BPF_JEQ, 0, 0, AUDIT_ARCH_I386);
  u32 not_i386 = filter.length - 1;
  require_nexus_text(&filter, RET_TRAP);
  require_equal(&filter, DATA_NR, I386_set_thread_area, RET_KILL_PROCESS);
  require_equal(&filter, LOW(DATA_ARG(0)), PLEX86_DATA + 0x200, RET_KILL_PROCESS);
  end_rule(&filter, not_i386);

  require_equal(&filter, DATA_ARCH, AUDIT_ARCH_X86_64, RET_TRAP);
  require_nexus_text(&filter, RET_TRAP);
  allow(&filter, SYS_rt_sigreturn);
  allow(&filter, SYS_restart_syscall); /* the kernel's own, for a wait that SIGSTOP has cut short */
  rule_futex(&filter, covers & COVERS_USER ? FUTEX_WAKE : FUTEX_REQUEUE);
  rule_mmap(&filter, GUEST_TOP);
  rule_munmap(&filter, GUEST_TOP);
  allow(&filter, SYS_timer_settime);
  if (!(covers & COVERS_USER))
    allow(&filter, SYS_sched_yield);
  allow(&filter, SYS_exit_group);
  finish(&filter, RET_KILL_PROCESS);
  install(&filter);
}

/* ---- the threads of a user process: what user code cannot use, it can jump to all the same ---- */

static void require_address(struct filter *filter, u32 argument, const volatile void *address, u32 verdict)
{
  require_equal(filter, HIGH(DATA_ARG(argument)), (u32)((u64)address >> 32), verdict);
  require_equal(filter, LOW(DATA_ARG(argument)), (u32)(u64)address, verdict);
}

/* futex on one word; a wait must be without timeout (users.c says why). */
static void rule_futex_word(struct filter *filter, u32 operation, const volatile void *word)
{
  u32 rule = start_rule(filter, SYS_futex);
  load(filter, LOW(DATA_ARG(0)));
  emit(filter, BPF_JEQ, 0, 0, (u32)(u64)word);
  u32 other_word = filter->length - 1;
  require_address(filter, 0, word, RET_TRAP);
  require_equal(filter, LOW(DATA_ARG(1)), operation, RET_TRAP);
  if (operation == FUTEX_WAIT)
    require_address(filter, 3, NULL, RET_TRAP);
  end_rule(filter, rule);
  filter->code[other_word].if_false = (u8)(filter->length - other_word - 1);
}

/* set_thread_area with a descriptor of the order, which user code cannot write. */
static void rule_thread_area(struct filter *filter)
{
  const volatile struct order *order = (const volatile struct order *)ORDER_HERE;
  require_equal(filter, DATA_NR, I386_set_thread_area, RET_TRAP);
  load(filter, LOW(DATA_ARG(0)));
  for (u32 i = 0; i < TLS_ENTRIES; i++) {
    emit(filter, BPF_JEQ, 0, 1, (u32)(u64)&order->desc[i]);
    finish(filter, RET_ALLOW);
  }
  finish(filter, RET_TRAP);
}

/* Whatever it does else becomes an exception of the guest. */
void seccomp_confine_user(u32 slot)
{
  struct filter filter = {.length = 0};
  load(&filter, DATA_ARCH);
  emit(&filter, BPF_JEQ, 0, 0, AUDIT_ARCH_I386);
  u32 not_i386 = filter.length - 1;
  require_nexus_text(&filter, RET_TRAP);
  rule_thread_area(&filter);
  filter.code[not_i386].if_false = (u8)(filter.length - not_i386 - 1);

  require_equal(&filter, DATA_ARCH, AUDIT_ARCH_X86_64, RET_TRAP);
  require_nexus_text(&filter, RET_TRAP);
  rule_futex_word(&filter, FUTEX_WAIT, &TURN(slot)->turn);
  rule_futex_word(&filter, FUTEX_WAIT, DONE(slot));
  rule_futex_word(&filter, FUTEX_WAKE, &TURN(slot)->work);
  rule_futex_word(&filter, FUTEX_WAKE, &((volatile struct report *)NEXUS_VM)->bell);
  finish(&filter, RET_TRAP);
  install(&filter);
}

void seccomp_confine_relay(void)
{
  struct filter filter = {.length = 0};
  require_equal(&filter, DATA_ARCH, AUDIT_ARCH_X86_64, RET_KILL_PROCESS);
  rule_futex(&filter, FUTEX_WAKE);
  allow(&filter, SYS_exit_group);
  finish(&filter, RET_KILL_PROCESS);
  install(&filter);
}

void seccomp_confine_mapper(u32 slot, s64 pid)
{
  struct filter filter = {.length = 0};
  require_equal(&filter, DATA_ARCH, AUDIT_ARCH_X86_64, RET_KILL_PROCESS);
  require_nexus_text(&filter, RET_KILL_PROCESS);
  rule_futex(&filter, FUTEX_WAKE);
  rule_mmap(&filter, GUEST_KERNEL);
  rule_munmap(&filter, GUEST_KERNEL);
  u32 rule = start_rule(&filter, SYS_pwrite64);
  require_equal(&filter, LOW(DATA_ARG(0)), FD_HANDOFF, RET_KILL_PROCESS);
  require_equal(&filter, LOW(DATA_ARG(2)), sizeof(u32), RET_KILL_PROCESS);
  require_equal(&filter, LOW(DATA_ARG(3)), HANDOFF_DONE + slot * 64, RET_KILL_PROCESS);
  end_rule(&filter, rule);
  rule = start_rule(&filter, SYS_tgkill);
  require_equal(&filter, LOW(DATA_ARG(0)), (u32)pid, RET_KILL_PROCESS);
  require_equal(&filter, LOW(DATA_ARG(1)), (u32)pid, RET_KILL_PROCESS);
  require_equal(&filter, LOW(DATA_ARG(2)), SIGUSR1, RET_KILL_PROCESS);
  end_rule(&filter, rule);
  allow(&filter, SYS_exit_group);
  finish(&filter, RET_KILL_PROCESS);
  install(&filter);
}

static void allow_all(struct filter *filter, const u16 *calls, u32 count)
{
  for (u32 i = 0; i < count; i++)
    allow(filter, calls[i]);
}

void seccomp_confine_supervisor(void)
{
  static const u16 calls[] = {SYS_read, SYS_write, SYS_poll, SYS_wait4, SYS_kill, SYS_exit_group, SYS_restart_syscall};
  struct filter filter = {.length = 0};
  require_equal(&filter, DATA_ARCH, AUDIT_ARCH_X86_64, RET_KILL_PROCESS);
  allow_all(&filter, calls, sizeof calls / sizeof calls[0]);
  finish(&filter, RET_KILL_PROCESS);
  install(&filter);
}

/*
 * The supervisor of a strict machine makes user processes for as long as it lives.  They inherit
 * this filter, and of several the strictest verdict counts (seccomp(2)): what theirs allow or trap
 * must not be killed here.  So whatever is not allowed traps, which ends the supervisor as well.
 */
void seccomp_confine_strict_supervisor(void)
{
  static const u16 own[] = {
    SYS_read, SYS_write, SYS_poll, SYS_wait4, SYS_kill, SYS_exit_group, SYS_restart_syscall, SYS_fork, SYS_futex};
  static const u16 of_users[] = {SYS_setpgid, SYS_getppid, SYS_prctl, SYS_close, SYS_close_range, SYS_mmap, SYS_munmap,
    SYS_mprotect, SYS_getpid, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_sigaltstack, SYS_clone, SYS_seccomp,
    SYS_pwrite64, SYS_tgkill};
  struct filter filter = {.length = 0};
  load(&filter, DATA_ARCH);
  emit(&filter, BPF_JEQ, 0, 0, AUDIT_ARCH_I386);
  require_equal(&filter, DATA_NR, I386_set_thread_area, RET_TRAP);
  finish(&filter, RET_ALLOW);
  filter.code[1].if_false = (u8)(filter.length - 2);
  require_equal(&filter, DATA_ARCH, AUDIT_ARCH_X86_64, RET_TRAP);
  allow_all(&filter, own, sizeof own / sizeof own[0]);
  allow_all(&filter, of_users, sizeof of_users / sizeof of_users[0]);
  finish(&filter, RET_TRAP);
  install(&filter);
}
