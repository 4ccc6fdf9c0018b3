// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.device;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/** The last lines that a guest printed. Any thread. */
public final class ConsoleTail {
  private static final int LINES = 20;
  private static final int COLUMNS = 256;
  private static final int BYTES = 1 << 13;

  /** ECMA-48 control sequences, then what is left of C0 but line feeds. */
  private static final Pattern CONTROLS =
      Pattern.compile("\\x1b\\[[0-?]*[ -/]*[@-~]|[\\x00-\\x09\\x0b-\\x1f\\x7f]");

  private final byte[] last = new byte[BYTES];
  private long total;

  /** Takes note of what the guest printed: the remaining bytes, which are consumed. */
  public synchronized void append(ByteBuffer bytes) {
    int skip = Math.max(0, bytes.remaining() - BYTES);
    bytes.position(bytes.position() + skip);
    total += skip;
    while (bytes.hasRemaining()) {
      int to = (int) (total % BYTES);
      int part = Math.min(bytes.remaining(), BYTES - to);
      bytes.get(last, to, part);
      total += part;
    }
  }

  /** The last bytes, for a tail that goes on from here. */
  byte[] bytes() {
    synchronized (this) {
      int length = (int) Math.min(total, BYTES);
      byte[] text = new byte[length];
      for (int i = 0; i < length; i++) {
        text[i] = last[(int) ((total - length + i) % BYTES)];
      }
      return text;
    }
  }

  /** At most 20 lines, oldest first, each of at most 256 characters, without control characters. */
  public List<String> lines() {
    String clean = CONTROLS.matcher(new String(bytes(), StandardCharsets.UTF_8)).replaceAll("");
    List<String> lines =
        clean
            .lines()
            .filter(line -> !line.isBlank())
            .map(line -> line.substring(0, Math.min(line.length(), COLUMNS)))
            .toList();
    return lines.subList(Math.max(0, lines.size() - LINES), lines.size());
  }
}
