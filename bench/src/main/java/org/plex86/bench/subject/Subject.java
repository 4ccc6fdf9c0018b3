// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.subject;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.plex86.bench.host.ChildProcess;

/** Something that runs Linux i386 programs and is measured: the host itself, or a kind of VM. */
public interface Subject {
  /** Its name in tables and JSON. */
  String name();

  /** Why it cannot be measured here and the command that helps, in one line; empty if it can. */
  Optional<String> missing();

  /**
   * Starts a fresh instance that runs {@code workload}. What the script prints are lines of the
   * process's output. The instance is ended after {@code limit}.
   */
  ChildProcess start(Workload workload, Duration limit) throws IOException;

  /** Waits for the end of an instance and returns the status of its script. */
  default int await(ChildProcess instance) throws InterruptedException {
    return instance.await();
  }
}
