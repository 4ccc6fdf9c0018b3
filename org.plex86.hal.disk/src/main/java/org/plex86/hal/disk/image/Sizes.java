// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.image;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: bytes, or a number with K, M, G or T (powers of 1024). */
public final class Sizes {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,18})([KMGTkmgt]?)");
  private static final String UNITS = "KMGT";

  /** The largest disk: 2^56 bytes is what a qcow2 image can name. */
  static final long MAX = 1L << 55;

  private Sizes() {}

  /**
   * Parses a size.
   *
   * @throws IOException one line for the user
   */
  public static long parse(String text) throws IOException {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      throw new IOException(
          "'" + text + "' is not a size; give a number with K, M, G or T, such as 10G");
    }
    long number = Long.parseLong(form.group(1));
    int shift = 10 * (UNITS.indexOf(form.group(2).toUpperCase(java.util.Locale.ROOT)) + 1);
    if (form.group(2).isEmpty()) {
      shift = 0;
    }
    if (number > MAX >> shift) {
      throw new IOException("'" + text + "' is out of range; the largest disk has 32768T");
    }
    return number << shift;
  }

  /**
   * The size of a disk: whole sectors of 512 bytes.
   *
   * @throws IOException one line for the user
   */
  public static long disk(String text) throws IOException {
    long bytes = parse(text);
    if (bytes == 0 || bytes % 512 != 0) {
      throw new IOException("a disk of '" + text + "' is not possible; give a multiple of 512");
    }
    return bytes;
  }

  /** For people: the largest unit that gives a whole number, or one with a decimal place. */
  public static String text(long bytes) {
    int unit = 0;
    long scale = 1;
    while (unit < UNITS.length() && bytes / scale >= 1024) {
      scale <<= 10;
      unit++;
    }
    if (unit == 0) {
      return bytes + " bytes";
    }
    String number =
        bytes % scale == 0
            ? Long.toString(bytes / scale)
            : String.format(java.util.Locale.ROOT, "%.1f", (double) bytes / scale);
    return number + UNITS.charAt(unit - 1);
  }
}
