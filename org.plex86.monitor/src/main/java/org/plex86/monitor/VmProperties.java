// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

/** The factory configuration of a virtual machine. Keys that are not named here are an error. */
public final class VmProperties {
  /** The factory PID. */
  public static final String PID = "org.plex86.vm";

  /** String, required: letters, digits, {@code . _ -}; at most 64; unique in the container. */
  public static final String NAME = "name";

  /** Long, bytes: {@link #MEMORY_MIN} to {@link #MEMORY_MAX}; default {@link #MEMORY_DEFAULT}. */
  public static final String MEMORY = "memory";

  /**
   * String: file name of a kernel, an ELF vmlinux or a bzImage, built for plex86. Default: the
   * highest version of a guest image among the installed bundles (capability {@link
   * #GUEST_NAMESPACE}).
   */
  public static final String KERNEL = "kernel";

  /**
   * String: file name of an initial RAM disk. Default: that of the guest image; none where {@link
   * #KERNEL} is given.
   */
  public static final String INITRD = "initrd";

  /** String: appended to the kernel command line that the monitor makes. */
  public static final String APPEND = "append";

  /**
   * String[]: the channels in the order of their devices, each {@code type=console,name=console0,
   * key=value,...}; a comma or backslash in a value is written with a backslash before it. The rest
   * of the keys are the driver's. The name defaults to the type and a number.
   */
  public static final String CHANNELS = "channels";

  /** Boolean: start at once; default false. */
  public static final String AUTOSTART = "autostart";

  /** Integer: processes that hold guest address spaces, 2 to 64 (strict: 63); default 24. */
  public static final String SPACES = "spaces";

  /**
   * String: {@code strict}: guest user code runs in host processes that map nothing but its own
   * memory; {@code shared}: it shares a process with the guest kernel, which is faster, for guests
   * that trust their own processes. Default {@code shared}.
   */
  public static final String ISOLATION = "isolation";

  /**
   * String: which host CPUs the machine's processes may use, such as {@code 0,2-3}. A shared
   * machine is kept on one of them, as only one of its processes runs at any time, a strict one on
   * two. Default: all that the monitor may use.
   */
  public static final String PIN = "pin";

  /** Least memory in bytes: 24 MiB. */
  public static final long MEMORY_MIN = 24L << 20;

  /** Most memory in bytes: 3 GiB; the guest-physical space above holds the devices. */
  public static final long MEMORY_MAX = 3L << 30;

  /** Default memory in bytes: 256 MiB. */
  public static final long MEMORY_DEFAULT = 256L << 20;

  /** Service property of a {@link VirtualMachine}, a String: its name. */
  public static final String SERVICE_NAME = "plex86.vm.name";

  /**
   * Name space of the capability of a guest image. Attributes: {@code abi} (Long, see guest_abi.h),
   * {@code version}, {@code kernel} and {@code initramfs} (names of entries in the bundle).
   */
  public static final String GUEST_NAMESPACE = "plex86.guest";

  private VmProperties() {}
}
