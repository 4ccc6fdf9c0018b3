// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.plex86.hal.api.HalException;
import org.plex86.hal.net.user.packet.Flow;
import org.plex86.hal.net.user.packet.Ip;
import org.plex86.hal.net.user.setup.Net;

/** TCP between a guest in the test and real sockets of the host's loopback. */
@Timeout(25)
class UserNetTcpTest {
  private static final int BIG = 61_000;
  private static final long MB = 1 << 20;

  private final FakePort port = new FakePort();
  private final ExecutorService host = Executors.newCachedThreadPool();
  private UserNet net;
  private Guest guest;
  private ServerSocket server;
  private int nextPort = 40_000;

  @BeforeEach
  void open() throws Exception {
    server = new ServerSocket(0, 2000, InetAddress.getLoopbackAddress());
    start(List.of());
  }

  private void start(List<String> forwards) throws HalException {
    net = UserNet.open(port, config(forwards), new HashMap<>());
    guest = new Guest(port, net);
    port.call(
        () -> {
          net.start();
          return null;
        });
  }

  private static UserNetConfig config(List<String> forwards) {
    return new UserNetConfig(forwards, Path.of("/nonexistent"), 53);
  }

  @AfterEach
  void close() throws IOException {
    port.call(
        () -> {
          net.close();
          return null;
        });
    port.close();
    host.shutdownNow();
    server.close();
    assertThat(port.crash()).isNull();
  }

  private GuestTcp connect(long bytes, boolean fin, int segment) {
    return connect(Net.GATEWAY4, server.getLocalPort(), bytes, fin, segment);
  }

  private GuestTcp connect(Ip to, int toPort, long bytes, boolean fin, int segment) {
    Flow flow = new Flow(to.isV4() ? Net.GUEST4 : Guest.ADDRESS6, nextPort++, to, toPort);
    GuestTcp made = new GuestTcp(guest, flow, true, segment).sending(bytes, fin);
    port.call(
        () -> {
          made.connect();
          return null;
        });
    return made;
  }

