// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A size on the command line: a whole number with K, M or G (powers of 1024), or bytes. */
final class MemorySize {
  /** Least guest memory, as the monitor defines it. */
  static final long MIN = 24L << 20;

  /** Most guest memory, as the monitor defines it. */
  static final long MAX = 3L << 30;

  /** Guest memory when nothing else is asked for. */
  static final long DEFAULT = 256L << 20;

  private static final int PAGE = 4096;
  // 13 digits are enough for any size in range, and cannot overflow a long when shifted by 30
  private static final Pattern FORM = Pattern.compile("([0-9]{1,9})([KMGkmg]?)|([0-9]{1,13})");

  private MemorySize() {}

  /**
   * Parses the guest's memory size.
   *
   * @return bytes, a whole number of pages from {@link #MIN} to {@link #MAX}
   */
  static long parse(String option, String text) throws UsageException {
    Matcher m = FORM.matcher(text);
    if (!m.matches()) {
      throw new UsageException(
          option + ": '" + text + "' is not a size; give a number with K, M or G, such as 256M");
    }
    long bytes =
        m.group(3) != null
            ? Long.parseLong(m.group(3))
            : Long.parseLong(m.group(1)) << shift(m.group(2));
    if (bytes < MIN || bytes > MAX) {
      throw new UsageException(option + ": '" + text + "' is out of range; give 24M to 3G");
    }
    if (bytes % PAGE != 0) {
      throw new UsageException(
          option + ": '" + text + "' is not a whole number of pages; give a multiple of 4K");
    }
    return bytes;
  }

  private static int shift(String unit) {
    return switch (unit) {
      case "K", "k" -> 10;
      case "M", "m" -> 20;
      case "G", "g" -> 30;
      default -> 0;
    };
  }
}
