// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.util.BitSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** CPUs of the host, written as the kernel does: {@code 0,2-3}. */
final class CpuList {
  /** More than any host has that Linux supports on x86-64 (CONFIG_NR_CPUS is 8192 at most). */
  static final int MAX = 8192;

  private static final Pattern RANGE = Pattern.compile("(\\d{1,4})(?:-(\\d{1,4}))?");

  private CpuList() {}

  /** Reads a list; of empty text makes an empty set. */
  static BitSet parse(String text) throws VmConfigException {
    BitSet cpus = new BitSet();
    if (text.isBlank()) {
      return cpus;
    }
    for (String part : text.split(",", -1)) {
      Matcher matcher = RANGE.matcher(part.strip());
      if (!matcher.matches()) {
        throw wrong(text);
      }
      int first = Integer.parseInt(matcher.group(1));
      int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
      if (last < first || last >= MAX) {
        throw wrong(text);
      }
      cpus.set(first, last + 1);
    }
    return cpus;
  }

  private static VmConfigException wrong(String text) {
    return new VmConfigException(
        "'" + text + "' is no list of CPUs; write it like 0,2-3, with numbers below " + MAX);
  }
}
