/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the nexus offer each other. */
#ifndef PLEX86_NEXUS_H
#define PLEX86_NEXUS_H

#include "handoff.h"
#include "sys.h"
#include "vm.h"

/* File descriptors that the monitor leaves open, and two of the supervisor's own. */
enum { FD_LIFELINE = 0, FD_REPORT = 1, FD_ERRORS = 2, FD_CONTROL = 3, FD_RAM = 4, FD_SIGNALS = 5, FD_HANDOFF = 6 };

/*
 * Data that the user thread of a strict machine writes.  All else is read-only in its process, and
 * this is cleared when another address space gets the process (gates.S).
 */
#define USER_DATA __attribute__((section(".bss.user")))

/* What a process knows for itself, and what is the same in all after the fork. */
extern u32 space_self; /* slot of this process */
extern u32 covers; /* COVERS_*: what it runs of the guest */
extern u32 space_count, isolation; /* of the machine, as the supervisor was told */
extern u64 ram_bytes;
extern u32 lowest_page; /* first linear address that the host lets us map */
extern u32 maps_limit; /* host mappings that a process may have */
extern int fpu_compact; /* the CPU has XSAVEC */

/* text.c */
struct text {
  char *at;
  u32 size; /* of the buffer, the final 0 included */
  u32 length;
};
void text_append(struct text *text, const char *format, ...);
void text_append_list(struct text *text, const char *format, __builtin_va_list arguments);
u32 text_length(const char *text);
void *memcpy(void *to, const void *from, unsigned long count);
void *memset(void *at, int value, unsigned long count);

/* end.c: the guest's end */
__attribute__((noreturn)) void end_vm(u32 reason, const char *format, ...);

/* monitor.c: what goes to the monitor and back */
void monitor_ring(void);
int monitor_exit(u32 kind, u32 device, u32 offset, u32 size, u64 *value); /* 0, or 1: fault */
void monitor_doorbell(u32 device, u32 queue);
void monitor_acknowledge(u32 device, u32 bits);
void monitor_log(u32 linear, u32 length);

/* A run of pages that is mapped read-only for users, see tlb.c. */
struct run {
  u32 linear, physical, length;
  u32 clean; /* no write has made it what it is: of a file, as a rule */
};

/* What a process has mapped of guest memory. */
#define TLB_RUNS_MAX 512
#define TLB_NOTES_SIZE 0x400000ul
#define TLB_GENERATION_END 0x80000000
struct tlb {
  u32 user_slot; /* of the user process whose it is; 0: of this process */
  /*
   * mapped[page] / 2 == generation: the process has mapped that linear page and not
   * unmapped it since; odd: writable.  A flush is one step of the generation.
   */
  u32 *mapped;
  u32 user_generation, kernel_generation;
  u32 user_maps, kernel_maps; /* host mappings made since the last flush, at the most */
  u32 unnoted_users; /* some of them are not in mapped[] */
  u32 unchecked; /* the runs are those of an earlier guest address space */
  /*
   * What is mapped read-only for users, so that a flush can keep what the guest's
   * tables still say: after a fork that is all of the program's text.
   */
  u32 run_count;
  struct run runs[TLB_RUNS_MAX];
};
extern struct tlb own_tlb;

/* mmu.c: what the guest's page tables say */
enum mmu_result {
  MMU_MAPPED = -1,
  MMU_NOT_PRESENT = 0, /* as bit P of the #PF error code */
  MMU_PROTECTED = 1,
  MMU_DEVICE = 2, /* a write to a virtio-mmio page or to no memory at all */
};
enum mmu_result mmu_map(struct tlb *tlb, u32 linear, int write, int user);
enum mmu_result mmu_access(u32 linear, int write, u8 **host); /* of the guest kernel; to the end of the page */
int mmu_translate(u32 linear, u32 *physical); /* 0: not mapped by the guest */
int mmu_shows(u32 linear, u32 physical); /* users are led there by 4 KiB pages */
int mmu_is_large(u32 linear); /* a 4 MiB page */

