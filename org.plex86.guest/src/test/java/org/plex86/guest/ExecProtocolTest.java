// SPDX-License-Identifier: Apache-2.0
package org.plex86.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.plex86.guest.ExecServer.Outcome;

/**
 * Process 1's exec server keeps to the protocol, and nothing that a command or a host does blocks
 * it.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ExecProtocolTest {
  private ExecServer server;

  /** The harness is a program of the guest: 32 bits, which not every host runs. */
  @BeforeEach
  void start() throws IOException {
    try {
      server = ExecServer.start();
    } catch (IOException e) {
      assumeThat(e).message().doesNotContain("Exec format error");
      throw e;
    }
  }

  @AfterEach
  void close() throws IOException {
    if (server != null) {
      server.close();
    }
  }

  @Test
  void readyComesFirst() throws IOException {
    assertThat(server.receive().type()).isEqualTo(ExecServer.READY);
  }

  @Test
  void exitStatusIsTheCommandsOwn() throws IOException {
    server.run("exit 7");
    assertThat(server.finish().status()).isEqualTo(7);
  }

  @Test
  void streamsAreSeparate() throws IOException {
    server.run("echo out; echo err >&2");
    Outcome outcome = server.finish();
    assertThat(outcome.text()).isEqualTo("out\n");
    assertThat(outcome.errorText()).isEqualTo("err\n");
  }

  @Test
  void anyByteGoesBothWaysUnchanged() throws IOException {
    byte[] bytes = new byte[3_000_000];
    new Random(1).nextBytes(bytes);
    server.run("tee /dev/stderr");
    Outcome outcome = server.finish(bytes);
    assertThat(outcome.stdout().equals(ByteBuffer.wrap(bytes))).isTrue();
    assertThat(outcome.stderr().equals(ByteBuffer.wrap(bytes))).isTrue();
  }

  @Test
  void outputFlowsThoughTheCommandReadsNoInput() throws IOException {
    server.run("head -c 2000000 /dev/zero; head -c 2000000 /dev/zero >&2");
    int window = server.awaitWindow();
    server.send(ExecServer.STDIN, new byte[Math.min(window, ExecServer.MAX_PAYLOAD)]);
    server.send(ExecServer.STDIN, new byte[Math.min(window, ExecServer.MAX_PAYLOAD)]);
    Outcome outcome = server.finish();
    assertThat(outcome.stdout().remaining()).isEqualTo(2_000_000);
    assertThat(outcome.stderr().remaining()).isEqualTo(2_000_000);
  }

  @Test
  void signalArrivesThoughInputIsFull() throws IOException {
    server.run("sleep 60");
    server.awaitWindow();
    server.send(ExecServer.STDIN, new byte[ExecServer.MAX_PAYLOAD]);
    server.send(ExecServer.STDIN, new byte[ExecServer.MAX_PAYLOAD]);
    server.signal(15);
    assertThat(server.finish().status()).isEqualTo(128 + 15);
  }

  @Test
  void signalReachesTheWholeProcessGroup() throws IOException {
    server.run("trap 'exit 9' INT; (echo running; sleep 60) | cat");
    server.awaitOutput();
    server.signal(2);
    assertThat(server.finish().status()).isEqualTo(9);
  }

  @Test
  void endOfInputIsPassedOn() throws IOException {
    server.run("wc -c");
    server.awaitWindow();
    server.send(ExecServer.STDIN, new byte[1000]);
    server.send(ExecServer.STDIN);
    assertThat(server.finish().text().trim()).isEqualTo("1000");
  }

  @Test
  void inputThatTheCommandDoesNotWantIsDropped() throws IOException {
    server.run("exec 0<&-; sleep 0.2; echo done");
    server.awaitWindow();
    server.send(ExecServer.STDIN, new byte[ExecServer.MAX_PAYLOAD]);
    assertThat(server.finish().text()).isEqualTo("done\n");
  }

  @Test
  void backgroundProcessDoesNotHoldTheEndBack() throws IOException {
    server.run("sleep 60 & echo started");
    assertThat(server.finish().text()).isEqualTo("started\n");
  }

  @Test
  void backgroundProcessThatWritesOnDoesNotHoldTheEndBack() throws IOException {
    server.run("yes & sleep 0.3; exit 3");
    assertThat(server.finish().status()).isEqualTo(3);
  }

  @Test
  void allThatWasWrittenBeforeTheEndComesBeforeExit() throws IOException {
    server.run("head -c 200000 /dev/zero; kill -9 $$");
    Outcome outcome = server.finish();
    assertThat(outcome.stdout().remaining()).isEqualTo(200_000);
    assertThat(outcome.status()).isEqualTo(128 + 9);
  }

  @Test
  void endsOnlyWhenTheHostHangsUp() throws Exception {
    server.run("true");
    server.finish();
    assertThat(server.isRunning()).isTrue();
    server.hangUp();
    assertThat(server.endsWithin(10)).isTrue();
  }

  @Test
  void secondCommandIsRefused() throws IOException {
    server.run("sleep 60");
    server.awaitWindow();
    server.run("echo two");
    assertThatThrownBy(server::finish).isInstanceOf(EOFException.class);
  }

  @Test
  void moreInputThanGrantedIsRefused() throws IOException {
    server.run("sleep 60");
    int window = server.awaitWindow();
    // the command's pipe takes some of it, too: another window's worth is more than both hold
    assertThatThrownBy(
            () -> {
              for (int sent = 0; sent <= 2 * window; sent += ExecServer.MAX_PAYLOAD) {
                server.send(ExecServer.STDIN, new byte[ExecServer.MAX_PAYLOAD]);
              }
              server.finish();
            })
        .isInstanceOf(IOException.class);
  }

  @Test
  void frameThatIsTooLongIsRefused() throws IOException {
    server.sendHeader(ExecServer.STDIN, ExecServer.MAX_PAYLOAD + 1);
    assertThatThrownBy(server::finish).isInstanceOf(EOFException.class);
  }

  @Test
  void frameOfALaterHostIsIgnored() throws IOException {
    server.send(0x7f, new byte[10]);
    server.run("echo here");
    assertThat(server.finish().text()).isEqualTo("here\n");
  }
}
