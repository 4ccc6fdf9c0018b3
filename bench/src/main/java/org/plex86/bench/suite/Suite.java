// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.io.IOException;

/** A set of measurements that has a name on the command line. */
public interface Suite {
  String name();

  /** Measures all of it, repetition by repetition, in each the subjects one after the other. */
  void measure(Context context) throws IOException, InterruptedException;
}
