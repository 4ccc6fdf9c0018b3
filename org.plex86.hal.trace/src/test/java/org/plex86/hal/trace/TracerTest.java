// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.HalException;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.hal.testkit.TestPacket;
import org.plex86.hal.testkit.TestSlot;

class TracerTest {
  private static final int NET = 1;
  private static final int BLOCK = 2;

  @TempDir Path folder;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Frame(byte[] start, int length) {}

  /** Answers every packet at once: with what it is given to answer. */
  private static final class Device implements Channel {
    private final int id;
    private final int queueCount;
    private final ChannelContext context;
    private byte[] answer = {};

    Device(int id, int queueCount, ChannelContext context) {
      this.id = id;
      this.queueCount = queueCount;
      this.context = context;
    }

    @Override
    public int deviceId() {
      return id;
    }

    @Override
    public long features() {
      return 0;
    }

    @Override
    public List<Integer> queueSizes() {
      return Collections.nCopies(queueCount, 16);
    }

    @Override
    public byte[] configSpace() {
      return new byte[8];
    }

    @Override
    public void start(long features) {}

    @Override
    public void notify(int index) {
      PacketQueue queue = context.queue(index);
      for (Packet packet; (packet = queue.poll()) != null; ) {
        queue.complete(packet, packet.write(0, answer, 0, answer.length));
      }
      queue.flush();
    }

    @Override
    public void reset() {}

    @Override
    public void close() {}
  }

  private record Config() implements ChannelConfig {
    @Override
    public Map<String, String> values() {
      return Map.of();
    }

    @Override
    public String get(String key, String defaultValue) {
      return defaultValue;
    }

    @Override
    public boolean getSwitch(String key, boolean defaultValue) {
      return defaultValue;
    }

    @Override
    public void requireKnown(Set<String> known) {}
  }

  private final Device[] device = new Device[1];

  private TestSlot slot(TraceFolder traces, int id, int queues) throws HalException {
    return new TestSlot(
        context ->
            new Tracer(traces, 100)
                .open(
                    context,
                    new Config(),
                    (below, config) -> {
                      device[0] = new Device(id, queues, below);
                      return device[0];
                    }));
  }

  private void send(TestSlot slot, int queue, TestPacket packet, byte... answer) {
    slot.run(
        () -> {
          device[0].answer = answer;
          slot.virtqueue(queue).add(packet);
          slot.channel().notify(queue);
        });
  }

  private byte[] content(String suffix) throws IOException {
    try (var files = Files.list(folder)) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(1);
      assertThat(all.get(0).getFileName().toString())
          .matches("vm1-console0-\\d{8}-\\d{6}" + suffix.replace(".", "\\."));
      return Files.readAllBytes(all.get(0));
    }
  }

  private List<Frame> frames() throws IOException {
    ByteBuffer pcap = ByteBuffer.wrap(content(".pcap")).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(pcap.getInt()).isEqualTo(0xa1b23c4d);
    assertThat(List.of(pcap.getShort(), pcap.getShort())).containsExactly((short) 2, (short) 4);
    assertThat(List.of(pcap.getInt(), pcap.getInt(), pcap.getInt(), pcap.getInt()))
        .containsExactly(0, 0, 100, 1);
    List<Frame> frames = new ArrayList<>();
    while (pcap.hasRemaining()) {
      assertThat(pcap.getInt()).isPositive();
      assertThat(pcap.getInt()).isBetween(0, 999_999_999);
      byte[] start = new byte[pcap.getInt()];
      int length = pcap.getInt();
      pcap.get(start);
      frames.add(new Frame(start, length));
    }
    return frames;
  }

  private static byte[] bytes(int length, int first) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (first + i);
    }
    return bytes;
  }

  private static byte[] withHeader(int buffers, byte[] frame) {
    return ByteBuffer.allocate(12 + frame.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort(10, (short) buffers)
        .put(12, frame)
        .array();
  }

  @Test
  void framesBothWaysAreWrittenWithoutTheirHeaders() throws Exception {
    try (TraceFolder traces = new TraceFolder(folder);
        TestSlot slot = slot(traces, NET, 3)) {
      send(slot, 1, TestPacket.sent(withHeader(0, bytes(60, 1))));
      send(slot, 0, TestPacket.room(200), withHeader(1, bytes(70, 2)));
      send(slot, 1, TestPacket.sent(withHeader(0, bytes(500, 3))));
      send(slot, 2, TestPacket.sent(bytes(50, 4))); // the control queue
      send(slot, 1, TestPacket.sent(bytes(5, 5))); // less than a header
    }
    List<Frame> frames = frames();
    assertThat(frames).extracting(Frame::length).containsExactly(60, 70, 500);
    assertThat(frames.get(0).start()).isEqualTo(bytes(60, 1));
    assertThat(frames.get(1).start()).isEqualTo(bytes(70, 2));
    assertThat(frames.get(2).start()).as("the snaplen").isEqualTo(bytes(100, 3));
  }

  @Test
  void frameInSeveralBuffersIsOne() throws Exception {
    byte[] whole = bytes(90, 7);
    byte[] first = withHeader(3, Arrays.copyOf(whole, 30));
    try (TraceFolder traces = new TraceFolder(folder);
        TestSlot slot = slot(traces, NET, 2)) {
      send(slot, 0, TestPacket.room(42), first);
      send(slot, 0, TestPacket.room(42), Arrays.copyOfRange(whole, 30, 70));
      send(slot, 0, TestPacket.room(42), Arrays.copyOfRange(whole, 70, 90));
      send(slot, 0, TestPacket.room(42), withHeader(0, bytes(20, 9)));
    }
    List<Frame> frames = frames();
    assertThat(frames).extracting(Frame::length).containsExactly(90, 20);
    assertThat(frames.get(0).start()).isEqualTo(whole);
  }

  @Test
  void diskHasALog() throws Exception {
    try (TraceFolder traces = new TraceFolder(folder);
        TestSlot slot = slot(traces, BLOCK, 1)) {
      send(slot, 0, TestPacket.sent(bytes(20, 4)));
    }
    assertThat(new String(content(".log"), StandardCharsets.US_ASCII).lines())
        .first()
        .isEqualTo("# time request sector bytes status microseconds");
  }

  @Test
  void otherDevicesAreLetPass() throws Exception {
    try (TraceFolder traces = new TraceFolder(folder);
        TestSlot slot = slot(traces, 4, 1)) {
      send(slot, 0, TestPacket.room(10), bytes(10, 1));
      assertThat(slot.virtqueue(0).takeUsed().written()).isEqualTo(10);
    }
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void folderThatCannotBeIsNamed() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    try (TraceFolder traces = new TraceFolder(file)) {
      assertThatThrownBy(() -> slot(traces, NET, 2))
          .isInstanceOf(HalException.class)
          .hasMessageContaining("no trace can be written to the folder " + file)
          .hasMessageContaining("org.plex86.hal.trace");
    }
  }
}
