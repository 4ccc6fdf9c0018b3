// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.result;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The values of one quantity over the repetitions, in their order. */
public final class Series {
  private final List<Double> values = new ArrayList<>();

  public void add(double value) {
    values.add(value);
  }

  public List<Double> values() {
    return List.copyOf(values);
  }

  public boolean isEmpty() {
    return values.isEmpty();
  }

  /** The middle value, or the mean of the two in the middle. */
  public double median() {
    if (values.isEmpty()) {
      throw new IllegalStateException("no values");
    }
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  public double min() {
    return Collections.min(values);
  }

  public double max() {
    return Collections.max(values);
  }

  /**
   * This divided by {@code other}, repetition by repetition: what was measured one after the other
   * met the same state of the host.
   */
  public Series dividedBy(Series other) {
    Series ratio = new Series();
    for (int i = 0; i < Math.min(values.size(), other.values.size()); i++) {
      ratio.add(values.get(i) / other.values.get(i));
    }
    return ratio;
  }
}
