/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x87, SSE, AVX and AVX-512 state over everything that may change it. State is
 * loaded and stored as a whole, by xrstor and xsave with the components that
 * XCR0 has on (Intel SDM vol. 1, chapter 13); without XSAVE by fxrstor and fxsave.
 */
#include "check.h"
#include <linux/mman.h>
#include <linux/time.h>

enum { AREA = 4096, HEADER = 512, RW = PROT_READ | PROT_WRITE };
enum { X87 = 1, SSE = 2, AVX = 4, OPMASK = 0x20, ZMM_HIGH = 0x40 };

struct area {
  u8 bytes[AREA];
} __attribute__((aligned(64)));

static const struct {
  u32 bit, index;
  const char *name;
} components[] = {
  {AVX, 2, "upper halves of ymm0 to 7"}, {OPMASK, 5, "k0 to k7"}, {ZMM_HIGH, 6, "upper halves of zmm0 to 7"}};

static u32 mask; /* the components that are checked; 0: no XSAVE */

static void cpuid(u32 leaf, u32 subleaf, u32 *a, u32 *b, u32 *c)
{
  u32 d;
  *a = leaf, *c = subleaf;
  __asm__ volatile("cpuid" : "+a"(*a), "=b"(*b), "+c"(*c), "=d"(d));
}

static void detect(void)
{
  u32 a, b, c, d;
  cpuid(1, 0, &a, &b, &c);
  if (!(c & 1u << 27))
    return;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  mask = a & (X87 | SSE | AVX | OPMASK | ZMM_HIGH);
}

static u32 has(u32 bit)
{
  return !mask ? bit & (X87 | SSE) : mask & bit;
}

/* Where a component is in the area, and what of it 32-bit code can reach. */
static u8 *component(struct area *area, u32 index, u32 *bytes)
{
  u32 a, b, c;
  cpuid(0xd, index, &a, &b, &c);
  *bytes = index == 2 ? 8 * 16 : index == 5 ? 64 : 8 * 32;
  return area->bytes + b;
}

/* Legal values that a seed gives: x87 registers are numbers, control words have no exception unmasked. */
static void make(struct area *area, u32 seed)
{
  u32 bytes;
  memset(area, 0, sizeof *area);
  *(u16 *)area->bytes = (u16)(0x037f | (seed & 3) << 10); /* rounding */
  area->bytes[4] = 0xff; /* all x87 registers hold something */
  *(u32 *)(area->bytes + 24) = 0x1f80 | (seed & 3) << 13;
  *(u32 *)(area->bytes + 28) = 0xffff;
  for (u32 i = 0; i < 8; i++) {
    fill(area->bytes + 32 + i * 16, 8, seed * 16 + i);
    area->bytes[32 + i * 16 + 7] |= 0x80; /* normal: the integer bit is set */
    *(u16 *)(area->bytes + 32 + i * 16 + 8) = (u16)(0x3fff + i);
    fill(area->bytes + 160 + i * 16, 16, seed * 16 + 8 + i);
  }
  if (!mask)
    return;
  *(u32 *)(area->bytes + HEADER) = mask;
  for (u32 i = 0; i < COUNT_OF(components); i++)
    if (mask & components[i].bit)
      fill(component(area, components[i].index, &bytes),
        64 * (components[i].bit == OPMASK ? 1
               : components[i].bit == AVX ? 2
                                          : 4),
        seed + 1000 * i);
}

static void expect_bytes(const char *what, const u8 *actual, const u8 *expected, u32 n)
{
  for (u32 i = 0; i < n; i += 4)
    if (*(u32 *)(actual + i) != *(u32 *)(expected + i)) {
      expect("offset of the first difference", i, ~0u);
      expect(what, *(u32 *)(actual + i), *(u32 *)(expected + i));
      return;
    }
}

