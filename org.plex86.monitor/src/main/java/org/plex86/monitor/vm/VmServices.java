// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.plex86.monitor.boot.BootException;
import org.plex86.monitor.boot.BootFiles;
import org.plex86.monitor.hal.DriverRegistry;

/** What all machines of a container share. Any thread. */
interface VmServices {
  /** The executable of the nexus. */
  Path executable() throws IOException;

  /** Where the kernel and the initial RAM disk of a machine are. */
  BootFiles bootFiles(VmConfig config) throws BootException;

  /** The drivers of channels. */
  DriverRegistry drivers();

  /** On which CPUs machines run. */
  Placement placement();

  /** Runs a task after a while, unless the monitor goes before. It must not block. */
  void later(Duration delay, Runnable task);
}
