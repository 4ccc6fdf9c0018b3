// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.control;

import java.util.List;

/**
 * The numbers of guest_abi.h and control.h under their own names, structures as {@code
 * STRUCT_FIELD}. A test holds all of them against what {@code plex86-nexus --layout} prints, in
 * both directions.
 */
public final class ControlLayout {
  // guest_abi.h
  public static final int PLEX86_ABI_VERSION = 1;
  public static final int PLEX86_NOTE_TYPE = 0x58363850;
  public static final String PLEX86_CPUID_SIGNATURE = "plex86 nexus";
  public static final int PLEX86_VIF = 0x00;
  public static final int PLEX86_IRQ_PENDING = 0x04;
  public static final int PLEX86_IRQ_MASK = 0x10;
  public static final int PLEX86_TSC_KHZ = 0x20;
  public static final int PLEX86_ABI = 0x24;
  public static final int PLEX86_WALL_TSC = 0x30;
  public static final int PLEX86_WALL_NS = 0x38;
  public static final int PLEX86_IRQ_LINES = 32;
  public static final int PLEX86_IRQ_TIMER = 0;
  public static final int PLEX86_IRQ_POWER = 1;
  public static final int PLEX86_IRQ_DEVICE0 = 2;
  public static final long PLEX86_MMIO_BASE = 0xd0000000L;
  public static final int PLEX86_MMIO_DEVICES = 30;
  public static final int PLEX86_END_POWEROFF = 1;
  public static final int PLEX86_END_REBOOT = 2;
  public static final int PLEX86_END_PANIC = 3;
  public static final int PLEX86_END_HALT = 4;

  // control.h: areas
  public static final int CONTROL_MAGIC = 0x58363850;
  public static final int CONTROL_VERSION = 1;
  public static final int CONTROL_DATA_PAGE = 0x0;
  public static final int CONTROL_BLOCK = 0x1000;
  public static final int CONTROL_CPUID_HOST = 0x2000;
  public static final int CONTROL_CPUID_GUEST = 0x3000;
  public static final int CONTROL_LOG = 0x4000;
  public static final int CONTROL_LOG_SIZE = 0x10000;
  public static final int CONTROL_DEVICES = 0x14000;
  public static final int CONTROL_VOID = 0x32000;
  public static final int CONTROL_NEXUS = 0x33000;
  public static final int CONTROL_NEXUS_SIZE = 0xd000;
  public static final int CONTROL_SIZE = 0x40000;
  public static final int CONTROL_SPACES_MAX = 64;

  // control.h: values
  public static final int EXIT_NONE = 0;
  public static final int EXIT_REQUEST = 1;
  public static final int EXIT_DONE = 2;
  public static final int EXIT_MMIO_WRITE = 1;
  public static final int EXIT_PIO_IN = 2;
  public static final int EXIT_PIO_OUT = 3;
  public static final int EXIT_RDMSR = 4;
  public static final int EXIT_WRMSR = 5;
  public static final int END_NONE = 0;
  public static final int END_TRIPLE_FAULT = 16;
  public static final int END_NEXUS = 17;
  public static final int CPU_IA32_EMULATION = 1;
  public static final int CONTROL_COUNTER_MAX = 64;
  public static final int CPUID_ENTRIES_MAX = 170;

  // struct cpuid_entry, struct cpuid_table
  public static final int CPUID_ENTRY_SIZE = 24;
  public static final int CPUID_ENTRY_LEAF = 0;
  public static final int CPUID_ENTRY_SUBLEAF = 4;
  public static final int CPUID_ENTRY_EAX = 8;
  public static final int CPUID_ENTRY_EBX = 12;
  public static final int CPUID_ENTRY_ECX = 16;
  public static final int CPUID_ENTRY_EDX = 20;
  public static final int CPUID_TABLE_COUNT = 0;
  public static final int CPUID_TABLE_ENTRY = 4;

  // struct exit_record
  public static final int EXIT_RECORD_STATE = 0;
  public static final int EXIT_RECORD_KIND = 4;
  public static final int EXIT_RECORD_DEVICE = 8;
  public static final int EXIT_RECORD_OFFSET = 12;
  public static final int EXIT_RECORD_SIZE = 16;
  public static final int EXIT_RECORD_FAULT = 20;
  public static final int EXIT_RECORD_VALUE = 24;

  // struct end_record
  public static final int END_RECORD_REASON = 0;
  public static final int END_RECORD_LENGTH = 4;
  public static final int END_RECORD_TEXT = 8;
  public static final int END_RECORD_TEXT_MAX = 504;

  // struct doorbell
  public static final int DOORBELL_BITS = 0;
  public static final int DOORBELL_WAITING = 4;
  public static final int DOORBELL_SIZE = 8;

  // struct control
  public static final int CONTROL_MAGIC_WORD = 0;
  public static final int CONTROL_VERSION_WORD = 4;
  public static final int CONTROL_RAM_PAGES = 8;
  public static final int CONTROL_SPACES = 12;
  public static final int CONTROL_DEVICE_COUNT = 16;
  public static final int CONTROL_ENTRY = 20;
  public static final int CONTROL_BOOT_PARAMS = 24;
  public static final int CONTROL_SPIN = 28;
  public static final int CONTROL_TSC_KHZ = 32;
  public static final int CONTROL_CPU_FLAGS = 36;
  public static final int CONTROL_HOST_XCR0 = 40;
  public static final int CONTROL_GUEST_XCR0 = 48;
  public static final int CONTROL_GO = 56;
  public static final int CONTROL_ACTIVE = 60;
  public static final int CONTROL_IDLE = 64;
  public static final int CONTROL_WAKE = 68;
  public static final int CONTROL_BELL = 72;
  public static final int CONTROL_BELL_WAITING = 76;
  public static final int CONTROL_LOG_HEAD = 80;
  public static final int CONTROL_FIRST_USER_TSC = 88;
  public static final int CONTROL_START_TSC = 96;
  public static final int CONTROL_EXIT = 104;
  public static final int CONTROL_END = 136;
  public static final int CONTROL_DOORBELL = 648;
  public static final int CONTROL_COUNTER = 888;

  /** Names of the counters, in their order. */
  public static final List<String> COUNTERS =
      List.of(
          "page_faults",
          "page_faults_injected",
          "page_faults_nexus",
          "maps",
          "pages_mapped",
          "flushes_user",
          "flushes_user_skipped",
          "flushes_kernel",
          "invlpg",
          "invlpg_skipped",
          "space_switches",
          "space_allocations",
          "space_evictions",
          "syscalls_gate",
          "syscalls_trap",
          "iret",
          "privileged",
          "exceptions",
          "interrupts",
          "timer_programmed",
          "timer_expired",
          "halts",
          "kicks",
          "mmio_writes",
          "doorbells",
          "exits",
          "tls_loads",
          "cpuid");

  private ControlLayout() {}
}
