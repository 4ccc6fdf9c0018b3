// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.itest;

import java.util.List;

/** The process models that guests are tested in. */
final class IsolationModes {
  /** Values of {@code --isolation}. */
  static final List<String> ALL = List.of("shared", "strict");

  private IsolationModes() {}
}