static void compare(struct area *actual, struct area *expected)
{
  u32 bytes, from = 1;
  expect("x87 control word", *(u16 *)actual->bytes, *(u16 *)expected->bytes);
  expect("x87 tags", actual->bytes[4], expected->bytes[4]);
  expect("mxcsr", *(u32 *)(actual->bytes + 24), *(u32 *)(expected->bytes + 24));
  for (u32 i = 0; i < 8; i++) {
    expect_bytes("x87 register", actual->bytes + 32 + i * 16, expected->bytes + 32 + i * 16, 8);
    expect("x87 exponent", *(u16 *)(actual->bytes + 40 + i * 16), *(u16 *)(expected->bytes + 40 + i * 16));
  }
  expect_bytes("xmm0 to 7", actual->bytes + 160, expected->bytes + 160, 128);
  if (mask)
    from = *(u32 *)(actual->bytes + HEADER);
  for (u32 i = 0; mask && i < COUNT_OF(components); i++) {
    if (!(mask & components[i].bit))
      continue;
    if (!(from & components[i].bit)) {
      expect("component that is in its initial state", components[i].bit, 0);
      continue;
    }
    u8 *here = component(actual, components[i].index, &bytes);
    expect_bytes(components[i].name, here, component(expected, components[i].index, &bytes), bytes);
  }
}

/* Loads `before`, runs the action, which touches no such register, and stores in `after`. */
typedef void (*action_type)(u32 argument);

__attribute__((noinline)) static void hold(struct area *before, struct area *after, action_type action, u32 argument)
{
  memset(after, 0, sizeof *after);
  if (mask)
    __asm__ volatile("movl %0, %%eax\n xorl %%edx, %%edx\n xrstor (%1)\n"
                     "pushl %3\n call *%4\n addl $4, %%esp\n"
                     "movl %0, %%eax\n xorl %%edx, %%edx\n xsave (%2)\n"
                     "fninit\n cld"
                     :
                     : "m"(mask), "b"(before), "D"(after), "r"(argument), "S"(action)
                     : "eax", "ecx", "edx", "memory", "cc");
  else
    __asm__ volatile("fxrstor (%0)\n"
                     "pushl %2\n call *%3\n addl $4, %%esp\n"
                     "fxsave (%1)\n"
                     "fninit\n cld"
                     :
                     : "b"(before), "D"(after), "r"(argument), "S"(action)
                     : "eax", "ecx", "edx", "memory", "cc");
  u32 usual = 0x1f80;
  __asm__ volatile("ldmxcsr %0" : : "m"(usual));
}

static struct area before, after;

static void hold_over(action_type action, u32 argument, u32 rounds, u32 seed)
{
  for (u32 i = 0; i < rounds && !differences(); i++) {
    make(&before, seed + i);
    hold(&before, &after, action, argument);
    compare(&after, &before);
  }
}

#define NO_FPU __attribute__((target("general-regs-only"), noinline))

NO_FPU static void yield(u32 times)
{
  while (times--)
    sys(__NR_sched_yield);
}

static void spin(u32 turns)
{
  __asm__ volatile("1: pause\n decl %0\n jnz 1b" : "+r"(turns) : : "cc");
}

static void over_switches(void)
{
  int pid[4];
  detect();
  for (u32 i = 0; i < 4; i++)
    if ((pid[i] = fork_process()) == 0) {
      hold_over(yield, 5, 200, i * 1000 + 1);
      done();
    }
  for (u32 i = 0; i < 4; i++)
    expect("status", (u32)wait_for(pid[i]), 0);
}

static void over_ticks(void)
{
  int pid[3];
  detect();
  for (u32 i = 0; i < 3; i++)
    if ((pid[i] = fork_process()) == 0) {
      hold_over(spin, 300000, 30, i * 1000 + 7);
      done();
    }
  for (u32 i = 0; i < 3; i++)
    expect("status", (u32)wait_for(pid[i]), 0);
}

static volatile u32 signals;
static struct area other, in_handler;

/* Other values into every register. */
static void clobber(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  (void)context;
  signals++;
  make(&other, 9999);
  if (mask)
    __asm__ volatile("xrstor (%0)" : : "r"(&other), "a"(mask), "d"(0) : "memory");
  else
    __asm__ volatile("fxrstor (%0)" : : "r"(&other) : "memory");
}

NO_FPU static void send(u32 times)
{
  while (times--)
    sys(__NR_kill, sys(__NR_getpid), SIGUSR1);
}

static void over_signals(void)
{
  detect();
  handle(SIGUSR1, clobber, 0, 0);
  hold_over(send, 3, 100, 20);
  expect("signals", signals, 300);
}