/* tlb.c: what the guest has flushed goes from the host's mappings */
void tlb_init(struct tlb *tlb, u32 user_slot, u64 at, u64 linear_bytes);
void tlb_map(struct tlb *tlb, u32 linear, u32 length, int prot, int fd, u64 offset);
void tlb_note_read_only(struct tlb *tlb, u32 linear, u32 physical, u32 length, int clean); /* of what was just mapped */
int tlb_holds(const struct tlb *tlb, u32 linear); /* not for what was mapped by more than 1 MiB at once */
void tlb_forget_user(struct tlb *tlb); /* its process has no mapping any more */
void tlb_flush_user(struct tlb *tlb);
void tlb_flush_user_until_checked(struct tlb *tlb); /* keeps, for tlb_check(), what a program before had of files */
void tlb_check(struct tlb *tlb); /* user code is about to run */
void tlb_flush_current(void); /* the user half of the guest's TLB */
void tlb_flush_all(void);
void tlb_invalidate(u32 first, u32 end);
void tlb_catch_up(void); /* with kernel mappings that changed while others ran */

/* space.c: one process for each guest address space */
struct cr3_hint { /* what the guest says of the CR3 it loads */
  u32 described;
  u32 previous_gen, next_gen;
  u32 is_new;
};
u32 space_find(u32 cr3); /* CONTROL_SPACES_MAX: none */
u32 space_allocate(u32 cr3, u32 flush);
void space_load_cr3(u32 value); /* the CR3 gate: may go on in another process */
void space_reload_cr3(u32 value);
void space_forget(u32 page_directory);
__attribute__((noreturn)) void space_main(u32 slot, u32 life);

/* users.c: the kernel process's side of the user processes (strict model) */
void users_init(void);
void users_load_cr3(u32 value, const struct cr3_hint *hint);
void users_forget(u32 slot); /* its address space is gone */
void users_fetch_fpu(void); /* the FPU gate */
void users_run(void); /* user code, until something is injected */
void users_interrupted(void); /* a signal came: whoever waits for a user process looks again */
struct tlb *users_current_tlb(void); /* of the guest's CR3; NULL: none, or this process runs user code itself */
void user_map(u32 slot, u32 linear, u32 length, int prot, int fd, u64 offset);
void user_unmap(u32 slot, u32 linear, u32 length);

/* relay.c (strict model) */
__attribute__((noreturn)) void relay_main(void);
void relay_expect(void); /* a user process is to be woken soon */
void relay_wake(u32 slot, int mapper); /* the user thread, or its mapper */

/* user.c, mapper.c: a user process (strict model) */
struct machine_context;
struct user_context;
__attribute__((noreturn)) void user_main(u32 slot, u32 life);
void user_signal_entry(int signal, void *info, struct user_context *context); /* gates.S */
__attribute__((noreturn)) void user_renew(void); /* its user thread is as good as new */
void user_gate(u32 gate);
void user_look_up(void); /* gate_exit saw that a kick came */
void user_signal(int signal, struct machine_context *machine);
void mapper_start(u32 slot);

/* user_memory.c: the guest kernel's accesses to user memory */
void copy_user_gate(void);
void clear_user_gate(void);
void get_user_gate(void);
void put_user_gate(void);

/* inject.c: what the IDT says (SDM vol. 3, 6.12) */
enum { VECTOR_DB = 1, VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_AC = 17 };
#define VECTOR_SYSCALL 0x80
void inject_exception(u32 vector);
void inject_exception_error(u32 vector, u32 error);
void inject_software(u32 vector); /* int n: eip is behind the instruction, which has 2 bytes */
void inject_page_fault(u32 linear, u32 error);
int inject_is_due(void); /* a line is ready, and IF set */
void inject_interrupts(void); /* as far as IF and the mask allow */
void return_from_interrupt(void);

/* timer.c */
void timer_init(void);
void timer_program(void);
int timer_is_due(void); /* its line is raised, by this if need be */
void timer_expired(void); /* the host's signal came; timer_program() is to follow */
void halt(void);

