// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm;

import java.io.IOException;
import java.util.List;

/** What the host does while the guest does its load. */
interface HostSide {
  /** Nothing. */
  HostSide IDLE = new HostSide() {};

  /** The guest is ready for it. */
  default void start() throws IOException {}

  /** What has passed each way so far. */
  default long bytes() {
    return 0;
  }

  /** The load is to end. Returns when this side of it has. */
  default void stop() throws InterruptedException {}

  /** What was wrong; after {@link #stop}. */
  default List<String> problems() {
    return List.of();
  }

  /** What was done, for people; after {@link #stop}. */
  default List<String> told() {
    return List.of();
  }
}
