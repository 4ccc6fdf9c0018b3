// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.qcow2;

import java.io.IOException;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.IoVector;

/** Reads of an image below another one, which may be smaller: past its end there are zeros. */
final class Below {
  private Below() {}

  static boolean read(DiskImage backing, long at, IoVector into, boolean wait) throws IOException {
    long there = Math.max(0, Math.min(into.size(), backing.size() - at));
    if (there < into.size()) {
      into.slice(there, into.size() - there).zero();
    }
    if (there == 0) {
      return true;
    }
    IoVector part = into.slice(0, there);
    if (!wait) {
      return backing.tryRead(at, part);
    }
    backing.read(at, part);
    return true;
  }
}
