// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The last lines of the guests' consoles, also of those that were not shown and those that have
 * ended: what to tell the user after a crash. An OSGi service. Any thread.
 */
@ProviderType
public interface ConsoleHistory {
  /**
   * The last lines of a guest's console, oldest first, without control characters and colours.
   *
   * @param vmName the name of the virtual machine
   * @return at most 20 lines; empty if there was no such console lately
   */
  List<String> lastLines(String vmName);
}
