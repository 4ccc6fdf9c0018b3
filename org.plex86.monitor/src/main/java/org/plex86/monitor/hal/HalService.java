// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import org.osgi.framework.Version;

/** A service of a third party's bundle that takes part in serving a channel. */
sealed interface HalService permits DriverService, InterposerService {
  /** {@code service.ranking}. */
  int ranking();

  /** {@code service.id}: unique. */
  long id();

  /** Symbolic name of its bundle. */
  String bundle();

  /** Version of its bundle. */
  Version version();

  /** For people: bundle and version. */
  default String label() {
    return bundle() + " " + version();
  }
}
