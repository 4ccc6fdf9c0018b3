// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.framework;

import java.nio.file.Path;

/**
 * A bundle that the launcher installs.
 *
 * @param when when it is started
 * @param file the jar
 */
public record StoredBundle(When when, Path file) {
  /** When a bundle is started; the names are those of the index in the runnable jar. */
  public enum When {
    /** Never: it is a fragment, or others only need its classes. */
    install,
    /** Before the virtual machine is made. */
    start,
    /** While the guest boots already; nothing that the guest needs depends on it. */
    later,
    /** Only where the user named a folder of bundles. */
    watch
  }
}
