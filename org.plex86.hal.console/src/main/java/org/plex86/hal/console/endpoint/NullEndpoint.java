// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.endpoint;

import java.nio.ByteBuffer;
import org.plex86.hal.console.io.Saved;

/** Shows nothing and has no input. */
public final class NullEndpoint implements Endpoint {
  @Override
  public void open(Listener listener, Saved saved) {}

  @Override
  public int write(ByteBuffer bytes) {
    int count = bytes.remaining();
    bytes.position(bytes.limit());
    return count;
  }

  @Override
  public void close() {}
}