static void over_timer_signals(void)
{
  u32 timer[4] = {0, 1000, 0, 1000};
  detect();
  handle(SIGALRM, clobber, SA_RESTART, 0);
  must("setitimer", sys(__NR_setitimer, ITIMER_REAL, timer, 0));
  hold_over(spin, 300000, 60, 30);
  expect_range("signals", signals, 10, 100000);
}

static u8 *memory;

NO_FPU static void fault(u32 pages)
{
  for (u32 i = 0; i < pages; i++)
    memory[i * PAGE] = 1;
}

static void over_faults(void)
{
  detect();
  for (u32 i = 0; i < 20; i++) {
    memory = map(0, 16 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS);
    hold_over(fault, 16, 1, 40 + i);
  }
}

NO_FPU static void forked(u32 unused)
{
  (void)unused;
  signals = (u32)sys(__NR_fork);
}

/* Both the parent and the child go on with what was loaded. */
static void over_fork(void)
{
  detect();
  hold_over(forked, 0, 1, 50);
  if (signals == 0)
    done();
  expect("status of the child", (u32)wait_for((int)signals), 0);
}

/* What a handler begins with, and what the frame holds of the interrupted. */
static void look(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  memcpy(&in_handler, context->uc_mcontext.fpstate, sizeof(struct _fpstate_32));
  memcpy(&other, (u8 *)context->uc_mcontext.fpstate + 112, 512); /* the fxsave image behind the old one */
}

NO_FPU static void send_once(u32 unused)
{
  (void)unused;
  sys(__NR_kill, sys(__NR_getpid), SIGUSR1);
}

static void in_the_frame(void)
{
  detect();
  handle(SIGUSR1, look, 0, 0);
  make(&before, 60);
  hold(&before, &after, send_once, 0);
  compare(&after, &before);
  expect("magic of the fxsave image", *(u16 *)(in_handler.bytes + 110), 0);
  expect_bytes("xmm0 to 7 in the frame", other.bytes + 160, before.bytes + 160, 128);
  expect("mxcsr in the frame", *(u32 *)(other.bytes + 24), *(u32 *)(before.bytes + 24));
  expect_bytes("st0 in the frame", in_handler.bytes + 28, before.bytes + 32, 8);
  if (mask) {
    expect("FP_XSTATE_MAGIC1", *(u32 *)(other.bytes + 464), 0x46505853);
    expect("components in the frame", *(u32 *)(other.bytes + 472) & mask, mask);
  }
}

static void edit(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  u8 *image = (u8 *)context->uc_mcontext.fpstate + 112;
  fill(image + 160 + 3 * 16, 16, 4711); /* xmm3 */
}

static void edited_in_the_frame(void)
{
  detect();
  handle(SIGUSR1, edit, 0, 0);
  make(&before, 70);
  hold(&before, &after, send_once, 0);
  fill(before.bytes + 160 + 3 * 16, 16, 4711);
  compare(&after, &before);
}

static void store_now(struct area *area)
{
  memset(area, 0, sizeof *area);
  if (mask)
    __asm__ volatile("xsave (%0)" : : "r"(area), "a"(mask), "d"(0) : "memory");
  else
    __asm__ volatile("fxsave (%0)" : : "r"(area) : "memory");
}

static void handler_state(int signal, siginfo_t *info, struct ucontext *context)
{
  (void)signal;
  (void)info;
  (void)context;
  store_now(&in_handler);
}

static void fresh_in_handler(void)
{
  detect();
  handle(SIGUSR1, handler_state, 0, 0);
  make(&before, 80);
  hold(&before, &after, send_once, 0);
  expect("x87 control word", *(u16 *)in_handler.bytes, 0x37f);
  expect("mxcsr", *(u32 *)(in_handler.bytes + 24), 0x1f80);
  expect("x87 tags", in_handler.bytes[4], 0);
}