  private static long readAll(Socket socket) throws IOException {
    byte[] buffer = new byte[100_000];
    InputStream in = socket.getInputStream();
    long total = 0;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      Pattern.check(ByteBuffer.wrap(buffer), 0, n, total);
      total += n;
    }
    return total;
  }

  private static void write(Socket socket, long from, long count) throws IOException {
    byte[] buffer = new byte[50_000];
    OutputStream out = socket.getOutputStream();
    for (long at = from; at < from + count; ) {
      int n = (int) Math.min(buffer.length, from + count - at);
      Pattern.fill(buffer, 0, n, at);
      out.write(buffer, 0, n);
      at += n;
    }
  }

  private Socket accept() throws IOException {
    return server.accept();
  }

  @ParameterizedTest
  @CsvSource({"40,0,true", "20,0,false", "3,0.02,true", "1,0.02,false"})
  void transfersBothWaysAtOnce(long megabytes, double loss, boolean offloads) throws Exception {
    port.offloads(offloads);
    guest.loss(loss);
    long size = megabytes * MB + 12_345;
    GuestTcp connection = connect(size, true, offloads ? BIG : 1460);
    try (Socket socket = accept()) {
      CompletableFuture<Long> read = supply(() -> readAll(socket));
      write(socket, 0, size);
      socket.shutdownOutput();
      assertThat(read.get()).isEqualTo(size);
      assertThat(connection.ended.get()).isEqualTo(size);
      connection.sentAll.get();
    }
    untilNoConnections();
  }

  private interface Work<T> {
    T run() throws Exception;
  }

  private <T> CompletableFuture<T> supply(Work<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    host.execute(
        () -> {
          try {
            result.complete(work.run());
            // whatever it is, the test that waits gets it
          } catch (Exception e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  private void untilNoConnections() throws InterruptedException {
    while (port.call(() -> net.connections()) > 0) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  /** A peer that answers at once is looked at, and waited for as any other when it pauses. */
  @Test
  void hostMayAnswerAtOnceAndPause() throws Exception {
    int rounds = 600;
    GuestTcp connection = connect(0, false, BIG);
    try (Socket socket = accept()) {
      socket.setTcpNoDelay(true);
      CompletableFuture<Void> echo =
          supply(
              () -> {
                for (int i = 0; i < rounds; i++) {
                  int value = socket.getInputStream().read();
                  if (i % 100 == 99) {
                    TimeUnit.MILLISECONDS.sleep(20);
                  }
                  socket.getOutputStream().write(value);
                }
                return null;
              });
      connection.connected.get();
      for (int i = 1; i <= rounds; i++) {
        port.call(
            () -> {
              connection.more(1, false);
              return null;
            });
        while (port.call(connection::received) < i) {
          Thread.onSpinWait();
        }
      }
      echo.get();
    }
  }

  @Test
  void refusesWhatTheHostRefuses() throws Exception {
    int closed = server.getLocalPort();
    server.close();
    assertThat(connect(Net.GATEWAY4, closed, 0, true, BIG).connected.get()).isFalse();
    assertThat(connect(Net.GATEWAY6, closed, 0, true, BIG).connected.get()).isFalse();
    untilNoConnections();
  }

  @Test
  void resetOfTheHostResetsTheGuest() throws Exception {
    GuestTcp connection = connect(1000, false, BIG);
    try (Socket socket = accept()) {
      socket.setSoLinger(true, 0);
    }
    assertThatThrownBy(connection.ended::get).isInstanceOf(ExecutionException.class);
    untilNoConnections();
  }

  @Test
  void resetOfTheGuestResetsTheHost() throws Exception {
    GuestTcp connection = connect(0, false, BIG);
    try (Socket socket = accept()) {
      connection.connected.get();
      port.call(
          () -> {
            connection.abort();
            return null;
          });
      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketException.class);
    }
    untilNoConnections();
  }

  @Test
  void guestMayEndItsHalfAndStillReceive() throws Exception {
    GuestTcp connection = connect(10_000, true, BIG);
    try (Socket socket = accept()) {
      assertThat(readAll(socket)).isEqualTo(10_000);
      connection.sentAll.get();
      write(socket, 0, 5 * MB);
    }
    assertThat(connection.ended.get()).isEqualTo(5 * MB);
    untilNoConnections();
  }

  @Test
  void hostMayEndItsHalfAndStillReceive() throws Exception {
    GuestTcp connection = connect(0, false, BIG);
    try (Socket socket = accept()) {
      write(socket, 0, 100);
      socket.shutdownOutput();
      assertThat(connection.ended.get()).isEqualTo(100);
      CompletableFuture<Long> read = supply(() -> readAll(socket));
      port.call(
          () -> {
            connection.more(5 * MB, true);
            return null;
          });
      assertThat(read.get()).isEqualTo(5 * MB);
    }
    untilNoConnections();
  }

  @Test
  void slowHostStopsTheGuest() throws Exception {
    GuestTcp connection = connect(64 * MB, true, BIG);
    try (Socket socket = accept()) {
      connection.connected.get();
      // Not all of it fits into the sockets' buffers and ours, so it waits for the reader.
      assertThat(connection.sentAll.isDone()).isFalse();
      assertThat(readAll(socket)).isEqualTo(64 * MB);
      connection.sentAll.get();
    }
  }

  @Test
  void closedWindowOfTheGuestStopsTheHost() throws Exception {
    GuestTcp connection = connect(0, false, BIG);
    try (Socket socket = accept()) {
      connection.connected.get();
      port.call(
          () -> {
            connection.window(0);
            return null;
          });
      CompletableFuture<Object> written =
          supply(
              () -> {
                write(socket, 0, 64 * MB);
                socket.shutdownOutput();
                return "";
              });
      assertThat(port.<Long>call(connection::received)).isLessThan(64 * MB);
      assertThat(written.isDone()).isFalse();
      port.call(
          () -> {
            connection.window(1 << 20);
            return null;
          });
      assertThat(connection.ended.get()).isEqualTo(64 * MB);
    }
  }

  @Test
  void guestWithoutRoomGetsAllInTheEnd() throws Exception {
    int[] rooms = {3};
    port.rooms(() -> rooms[0]-- > 0 ? 1 : 0);
    GuestTcp connection = connect(0, false, BIG);
    refill(rooms);
    try (Socket socket = accept()) {
      write(socket, 0, 8 * MB);
    }
    assertThat(connection.ended.get()).isEqualTo(8 * MB);
  }

  private void refill(int[] rooms) {
    port.later(
        () -> {
          rooms[0] = 5;
          net.roomAgain();
          refill(rooms);
        },
        2);
  }

  @Test
  void holdsAThousandConnections() throws Exception {
    List<GuestTcp> all = new ArrayList<>();
    List<Socket> sockets = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      all.add(connect(1000, true, BIG));
      sockets.add(accept());
    }
    for (Socket socket : sockets) {
      assertThat(readAll(socket)).isEqualTo(1000);
      write(socket, 0, 2000);
      socket.close();
    }
    for (GuestTcp one : all) {
      assertThat(one.ended.get()).isEqualTo(2000);
    }
    untilNoConnections();
  }

  @Test
  void forwardReachesTheGuestAlsoOfTheNextVersion() throws Exception {
    int free = freePort();
    port.call(
        () -> {
          net.close();
          return null;
        });
    start(List.of("tcp::" + free + ":22"));
    CompletableFuture<GuestTcp> accepted = new CompletableFuture<>();
    guest.onConnection(
        flow -> {
          assertThat(flow.guestPort()).isEqualTo(22);
          GuestTcp made = new GuestTcp(guest, flow, false, BIG).sending(MB, true);
          accepted.complete(made);
          return made;
        });
    swap(List.of("tcp::" + free + ":22"));
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), free)) {
      write(socket, 0, MB);
      socket.shutdownOutput();
      assertThat(readAll(socket)).isEqualTo(MB);
      assertThat(accepted.get().ended.get()).isEqualTo(MB);
    }
    untilNoConnections();
  }

  @Test
  void forwardToAClosedPortOfTheGuestResetsTheClient() throws Exception {
    int free = freePort();
    port.call(
        () -> {
          net.close();
          return null;
        });
    start(List.of("tcp:127.0.0.1:" + free + ":23"));
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), free)) {
      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketException.class);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  @Test
  void portInUseIsRefusedWithOneLine() {
    assertThatThrownBy(
            () ->
                UserNet.open(
                    port,
                    config(List.of("tcp::" + server.getLocalPort() + ":22")),
                    new HashMap<>()))
        .isInstanceOf(HalException.class)
        .hasMessageContaining("cannot listen on port " + server.getLocalPort());
  }

  private void swap(List<String> forwards) {
    port.call(
        () -> {
          Map<String, Object> state = new HashMap<>(net.handOver());
          net = UserNet.open(port, config(forwards), state);
          assertThat(state).isEmpty();
          guest.net(net);
          net.start();
          return null;
        });
  }

  @ParameterizedTest
  @CsvSource({"0", "0.01"})
  void connectionsSurviveManyHandOvers(double loss) throws Exception {
    guest.loss(loss);
    long size = 30 * MB;
    List<GuestTcp> all = new ArrayList<>();
    List<CompletableFuture<Long>> reads = new ArrayList<>();
    List<CompletableFuture<Object>> writes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(connect(size, true, BIG));
      Socket socket = accept();
      reads.add(supply(() -> readAll(socket)));
      writes.add(
          supply(
              () -> {
                write(socket, 0, size);
                socket.shutdownOutput();
                return "";
              }));
    }
    int swaps = 0;
    while (swaps < 50 || !reads.stream().allMatch(CompletableFuture::isDone)) {
      swap(List.of());
      swaps++;
      TimeUnit.MILLISECONDS.sleep(5); // not to wait for anything: load between the swaps
    }
    for (int i = 0; i < all.size(); i++) {
      writes.get(i).get();
      assertThat(reads.get(i).get()).isEqualTo(size);
      assertThat(all.get(i).ended.get()).isEqualTo(size);
    }
    untilNoConnections();
  }
}
