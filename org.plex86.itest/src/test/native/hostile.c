/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest kernel that means harm.  Its command line holds `hostile=NAME`, the
 * attempt to make; each ends the machine by itself where the attempt did
 * nothing, so that a test sees the difference.  Entered as Linux is: 32-bit,
 * paging off, esi = boot_params.
 */
#include "guest_abi.h"

typedef unsigned char u8;
typedef unsigned int u32;

#define DATA(offset) (*(volatile u32 *)(PLEX86_DATA + (offset)))
#define DEVICE(n, offset) (*(volatile u32 *)(PLEX86_MMIO_BASE + (n)*4096u + (offset)))
#define BOOT_PARAMS_CMD_LINE 0x228
#define BOOT_PARAMS_RAM_END 0x2ec /* size of the second e820 entry, which starts at 1 MiB */

#define STRING(x) #x
#define GATE_ADDRESS(n) STRING(0xffc01000 + (n)*0x20)
#define GATE(n) "lcall $0x33, $(" GATE_ADDRESS(n) ")"
_Static_assert(PLEX86_GATES == 0xffc01000 && PLEX86_GATE_STRIDE == 0x20, "GATE() is right");

/* How the monitor knows a kernel that was built for plex86. */
__attribute__((section(".note.plex86"), used)) static const struct {
  u32 name_size, desc_size, type;
  char name[8];
  u32 desc;
} note = {7, 4, PLEX86_NOTE_TYPE, "plex86", PLEX86_ABI_VERSION};

static const char *command_line;
static u32 ram_end;

static void end(u32 reason)
{
  asm volatile(GATE(11) : : "a"(reason));
}

static void say(const char *text)
{
  u32 length = 0;
  while (text[length])
    length++;
  asm volatile(GATE(10) : : "d"(text), "c"(length) : "memory");
}

static void doorbell(u32 device, u32 queue)
{
  asm volatile(GATE(12) : : "a"(device), "d"(queue) : "memory");
}

static u32 random_state = 2463534242u;

static u32 random(void)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

/* ---- attempts ---- */

static void spin(void)
{
  DATA(PLEX86_VIF) = 0;
  say("spinning\n");
  for (;;)
    asm volatile("pause");
}

static void triple_fault(void)
{
  asm volatile("ud2");
}

static void bad_stack(void)
{
  asm volatile("movl $0xfffffff0, %esp; pushl $0; ud2");
}

static void unknown_end(void)
{
  end(12345);
}

static void wild_descriptor_tables(void)
{
  struct {
    unsigned short limit;
    u32 base;
  } __attribute__((packed)) table = {0xffff, 0xffffff00};
  asm volatile("lidt %0" : : "m"(table));
  asm volatile("ud2");
}

static void wild_page_tables(void)
{
  static u32 directory[1024] __attribute__((aligned(4096)));
  for (u32 i = 0; i < 1024; i++)
    directory[i] = random() | 1;
  directory[0] = 0x83; /* 4 MiB, where this code is */
  asm volatile("movl %0, %%cr4" : : "r"(0x10));
  asm volatile("movl %0, %%cr3" : : "r"(directory));
  asm volatile("movl %0, %%cr0" : : "r"(0x80000011));
  for (u32 i = 0; i < 100000; i++)
    (void)*(volatile u32 *)(random() & 0xbffffffc);
}

/* The host's write, kill and exit by each way in.  None may have an effect. */
static void host_syscall_int80(void)
{
  static const char text[] = "GUEST WROTE TO THE HOST\n";
  u32 result;
  asm volatile("int $0x80" : "=a"(result) : "0"(4), "b"(2), "c"(text), "d"(sizeof text) : "memory");
  end(PLEX86_END_POWEROFF);
}

static void host_syscall_64(void)
{
  asm volatile("ljmp $0x33, $1f\n"
               ".code64\n"
               "1: movl $39, %%eax\n" /* getpid */
               "syscall\n"
               "pushq $0x23\n"
               "movl $2f, %%eax\n"
               "pushq %%rax\n"
               "lretq\n"
               ".code32\n"
               "2:"
               :
               :
               : "eax", "ecx", "memory");
  end(PLEX86_END_POWEROFF);
}

/* A jump to the nexus's own syscall instruction, in signal_return(), with kill(-1, SIGKILL) loaded. */
static void host_syscall_in_nexus(void)
{
  asm volatile("ljmp $0x33, $1f\n"
               ".code64\n"
               "1: movabs $0x210000000000, %%rdi\n"
               "2: cmpw $0x050f, (%%rdi)\n"
               "je 3f\n"
               "incq %%rdi\n"
               "jmp 2b\n"
               "3: movq %%rdi, %%rcx\n"
               "movl $62, %%eax\n"
               "movq $-1, %%rdi\n"
               "movl $0, %%esi\n" /* signal 0: harmless should it get through */
               "jmp *%%rcx\n"
               ".code32\n"
               :
               :
               : "eax", "ecx", "edi", "esi", "memory");
}

