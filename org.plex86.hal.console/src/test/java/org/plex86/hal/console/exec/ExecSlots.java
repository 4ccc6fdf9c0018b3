// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.nio.charset.StandardCharsets;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.device.ConsoleChannel;
import org.plex86.hal.console.device.ConsoleTail;
import org.plex86.hal.console.endpoint.NullEndpoint;
import org.plex86.hal.testkit.TestSlot;

/** Commands whose standard input, output and error are any descriptors. */
public final class ExecSlots {
  private static final int WRITE_ONLY = 1;

  static {
    Native.register(ExecSlots.class, NativeLibrary.getProcess());
  }

  private ExecSlots() {}

  private static native int open(byte[] path, int flags);

  public static ConsoleChannel.ExecOpener port(String command, int in, int out, int err) {
    return host -> new ExecPort(command, in, out, err, host);
  }

  static TestSlot open(String command, int in, int out, int err) throws HalException {
    return new TestSlot(
        context ->
            new ConsoleChannel(
                context,
                new NullEndpoint(),
                port(command, in, out, err),
                false,
                new ConsoleTail()));
  }

  /** Opens a file for writing. */
  static int fd(String path) {
    return open((path + "\0").getBytes(StandardCharsets.UTF_8), WRITE_ONLY);
  }
}
