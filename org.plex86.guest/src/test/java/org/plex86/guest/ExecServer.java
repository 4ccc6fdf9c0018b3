// SPDX-License-Identifier: Apache-2.0
package org.plex86.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * The guest's own exec server (guest/init), run on the host over a Unix socket; this side is the
 * host of the protocol that guest/init/exec_protocol.h describes.
 */
final class ExecServer implements AutoCloseable {
  static final int RUN = 1;
  static final int STDIN = 2;
  static final int SIGNAL = 3;
  static final int READY = 0x80;
  static final int STDOUT = 0x81;
  static final int STDERR = 0x82;
  static final int EXIT = 0x83;
  static final int STDIN_WINDOW = 0x84;
  static final int MAX_PAYLOAD = 65536;
  private static final int HEADER = 8;

  /** What arrives from the guest. */
  record Frame(int type, ByteBuffer payload) {
    /** The payload as one number, as EXIT and STDIN_WINDOW have it. */
    int number() {
      return payload.getInt(0);
    }
  }

  /** All that a command gave. */
  record Outcome(ByteBuffer stdout, ByteBuffer stderr, int status) {
    String text() {
      return StandardCharsets.UTF_8.decode(stdout.duplicate()).toString();
    }

    String errorText() {
      return StandardCharsets.UTF_8.decode(stderr.duplicate()).toString();
    }
  }

  private final Path folder;
  private final Process process;
  private final SocketChannel port;

  private ExecServer(Path folder, Process process, SocketChannel port) {
    this.folder = folder;
    this.process = process;
    this.port = port;
  }

  static ExecServer start() throws IOException {
    Path folder = Files.createTempDirectory("plex86-exec");
    Path socket = folder.resolve("port");
    try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listener.bind(UnixDomainSocketAddress.of(socket));
      Process process =
          new ProcessBuilder(System.getProperty("plex86.exec.harness"), socket.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return new ExecServer(folder, process, listener.accept());
    }
  }

  void send(int type, byte... payload) throws IOException {
    sendHeader(type, payload.length);
    sendRaw(ByteBuffer.wrap(payload));
  }

  /** A header that may promise anything. */
  void sendHeader(int type, int length) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    sendRaw(header.put((byte) type).put((byte) 0).putShort((short) 0).putInt(length).flip());
  }

  void run(String command) throws IOException {
    send(RUN, command.getBytes(StandardCharsets.UTF_8));
  }

  void signal(int number) throws IOException {
    send(SIGNAL, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array());
  }

  Frame receive() throws IOException {
    ByteBuffer header = read(HEADER);
    int type = header.get() & 0xff;
    int length = header.getInt(4);
    return new Frame(type, read(length));
  }

  /** What the command gives until it ends, without input. */
  Outcome finish() throws IOException {
    return finish(new byte[0]);
  }

  /**
   * What the command gives until it ends, while it is given input as it grants it, and then the end
   * of input. One thread is enough: the guest reads its port whatever else it waits for.
   */
  Outcome finish(byte[] input) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int sent = 0;
    while (true) {
      Frame frame = receive();
      switch (frame.type()) {
        case STDOUT -> out.writeBytes(frame.payload().array());
        case STDERR -> err.writeBytes(frame.payload().array());
        case STDIN_WINDOW -> sent = sendGranted(input, sent, frame.number());
        case EXIT -> {
          return new Outcome(
              ByteBuffer.wrap(out.toByteArray()),
              ByteBuffer.wrap(err.toByteArray()),
              frame.number());
        }
        default -> assertThat(frame.type()).isEqualTo(READY);
      }
    }
  }

  private int sendGranted(byte[] input, int sent, int granted) throws IOException {
    int end = Math.min(input.length, sent + granted);
    for (int from = sent; from < end; from += MAX_PAYLOAD) {
      send(STDIN, Arrays.copyOfRange(input, from, Math.min(end, from + MAX_PAYLOAD)));
    }
    if (end == input.length && sent < end) {
      send(STDIN);
    }
    return end;
  }

  /** Waits until the guest grants input, and says how much; what comes before is lost. */
  int awaitWindow() throws IOException {
    return await(STDIN_WINDOW).number();
  }

  /** Waits until the command has written something; that, and what came before, is lost. */
  void awaitOutput() throws IOException {
    await(STDOUT);
  }

  private Frame await(int type) throws IOException {
    Frame frame = receive();
    while (frame.type() != type) {
      frame = receive();
    }
    return frame;
  }

  /** True once the server has ended, as it does after a hang-up. */
  boolean endsWithin(long seconds) throws InterruptedException {
    return process.waitFor(seconds, TimeUnit.SECONDS);
  }

  boolean isRunning() {
    return process.isAlive();
  }

  void hangUp() throws IOException {
    port.close();
  }

  @Override
  public void close() throws IOException {
    port.close();
    process.destroyForcibly();
    Files.deleteIfExists(folder.resolve("port"));
    Files.delete(folder);
  }

  private ByteBuffer read(int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (port.read(buffer) < 0) {
        throw new EOFException("the exec server has ended");
      }
    }
    return buffer.flip();
  }

  private void sendRaw(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      port.write(bytes);
    }
  }
}
