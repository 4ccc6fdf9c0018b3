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
  public static final int PLEX86_ABI_VERSION = 2;
  public static final int PLEX86_NOTE_TYPE = 0x58363850;
  public static final String PLEX86_CPUID_SIGNATURE = "plex86 nexus";
  public static final int PLEX86_VIF = 0x00;
  public static final int PLEX86_IRQ_PENDING = 0x04;
  public static final int PLEX86_IRQ_MASK = 0x10;
  public static final int PLEX86_TSC_KHZ = 0x20;
  public static final int PLEX86_ABI = 0x24;
  public static final int PLEX86_TIMER_DEADLINE = 0x28;
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
  public static final int ISOLATION_SHARED = 0;
  public static final int ISOLATION_STRICT = 1;
  public static final int END_NONE = 0;
  public static final int END_TRIPLE_FAULT = 16;
  public static final int END_NEXUS = 17;
  public static final int CPU_IA32_EMULATION = 1;
  public static final int CONTROL_COUNTER_MAX = 64;
  public static final int CPUID_ENTRIES_MAX = 170;

  /** struct cpuid_entry. */
  public static final class CpuidEntry {
    public static final int LEAF = 0;
    public static final int SUBLEAF = 4;
    public static final int EAX = 8;
    public static final int EBX = 12;
    public static final int ECX = 16;
    public static final int EDX = 20;

    private CpuidEntry() {}
  }

  /** struct cpuid_table. */
  public static final class CpuidTable {
    public static final int COUNT = 0;
    public static final int ENTRY = 4;

    private CpuidTable() {}
  }

  /** struct exit_record. */
  public static final class ExitRecord {
    public static final int STATE = 0;
    public static final int KIND = 4;
    public static final int DEVICE = 8;
    public static final int OFFSET = 12;
    public static final int SIZE = 16;
    public static final int FAULT = 20;
    public static final int VALUE = 24;

    private ExitRecord() {}
  }

  /** struct end_record. */
  public static final class EndRecord {
    public static final int REASON = 0;
    public static final int LENGTH = 4;
    public static final int TEXT = 8;

    private EndRecord() {}
  }

  /** struct doorbell. */
  public static final class Doorbell {
    public static final int BITS = 0;
    public static final int WAITING = 4;

    private Doorbell() {}
  }

  /** Sizes of structures, and of the text of struct end_record. */
  public static final class Sizeof {
    public static final int CPUID_ENTRY = 24;
    public static final int DOORBELL = 8;
    public static final int END_TEXT = 504;

    private Sizeof() {}
  }

  /** struct control. */
  public static final class Control {
    public static final int MAGIC = 0;
    public static final int VERSION = 4;
    public static final int RAM_PAGES = 8;
    public static final int SPACES = 12;
    public static final int DEVICES = 16;
    public static final int ENTRY = 20;
    public static final int BOOT_PARAMS = 24;
    public static final int SPIN = 28;
    public static final int ISOLATION = 32;
    public static final int TSC_KHZ = 40;
    public static final int CPU_FLAGS = 44;
    public static final int HOST_XCR0 = 48;
    public static final int GUEST_XCR0 = 56;
    public static final int GO = 64;
    public static final int ACTIVE = 68;
    public static final int IDLE = 72;
    public static final int WAKE = 76;
    public static final int BELL = 80;
    public static final int BELL_WAITING = 84;
    public static final int LOG_HEAD = 88;
    public static final int FIRST_USER_TSC = 96;
    public static final int START_TSC = 104;
    public static final int EXIT = 112;
    public static final int END = 144;
    public static final int DOORBELL = 656;
    public static final int COUNTER = 896;

    private Control() {}
  }

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
          "cpuid",
          "user_turns",
          "user_sleeps",
          "user_parks",
          "user_kicks",
          "user_renewals",
          "user_replacements",
          "user_ends_ordered");

  private ControlLayout() {}
}