/* Noise over all of the control memory but the data page, again and again, with true exits between. */
static void garbage_control_page(void)
{
  for (u32 round = 0; round < 200; round++) {
    u32 seed = random();
    asm volatile("ljmp $0x33, $1f\n"
                 ".code64\n"
                 "1: movabs $0x211000001000, %%rdi\n"
                 "movl $0x32000/4, %%ecx\n"
                 "movl %0, %%eax\n"
                 "2: imull $1664525, %%eax, %%eax\n"
                 "addl $1013904223, %%eax\n"
                 "movl %%eax, (%%rdi)\n"
                 "addq $4, %%rdi\n"
                 "decl %%ecx\n"
                 "jnz 2b\n"
                 "pushq $0x23\n"
                 "movl $3f, %%eax\n"
                 "pushq %%rax\n"
                 "lretq\n"
                 ".code32\n"
                 "3:"
                 :
                 : "r"(seed)
                 : "eax", "ecx", "edi", "memory");
    say("noise\n");
    doorbell(random() % PLEX86_MMIO_DEVICES, random() % 32);
  }
  for (;;)
    asm volatile("pause");
}

static void garbage_registers(void)
{
  for (u32 i = 0; i < 20000; i++) {
    u32 device = random() % 3, offset = random() % 0x200 & ~3u;
    if (offset != 0x50)
      DEVICE(device, offset) = random() & (random() % 2 ? 0xff : 0xffffffff);
  }
  end(PLEX86_END_POWEROFF);
}

#define STATUS_DRIVER_OK 0xf

/* A console device set up as its driver does, but over rings of noise. */
static void garbage_rings(void)
{
  static u8 rings[3][4096] __attribute__((aligned(4096)));
  for (u32 round = 0; round < 500; round++) {
    DEVICE(0, 0x070) = 0;
    DEVICE(0, 0x070) = 1;
    DEVICE(0, 0x070) = 3;
    DEVICE(0, 0x024) = 0; /* DriverFeaturesSel */
    DEVICE(0, 0x020) = random() % 2 ? 1u << 29 | 1u << 28 : 0; /* EVENT_IDX, INDIRECT_DESC */
    DEVICE(0, 0x024) = 1;
    DEVICE(0, 0x020) = 1; /* VERSION_1 */
    DEVICE(0, 0x070) = 0xb;
    for (u32 queue = 0; queue < 2; queue++) {
      for (u32 i = 0; i < sizeof rings / 4; i++) {
        u32 value = random();
        /* half of the words plausible: addresses in RAM, small lengths and indices */
        ((u32 *)rings)[i] = value & 1 ? value : value >> 1 & 0xffff;
      }
      DEVICE(0, 0x030) = queue; /* QueueSel */
      DEVICE(0, 0x038) = 1u << random() % 9; /* QueueNum */
      DEVICE(0, 0x080) = (u32)rings[0] + (random() % 8 ? 0 : random()); /* QueueDesc */
      DEVICE(0, 0x084) = random() % 16 ? 0 : random();
      DEVICE(0, 0x090) = (u32)rings[1] + (random() % 8 ? 0 : random()); /* QueueDriver */
      DEVICE(0, 0x094) = 0;
      DEVICE(0, 0x0a0) = random() % 8 ? (u32)rings[2] : ram_end - 8; /* QueueDevice */
      DEVICE(0, 0x0a4) = 0;
      DEVICE(0, 0x044) = 1; /* QueueReady */
    }
    DEVICE(0, 0x070) = STATUS_DRIVER_OK;
    for (u32 i = 0; i < 4; i++)
      DEVICE(0, 0x050) = random() % 3; /* QueueNotify */
  }
  end(PLEX86_END_POWEROFF);
}

static void port_storm(void)
{
  u32 value;
  for (u32 i = 0; i < 5000; i++) {
    asm volatile("inl %%dx, %%eax" : "=a"(value) : "d"(random() & 0xffff));
    asm volatile("outb %%al, %%dx" : : "a"(random()), "d"(random() & 0xffff));
  }
  end(PLEX86_END_POWEROFF);
}

static void long_log(void)
{
  for (u32 i = 0; i < 500; i++)
    asm volatile(GATE(10) : : "d"(random()), "c"(random()) : "memory");
  end(PLEX86_END_POWEROFF);
}

