// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest.lingering;

import java.util.List;
import org.plex86.hal.api.Channel;

/** What channels of virtio-rng (device ID 4) that hold nothing have in common. */
public abstract class RngChannel implements Channel {
  @Override
  public int deviceId() {
    return 4;
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public List<Integer> queueSizes() {
    return List.of(8);
  }

  @Override
  public byte[] configSpace() {
    return new byte[0];
  }

  @Override
  public void start(long features) {
    // begins with the first buffer
  }

  @Override
  public void reset() {
    // holds nothing
  }

  @Override
  public void close() {
    // holds nothing
  }
}