/* fpu.c, tls.c */
void fpu_init(void);
void fpu_save(void);
void fpu_restore(void);
void fpu_save_to(void *area);
void fpu_restore_from(const void *area);
u32 fpu_mask(void); /* XCR0 components that the guest has */
void fpu_use(u32 mask); /* in a user process, which is told */
void fpu_restore_standard(const void *area); /* of a signal's frame */
void fpu_copy_hostile(void *to, const volatile void *from); /* so that it can be restored */
u32 gs_selector(void);
void gs_load(u32 selector);
void tls_set(u32 linear);
void tls_load(void);
void tls_describe(volatile struct user_desc *desc, u32 index, const u32 *tls); /* for set_thread_area */
void tls_load_missing(void); /* so that the guest kernel can load their selectors */
void tls_load_order(void); /* in a user process */
void tls_forget(void); /* what is loaded: nobody knows */
void segments_read(volatile u16 *selectors); /* ds, es, fs, gs */
void segments_load(const u16 *selectors); /* a selector that would fault becomes 0 */

/* cpuid.c */
void cpuid_probe(volatile struct cpuid_table *table);
void cpuid_gate(void);
u64 cpu_xcr0(void);
void cpuid_host(u32 leaf, u32 subleaf, struct cpuid_entry *entry);

/* emulate.c: privileged instructions of the guest kernel */
int emulate_privileged(void); /* 0: not one of them */
int emulate_device_store(u32 linear); /* 0: not a plain store */

/* decode.c */
struct operand {
  u8 mode; /* ModRM.mod: 3 is a register */
  u8 reg; /* ModRM.reg */
  u8 rm; /* ModRM.rm */
  u32 address; /* where mode is not 3 */
  u32 length; /* of ModRM, SIB and displacement, in bytes */
};
void decode_operand(u32 at, struct operand *operand);
u32 *decode_register(u32 number);

/* signals.c */
typedef void signal_handler(int signal, void *info, struct user_context *context);
signal_handler signal_handle;
void signals_block(void); /* all of them, in this thread */
void signals_install(signal_handler *handler, void *stack, u64 stack_size, u64 masked_in_handlers);

/* <asm/sigcontext.h> */
struct machine_context {
  u64 r8, r9, r10, r11, r12, r13, r14, r15;
  u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
  u16 cs, gs, fs, ss;
  u64 error, trap, old_mask, cr2;
  void *fpu; /* XSAVE area, standard format */
};
int in_nexus(u64 rip);
void load_registers(const struct machine_context *machine);
void restart_gate_exit(struct machine_context *machine); /* where it was interrupted there */
int pushes_error(u64 vector);

/* seccomp.c */
void seccomp_confine_space(void);
void seccomp_confine_user(u32 slot);
void seccomp_confine_relay(void);
void seccomp_confine_mapper(u32 slot, s64 pid);
void seccomp_confine_supervisor(void);
void seccomp_confine_strict_supervisor(void);

/* supervisor.c, layout.c, probe.c */
int supervise(void);
#define EXIT_ORDERED 6 /* of a user process that has not done what it was told */
int print_layout(void);
int probe_ia32(void);

/* main.c */
__attribute__((noreturn)) void nexus_main(const u64 *stack);

/* gates.S, gate_dispatch.c */
extern char gates_start[], gates_end[], gate_exit[], gate_exit_end[];
extern char nexus_text_start[], nexus_text_end[]; /* by the linker */
extern char nexus_data_start[], nexus_data_end[], user_data_start[], user_data_end[];
void signal_return(void);
__attribute__((noreturn)) void gate_enter_guest(void); /* as a kernel is entered: flat data */
__attribute__((noreturn)) void gate_return(void); /* with the segment registers that are loaded */
void gate_dispatch(u32 gate);
void gate_look_up(void); /* gate_exit saw a line that is ready */
void map_gates(void);
void map_handoff_whole(void);
__attribute__((noreturn)) void resume_context(const struct machine_context *machine);
__attribute__((noreturn)) void call_on_stack(void (*function)(u32), u32 argument, void *stack);
s64 clone_mapper(u64 flags, void *stack, void (*entry)(u32), u32 slot);
__attribute__((noreturn)) void mapper_loop(const volatile struct turn *turn, const volatile struct order *order,
  const volatile u32 *done, u64 done_offset, volatile u32 *started);

/* Address that a label of gates.S has in the gate page. */
#define IN_GATE_PAGE(label) ((u64)PLEX86_GATES + (u64)((label)-gates_start))

#endif /* PLEX86_NEXUS_H */
