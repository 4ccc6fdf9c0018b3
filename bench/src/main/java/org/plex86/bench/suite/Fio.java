// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import java.util.Optional;

/**
 * A line of fio's terse output, version 3 (its HOWTO, "Terse output"): KiB and operations a second.
 *
 * @param error 0 or an errno
 */
record Fio(String job, int error, double readKib, double reads, double writeKib, double writes) {
  private static final int JOB = 2;
  private static final int ERROR = 4;
  private static final int READ_BANDWIDTH = 6;
  private static final int WRITE_BANDWIDTH = 47;

  /** Empty if it is no such line. */
  static Optional<Fio> parse(String line) {
    String[] fields = line.split(";", -1);
    if (!line.startsWith("3;fio-") || fields.length < WRITE_BANDWIDTH + 2) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new Fio(
              fields[JOB],
              Integer.parseInt(fields[ERROR]),
              Double.parseDouble(fields[READ_BANDWIDTH]),
              Double.parseDouble(fields[READ_BANDWIDTH + 1]),
              Double.parseDouble(fields[WRITE_BANDWIDTH]),
              Double.parseDouble(fields[WRITE_BANDWIDTH + 1])));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }
}