/* Run by exec: the state that a program begins with is told by the status. */
static void fresh_in_program(void)
{
  static const char *const arguments[] = {"checks", "-", "--state", NULL}, *const none[] = {NULL};
  detect();
  int pid = fork_process();
  if (pid == 0) {
    make(&before, 90);
    if (mask)
      __asm__ volatile("xrstor (%0)" : : "r"(&before), "a"(mask), "d"(0) : "memory");
    sys(__NR_execve, "/proc/self/exe", arguments, none);
    leave(1);
  }
  expect("bits of what was not in its initial state", (u32)wait_for(pid), 0);
}

int initial_state(void)
{
  u32 bytes;
  int wrong = 0;
  detect();
  store_now(&after);
  wrong |= *(u16 *)after.bytes != 0x37f;
  wrong |= (*(u32 *)(after.bytes + 24) != 0x1f80) << 1;
  wrong |= (after.bytes[4] != 0) << 2;
  for (u32 i = 160; i < 288; i += 4)
    wrong |= (*(u32 *)(after.bytes + i) != 0) << 3;
  for (u32 i = 0; mask && i < COUNT_OF(components); i++) {
    if (!(mask & components[i].bit & *(u32 *)(after.bytes + HEADER)))
      continue;
    u32 *word = (u32 *)component(&after, components[i].index, &bytes);
    for (u32 k = 0; k < bytes / 4; k++)
      wrong |= (word[k] != 0) << (4 + i);
  }
  return wrong;
}

static void needs_avx(void)
{
  detect();
  if (!has(AVX))
    skip("this CPU or kernel has no AVX");
  make(&before, 100);
  hold(&before, &after, yield, 3);
  compare(&after, &before);
}

static void needs_avx512(void)
{
  detect();
  if (!has(ZMM_HIGH))
    skip("this CPU or kernel has no AVX-512");
  make(&before, 110);
  hold(&before, &after, yield, 3);
  compare(&after, &before);
}

/* With the instructions themselves, not with xsave. */
static void instructions(void)
{
  detect();
  if (!has(AVX))
    skip("this CPU or kernel has no AVX");
  static u32 in[16] __attribute__((aligned(64))), out[16] __attribute__((aligned(64)));
  fill(in, 64, 120);
  __asm__ volatile("vmovdqu (%0), %%ymm6\n"
                   "movl $158, %%eax\n int $0x80\n"
                   "vpaddd %%ymm6, %%ymm6, %%ymm7\n"
                   "vmovdqu %%ymm7, (%1)\n vzeroupper"
                   :
                   : "r"(in), "r"(out)
                   : "eax", "memory");
  for (u32 i = 0; i < 8; i++)
    expect("sum by AVX2", out[i], in[i] * 2);
  if (!has(ZMM_HIGH))
    return;
  __asm__ volatile("movl $0xaaaa, %%eax\n kmovw %%eax, %%k3\n"
                   "vmovdqu32 (%0), %%zmm5\n vpxord %%zmm4, %%zmm4, %%zmm4\n"
                   "movl $158, %%eax\n int $0x80\n"
                   "vpaddd %%zmm5, %%zmm5, %%zmm4%{%%k3%}\n"
                   "vmovdqu32 %%zmm4, (%1)\n vzeroupper"
                   :
                   : "r"(in), "r"(out)
                   : "eax", "memory");
  for (u32 i = 0; i < 16; i++)
    expect("masked sum by AVX-512", out[i], i & 1 ? in[i] * 2 : 0);
}

const struct check fpu_checks[] = {
  {"all state over switches between 4 processes", over_switches, 0},
  {"all state over the kernel's ticks in 3 processes", over_ticks, 0},
  {"all state over signals whose handlers load other values", over_signals, 0},
  {"all state over signals of a timer of 1 ms", over_timer_signals, 0},
  {"all state over page faults", over_faults, 0},
  {"all state over fork, in parent and child", over_fork, 0},
  {"the frame of a signal holds x87, xmm and mxcsr, and says which components it has", in_the_frame, 0},
  {"a register that a handler changes in the frame is changed", edited_in_the_frame, 0},
  {"a handler begins with the initial state", fresh_in_handler, 0},
  {"a program begins with the initial state", fresh_in_program, 0},
  {"AVX state over a switch", needs_avx, 0},
  {"AVX-512 state over a switch", needs_avx512, 0},
  {"AVX2 and AVX-512 instructions around a system call", instructions, 0},
  {NULL, NULL, 0},
};