static void wild_gates(void)
{
  DATA(PLEX86_IRQ_MASK) = 0xffffffff;
  for (u32 i = 0; i < 20000; i++) {
    DATA(PLEX86_TIMER_DEADLINE) = random();
    DATA(PLEX86_TIMER_DEADLINE + 4) = random() % 2 ? 0 : random();
    asm volatile(GATE(9) : : : "memory");
    asm volatile(GATE(3) : : "a"(random()) : "memory");
    asm volatile(GATE(5) : : "a"(0x100000 + random() % (ram_end - 0x200000)) : "memory");
    asm volatile(GATE(7) : : "a"(random()) : "memory");
    doorbell(random(), random());
  }
  end(PLEX86_END_POWEROFF);
}

/* 3 GiB of address space that is no memory: the host must not give any for it. */
static void touch_nothing(void)
{
  for (u32 address = ram_end; address < 0xd0000000 - 0x400000; address += 0x10000)
    (void)*(volatile u32 *)address;
  end(PLEX86_END_POWEROFF);
}

/* Where line 0 is delivered: back at once. */
void timer_interrupt(void);
asm(".globl timer_interrupt\n"
    "timer_interrupt: ljmp $0x33, $(" GATE_ADDRESS(1) ")");

static unsigned long long read_tsc(void)
{
  unsigned long long value;
  asm volatile("rdtsc" : "=A"(value));
  return value;
}

/*
 * No harm, but haste: deadlines that pass while the halt is on its way to sleep. One that is
 * missed is a machine that sleeps for ever.
 */
static void halt_storm(void)
{
  static struct {
    unsigned short offset_low, selector, flags, offset_high;
  } gates[64];
  struct {
    unsigned short limit;
    u32 base;
  } __attribute__((packed)) table = {sizeof gates - 1, (u32)gates};
  u32 handler = (u32)timer_interrupt;
  gates[PLEX86_VECTOR_BASE].offset_low = (unsigned short)handler;
  gates[PLEX86_VECTOR_BASE].offset_high = (unsigned short)(handler >> 16);
  gates[PLEX86_VECTOR_BASE].selector = 0x20;
  gates[PLEX86_VECTOR_BASE].flags = 0x8e00;
  asm volatile("lidt %0" : : "m"(table));
  DATA(PLEX86_IRQ_MASK) = 0;
  for (u32 i = 0; i < 100000; i++) {
    unsigned long long deadline = read_tsc() + random() % 8000;
    DATA(PLEX86_VIF) = 0;
    DATA(PLEX86_TIMER_DEADLINE) = (u32)deadline;
    DATA(PLEX86_TIMER_DEADLINE + 4) = (u32)(deadline >> 32);
    asm volatile(GATE(9) : : : "memory");
    asm volatile(GATE(8) : : : "memory");
  }
  end(PLEX86_END_POWEROFF);
}

static const struct {
  const char *name;
  void (*run)(void);
} attempts[] = {
  {"spin", spin},
  {"triple-fault", triple_fault},
  {"bad-stack", bad_stack},
  {"unknown-end", unknown_end},
  {"wild-descriptor-tables", wild_descriptor_tables},
  {"wild-page-tables", wild_page_tables},
  {"host-syscall-int80", host_syscall_int80},
  {"host-syscall-64", host_syscall_64},
  {"host-syscall-in-nexus", host_syscall_in_nexus},
  {"garbage-control-page", garbage_control_page},
  {"garbage-registers", garbage_registers},
  {"garbage-rings", garbage_rings},
  {"port-storm", port_storm},
  {"long-log", long_log},
  {"wild-gates", wild_gates},
  {"touch-nothing", touch_nothing},
  {"halt-storm", halt_storm},
};

static const char *option(const char *key)
{
  for (const char *at = command_line; *at; at++) {
    const char *a = at, *b = key;
    while (*b && *a == *b)
      a++, b++;
    if (!*b)
      return a;
  }
  return "";
}

static int is(const char *value, const char *name)
{
  while (*name && *value == *name)
    value++, name++;
  return !*name && (*value == 0 || *value == ' ');
}

void hostile_main(const u8 *boot_params)
{
  command_line = *(const char *const *)(boot_params + BOOT_PARAMS_CMD_LINE);
  ram_end = 0x100000 + *(const u32 *)(boot_params + BOOT_PARAMS_RAM_END);
  const char *wanted = option("hostile=");
  for (u32 i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
    if (is(wanted, attempts[i].name))
      attempts[i].run();
  end(PLEX86_END_REBOOT); /* no such attempt, or one that should not have returned */
}

asm(".globl _start\n"
    "_start: movl $stack_top, %esp\n"
    "pushl %esi\n"
    "call hostile_main\n"
    ".bss\n"
    ".skip 16384\n"
    "stack_top:\n"
    ".text\n");
