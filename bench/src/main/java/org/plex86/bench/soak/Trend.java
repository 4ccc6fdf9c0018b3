// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.soak;

import java.util.ArrayList;
import java.util.List;

/** One quantity over time. */
final class Trend {
  private record Point(double seconds, double value) {}

  private final List<Point> points = new ArrayList<>();

  void add(double seconds, double value) {
    points.add(new Point(seconds, value));
  }

  int size() {
    return points.size();
  }

  double last() {
    return points.get(points.size() - 1).value();
  }

  double highest() {
    return points.stream().mapToDouble(Point::value).max().orElseThrow();
  }

  /** Median of the values between two fractions (0 to 1) of the time that was watched. */
  double median(double from, double to) {
    double end = points.get(points.size() - 1).seconds();
    double[] values =
        points.stream()
            .filter(point -> point.seconds() >= from * end && point.seconds() <= to * end)
            .mapToDouble(Point::value)
            .sorted()
            .toArray();
    if (values.length == 0) {
      throw new IllegalStateException("no samples between %s and %s".formatted(from, to));
    }
    return values[values.length / 2];
  }
}
