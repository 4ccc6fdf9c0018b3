// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.util.List;

/** t. */
public final class SwapSuite implements Suite {
  public static final String NAME = "swap";
  static final List<String> TYPES = List.of("disk", "net", "console");
  static String p50(String t) { return "swap_" + t + "_p50"; }
  static String p99(String t) { return "swap_" + t + "_p99"; }
  static String wrong(String t) { return "swap_" + t + "_wrong"; }
  @Override
  public String name() { return NAME; }
  @Override
  public void measure(Context context) {}
}
