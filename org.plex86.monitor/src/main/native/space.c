/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spaces: a host process for each guest address space, so that a guest context
 * switch keeps what is mapped.  One of them at a time runs the virtual CPU;
 * the others wait for their turn.
 */
#include "nexus.h"

u32 space_self;
u32 covers;

/* Frames nest when the nexus faults on guest memory; with AVX-512 each is 3.5 KiB, with AMX 11. */
static u8 signal_stack[256 * 1024] __attribute__((aligned(64)));

static struct space *self(void)
{
  return &VM->space[space_self];
}

static void wait_for_turn(struct space *me)
{
  for (u32 i = CONTROL->spin; i; i--) {
    if (__atomic_load_n(&me->turn, __ATOMIC_ACQUIRE))
      return;
    cpu_relax();
  }
  while (!__atomic_load_n(&me->turn, __ATOMIC_ACQUIRE)) {
    me->asleep = 1;
    fence(); /* the giver sets turn, then reads asleep */
    if (!__atomic_load_n(&me->turn, __ATOMIC_ACQUIRE))
      futex_wait(&me->turn, 0, NULL);
    me->asleep = 0;
  }
}

/* active is set first: the monitor raises a line, then signals the active process; the one that
 * gets the turn looks at the lines on its way to the guest. */
static void give_turn(u32 slot)
{
  struct space *other = &VM->space[slot];
  CONTROL->active = slot;
  __atomic_exchange_n(&other->turn, 1, __ATOMIC_SEQ_CST);
  if (other->asleep)
    futex_wake(&other->turn);
}

static void flush_as_due(struct space *me)
{
  u32 flush = me->flush;
  me->flush = 0;
  if (flush == FLUSH_UNTIL_CHECKED)
    tlb_flush_user_until_checked(&own_tlb);
  else if (flush)
    tlb_flush_user(&own_tlb);
}

static void take_turn(struct space *me)
{
  me->turn = 0;
  tlb_catch_up();
  flush_as_due(me);
  tls_load_missing();
  gs_load(VM->gs);
  fpu_restore();
  timer_program();
}

/* Slot 0 of a strict machine is the kernel process, which stands for no address space. */
static u32 first_slot(void)
{
  return covers & COVERS_USER ? 0 : 1;
}

u32 space_find(u32 cr3)
{
  for (u32 slot = first_slot(); slot < CONTROL->spaces && slot < CONTROL_SPACES_MAX; slot++)
    if (VM->space[slot].used && VM->space[slot].cr3 == cr3)
      return slot;
  return CONTROL_SPACES_MAX;
}

/* A space that stands for no page directory, or else the one that ran longest ago. */
u32 space_allocate(u32 cr3, u32 flush)
{
  u32 best = space_self;
  for (u32 slot = first_slot(); slot < CONTROL->spaces && slot < CONTROL_SPACES_MAX; slot++) {
    struct space *space = &VM->space[slot];
    if (!space->used) {
      best = slot;
      break;
    }
    if (slot != space_self && (best == space_self || space->last_used < VM->space[best].last_used))
      best = slot;
  }
  COUNT(space_allocations);
  if (VM->space[best].used)
    COUNT(space_evictions);
  VM->space[best].used = 1;
  VM->space[best].cr3 = cr3;
  VM->space[best].flush = flush;
  return best;
}

void space_forget(u32 page_directory)
{
  u32 slot = space_find(page_directory);
  if (slot == CONTROL_SPACES_MAX || slot == space_self)
    return;
  if (!(covers & COVERS_USER))
    users_forget(slot);
  VM->space[slot].used = 0;
  VM->space[slot].flush = FLUSH_USER;
}

/*
 * A load of CR3 in the process that is there: all that it maps for users goes.
 * Boot code does that, and whoever wants a flush.
 */
void space_reload_cr3(u32 value)
{
  if (covers & COVERS_USER) {
    space_forget(value);
    DATA(PLEX86_CR3) = value;
    self()->cr3 = value;
    self()->used = 1;
  } else {
    static const struct cr3_hint none;
    users_load_cr3(value, &none);
  }
  if (VM->cr4 & CR4_PGE)
    tlb_flush_current();
  else
    tlb_flush_all();
}

