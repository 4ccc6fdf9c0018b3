// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest.lingering;

/** What a driver needs only once its bundle has stopped. */
final class Lazy {
  private Lazy() {}

  static byte letter() {
    return 'z';
  }
}
