// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.exec;

import java.io.Serial;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.plex86.hal.console.io.Saved;

/** Takes apart what comes from the guest, in whatever pieces it comes. One thread. */
final class FrameDecoder {
  /** What the frames say. */
  interface Handler {
    void ready();

    /** Takes as many of the remaining bytes of standard output or error as there is room for. */
    void output(boolean error, ByteBuffer bytes);

    /** The guest takes more bytes of standard input, 0 to 2^32 - 1. */
    void window(long bytes);

    /** The command ended, with a status of 0 to 2^32 - 1. */
    void exited(long status);
  }

  /** The guest broke the protocol. */
  static final class ProtocolException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
      super(message);
    }
  }

  private final ByteBuffer header =
      ByteBuffer.allocate(Frame.HEADER).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer number =
      ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private int type;
  private int left;

  /** Goes on where another decoder was. */
  void resume(Saved saved) {
    if (saved.has("header")) {
      byte[] partOfHeader = saved.takeBytes("header");
      header.clear().put(partOfHeader, 0, Math.min(partOfHeader.length, Frame.HEADER));
      byte[] partOfNumber = saved.takeBytes("number");
      number.clear().put(partOfNumber, 0, Math.min(partOfNumber.length, Integer.BYTES));
      type = (int) saved.takeNumber("type", 0);
      left = (int) saved.takeNumber("left", 0);
    }
  }

  void save(Saved into) {
    into.putBytes("header", header.duplicate().flip());
    into.putBytes("number", number.duplicate().flip());
    into.put("type", (long) type);
    into.put("left", (long) left);
  }

  /**
   * Takes the next bytes, as many as the handler has room for.
   *
   * @throws ProtocolException they are none of the protocol's
   */
  void feed(ByteBuffer bytes, Handler handler) throws ProtocolException {
    while (bytes.hasRemaining()) {
      if (header.hasRemaining()) {
        move(bytes, header);
        if (!header.hasRemaining()) {
          begin(handler);
        }
      } else if (type == Frame.STDOUT || type == Frame.STDERR) {
        ByteBuffer part = bytes.slice(bytes.position(), Math.min(left, bytes.remaining()));
        handler.output(type == Frame.STDERR, part);
        bytes.position(bytes.position() + part.position());
        left -= part.position();
        if (left == 0) {
          header.clear();
        }
        if (part.hasRemaining()) {
          return;
        }
      } else {
        move(bytes, number);
        if (!number.hasRemaining()) {
          header.clear();
          tell(handler, Integer.toUnsignedLong(number.getInt(0)));
        }
      }
    }
  }

  private void begin(Handler handler) throws ProtocolException {
    int word = header.getInt(0);
    type = word & 0xff;
    left = header.getInt(4);
    boolean fits =
        switch (type) {
          case Frame.READY -> left == 0;
          case Frame.STDOUT, Frame.STDERR -> left >= 0 && left <= Frame.MAX_PAYLOAD;
          case Frame.EXIT, Frame.STDIN_WINDOW -> left == Integer.BYTES;
          default -> false;
        };
    if (!fits || word >>> 8 != 0) {
      throw new ProtocolException(
          String.format("header 0x%08x, length %d", word, Integer.toUnsignedLong(left)));
    }
    number.clear();
    if (left == 0) {
      header.clear();
      if (type == Frame.READY) {
        handler.ready();
      }
    }
  }

  private void tell(Handler handler, long value) {
    if (type == Frame.EXIT) {
      handler.exited(value);
    } else {
      handler.window(value);
    }
  }

  private static void move(ByteBuffer from, ByteBuffer to) {
    int count = Math.min(from.remaining(), to.remaining());
    to.put(to.position(), from, from.position(), count);
    to.position(to.position() + count);
    from.position(from.position() + count);
  }
}