void space_load_cr3(u32 value)
{
  struct space *me = self();
  struct cr3_hint hint = {DATA(PLEX86_TLB_VALID), DATA(PLEX86_TLB_PREV), DATA(PLEX86_TLB_NEXT), DATA(PLEX86_TLB_NEW)};
  DATA(PLEX86_TLB_VALID) = 0;
  if (value == DATA(PLEX86_CR3) || !(VM->cr4 & CR4_PGE)) {
    space_reload_cr3(value);
    return;
  }
  if (!(covers & COVERS_USER)) {
    users_load_cr3(value, &hint);
    return;
  }
  /* switch_mm_irqs_off() says which generations it leaves and enters; where the space of the one
   * entered is of that generation, what it has mapped is still right. */
  if (hint.described)
    me->tlb_gen = hint.previous_gen;
  u32 slot = space_find(value);
  if (slot == CONTROL_SPACES_MAX)
    slot = space_allocate(value, hint.is_new ? FLUSH_UNTIL_CHECKED : FLUSH_USER);
  else if (!hint.described || VM->space[slot].tlb_gen != hint.next_gen)
    VM->space[slot].flush = FLUSH_USER;
  struct space *next = &VM->space[slot];
  next->tlb_gen = hint.next_gen;
  next->last_used = read_tsc();
  DATA(PLEX86_CR3) = value;
  VM->prefault = 0;
  if (slot == space_self) {
    flush_as_due(me);
    return;
  }
  COUNT(space_switches);
  fpu_save();
  VM->gs = gs_selector();
  give_turn(slot);
  wait_for_turn(me);
  take_turn(me);
}

static void map_fixed(u64 at, u64 length, int prot, int flags, int fd, u64 offset)
{
  s64 result = sys_mmap(at, length, prot, flags | MAP_FIXED, fd, offset);
  if (result != (s64)at)
    end_vm(END_NEXUS, "mmap of %lx bytes at %lx: error %lu", length, at, (u64)-result);
}

void map_gates(void)
{
  map_fixed(PLEX86_GATES, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy((void *)(u64)PLEX86_GATES, gates_start, (unsigned long)(gates_end - gates_start));
  syscall3(SYS_mprotect, PLEX86_GATES, PAGE_SIZE, PROT_READ | PROT_EXEC);
}

void map_handoff_whole(void)
{
  map_fixed(NEXUS_HANDOFF, HANDOFF_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, FD_HANDOFF, 0);
}

static void map_nexus_pages(void)
{
  map_fixed(NEXUS_RAM, ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, FD_RAM, 0);
  map_fixed(PLEX86_DATA, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, FD_CONTROL, CONTROL_DATA_PAGE);
  map_gates();
  tlb_init(&own_tlb, 0, NEXUS_TLBS, 1ul << 32);
}

/* The state in which a kernel is entered: Documentation/x86/boot.rst, "32-bit boot protocol". */
static void reset_cpu(void)
{
  VM->cr0 = CR0_PE | 0x10; /* ET */
  VM->guest_xcr0 = 1;
  VM->dr6 = 0xffff0ff0;
  REGS.eip = CONTROL->entry;
  REGS.gpr[ESI] = CONTROL->boot_params;
  REGS.eflags = EFLAGS_HOST;
  VM->space[0].used = covers & COVERS_USER ? 1 : 0;
}

void space_main(u32 slot, u32 life)
{
  space_self = slot;
  if (isolation == ISOLATION_SHARED)
    covers = COVERS_USER | COVERS_KERNEL;
  else
    covers = slot ? COVERS_USER : COVERS_KERNEL;
  if (covers == COVERS_USER)
    user_main(slot, life);
  map_nexus_pages();
  if (covers == COVERS_KERNEL) {
    map_handoff_whole();
    users_init();
  }
  fpu_init();
  timer_init();
  signals_install(signal_handle, signal_stack, sizeof signal_stack, 1ul << (SIGALRM - 1) | 1ul << (SIGUSR1 - 1));
  syscall2(SYS_close, FD_LIFELINE, 0);
  syscall2(SYS_close, FD_REPORT, 0);
  seccomp_confine_space();
  asm volatile("mov %0, %%ds; mov %0, %%es; mov %1, %%fs; mov %1, %%gs" : : "r"(HOST_DS), "r"(0));
  if (slot == 0) {
    while (!CONTROL->go)
      futex_wait(&CONTROL->go, 0, NULL);
    reset_cpu();
  } else {
    wait_for_turn(self());
    take_turn(self());
  }
  gate_enter_guest();
}
