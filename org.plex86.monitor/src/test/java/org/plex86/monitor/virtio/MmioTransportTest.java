// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MmioTransportTest {
  private static final long FEATURES = 1L << 5 | 1L << 55;
  private static final DeviceProfile PROFILE =
      new DeviceProfile(4, FEATURES, List.of(64, 16), new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9});

  private final PlainMemory memory = new PlainMemory(1 << 20, 1 << 19);
  private final ByteBuffer page = ByteBuffer.allocateDirect(8192).alignedSlice(4096).slice(0, 4096);
  private final List<String> calls = new ArrayList<>();
  private final List<String> misuses = new ArrayList<>();
  private List<Virtqueue> started = List.of();
  private int raised;
  private final MmioTransport transport =
      new MmioTransport(new RegisterPage(page), memory, () -> raised++, new Recorder());
  private final ModelGuest guest = new ModelGuest(memory, page, transport::write);

  private final class Recorder implements MmioDevice {
    @Override
    public void driverOk(long features, List<Virtqueue> queues) {
      calls.add("driverOk 0x%x".formatted(features));
      started = queues;
    }

    @Override
    public void withdraw(boolean deviceReset) {
      calls.add("withdraw " + deviceReset);
    }

    @Override
    public void wasReset() {
      calls.add("wasReset " + guest.status());
    }

    @Override
    public void configWritten(int offset, byte[] value) {
      calls.add("config " + offset + " " + value.length);
    }

    @Override
    public void kicked(int queue) {
      calls.add("kicked " + queue);
    }

    @Override
    public void misused(String what) {
      misuses.add(what);
    }
  }

  @Test
  void pageWithoutDeviceHasMagicAndVersionAndNoDeviceId() {
    assertThat(guest.read(MmioRegister.MAGIC_VALUE)).isEqualTo(0x74726976);
    assertThat(guest.read(MmioRegister.VERSION)).isEqualTo(2);
    assertThat(guest.deviceId()).isZero();
    guest.negotiate(VirtioFeatures.VERSION_1);
    guest.makeQueue(0, 8, true);
    guest.addStatus(DeviceStatus.DRIVER_OK);
    transport.write(0x100, 4, 1);
    assertThat(guest.status()).isZero();
    assertThat(calls).isEmpty();
  }

  @Test
  void sharedMemoryReadsAllOnes() {
    transport.bind(PROFILE);
    for (int register = MmioRegister.SHM_LEN_LOW; register <= 0xbc; register += 4) {
      assertThat(guest.read(register)).isEqualTo(-1);
    }
  }

  @Test
  void showsWhatTheSelectorsSelect() {
    transport.bind(PROFILE);
    assertThat(guest.offeredFeatures()).isEqualTo(FEATURES | VirtioFeatures.TRANSPORT);
    guest.write(MmioRegister.DEVICE_FEATURES_SEL, 2);
    assertThat(guest.read(MmioRegister.DEVICE_FEATURES)).isZero();
    for (int[] expected : new int[][] {{0, 64}, {1, 16}, {2, 0}, {-1, 0}, {1 << 30, 0}}) {
      guest.write(MmioRegister.QUEUE_SEL, expected[0]);
      assertThat(guest.read(MmioRegister.QUEUE_NUM_MAX)).isEqualTo(expected[1]);
    }
    assertThat(guest.configByte(8)).isEqualTo((byte) 9);
    assertThat(guest.configByte(9)).isZero();
  }

  @Test
  void startsTheDeviceWithItsOwnFeaturesAndTheReadyQueues() {
    transport.bind(PROFILE);
    guest.negotiate(1L << 5 | VirtioFeatures.VERSION_1);
    guest.makeQueue(1, 8, false);
    guest.addStatus(DeviceStatus.DRIVER_OK);
    assertThat(calls).containsExactly("driverOk 0x20");
    assertThat(started.get(0)).isNull();
    assertThat(started.get(1).size()).isEqualTo(8);
    assertThat(guest.status()).isEqualTo(15);
    assertThat(misuses).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1L << 5, 1L << 6 | 1L << 32, 1L << 33 | 1L << 32, -1L})
  void refusesFeaturesThatWereNotOfferedOrLackVersion1(long features) {
    transport.bind(PROFILE);
    assertThat(guest.negotiate(features)).isFalse();
    assertThat(guest.status()).isEqualTo(3);
    assertThat(misuses).hasSize(1);
  }

  @Test
  void featuresAreFixedOnceAccepted() {
    transport.bind(PROFILE);
    guest.negotiate(VirtioFeatures.VERSION_1);
    guest.write(MmioRegister.DRIVER_FEATURES, -1);
    guest.makeQueue(0, 8, false);
    guest.addStatus(DeviceStatus.DRIVER_OK);
    assertThat(calls).containsExactly("driverOk 0x0");
  }

  @Test
  void resetWaitsForTheDeviceAndForgetsEverything() {
    transport.bind(PROFILE);
    guest.probe(64, 16);
    Virtqueue queue = started.get(0);
    guest.reset();
    assertThat(calls).containsExactly("driverOk 0x80000000000020", "withdraw true", "wasReset 0");
    assertThat(queue.isClosed()).isTrue();
    assertThat(guest.status()).isZero();
    guest.write(MmioRegister.QUEUE_SEL, 0);
    assertThat(guest.read(MmioRegister.QUEUE_READY)).isZero();
    guest.reset();
    assertThat(calls).as("nothing to wait for").hasSize(3);
    guest.probe(16, 16);
    assertThat(started.get(0).size()).isEqualTo(16);
  }

  @Test
  void queueTakenBackIsClosedAndTheOthersGoOn() {
    transport.bind(PROFILE);
    guest.probe(64, 16);
    guest.write(MmioRegister.QUEUE_SEL, 1);
    guest.write(MmioRegister.QUEUE_READY, 0);
    assertThat(started.get(1).isClosed()).isTrue();
    assertThat(started.get(0).isClosed()).isFalse();
    assertThat(calls).endsWith("withdraw false");
  }

  @ParameterizedTest
  @CsvSource({
    "3,    0x1000, 0x2000, 0x3000, not a power of two",
    "0,    0x1000, 0x2000, 0x3000, not a power of two",
    "-64,  0x1000, 0x2000, 0x3000, not a power of two",
    "128,  0x1000, 0x2000, 0x3000, from 1 to 64",
    "64,   0x1008, 0x2000, 0x3000, descriptor table at 0x1008 is not aligned",
    "64,   0x1000, 0x2001, 0x3000, available ring at 0x2001 is not aligned",
    "64,   0x1000, 0x2000, 0x3002, used ring at 0x3002 is not aligned",
    "64,   0xffff0, 0x2000, 0x3000, descriptor table of 1024 bytes at 0xffff0 is outside RAM",
    "64,   0x1000, 0x1000000000, 0x3000, available ring of 134 bytes",
    "64,   0x1000, 0x2000, 0xffe00, used ring of 518 bytes",
    "64,   0x1000, 0x2000, -4, used ring of 518 bytes",
    "64,   0x7ff00, 0x2000, 0x3000, crosses a window"
  })
  void refusesQueueThatCannotBe(
      int size, String descriptors, String driver, String device, String reason) {
    transport.bind(PROFILE);
    guest.negotiate(VirtioFeatures.VERSION_1);
    guest.setUpQueue(
        0,
        new QueueLayout(size, Long.decode(descriptors), Long.decode(driver), Long.decode(device)));
    assertThat(guest.status()).isEqualTo(11 | DeviceStatus.NEEDS_RESET);
    assertThat(guest.read(MmioRegister.QUEUE_READY)).isZero();
    assertThat(misuses).singleElement().asString().startsWith("queue 0: ").contains(reason);
    guest.addStatus(DeviceStatus.DRIVER_OK);
    assertThat(calls).isEmpty();
    guest.reset();
    assertThat(guest.status()).isZero();
  }

  @Test
  void tellsRunningGuestThatItsDeviceIsBroken() {
    transport.bind(PROFILE);
    List<ModelQueue> queues = guest.probe(64, 16);
    queues.get(1).makeAvailable(999);
    assertThat(started.get(1).poll()).isNull();
    assertThat(guest.status()).isEqualTo(15 | DeviceStatus.NEEDS_RESET);
    assertThat(guest.interruptStatus()).isEqualTo(2);
    assertThat(raised).isEqualTo(1);
    assertThat(started.get(0).isClosed()).isTrue();
    assertThat(misuses).singleElement().asString().startsWith("queue 1: descriptor 999");
  }

  @Test
  void driverOkWithoutFeaturesBreaksTheDevice() {
    transport.bind(PROFILE);
    guest.addStatus(7);
    assertThat(guest.status()).isEqualTo(7 | DeviceStatus.NEEDS_RESET);
    assertThat(calls).isEmpty();
  }

  @Test
  void completionsSetTheQueueBitUntilItIsAcknowledged() {
    transport.bind(PROFILE);
    ModelQueue queue = guest.probe(64, 16).get(0);
    queue.enableInterrupts();
    queue.add(List.of(VirtqueueFixture.writable(0x20000, 4)));
    Virtqueue device = started.get(0);
    device.complete(device.poll(), 0);
    device.flush();
    assertThat(guest.interruptStatus()).isEqualTo(1);
    assertThat(raised).isEqualTo(1);
    guest.acknowledgeInterrupt();
    assertThat(guest.interruptStatus()).isZero();
  }

  @Test
  void configChangeCountsTheGenerationAndInterruptsRunningGuestOnly() {
    transport.bind(PROFILE);
    int before = guest.read(MmioRegister.CONFIG_GENERATION);
    transport.updateConfig(new byte[] {9, 8, 7, 6, 5, 4, 3, 2, 1});
    assertThat(guest.configByte(8)).isEqualTo((byte) 1);
    assertThat(guest.read(MmioRegister.CONFIG_GENERATION)).isGreaterThan(before);
    assertThat(raised).isZero();
    guest.probe(64, 16);
    transport.updateConfig(new byte[9]);
    assertThat(raised).isEqualTo(1);
    assertThat(guest.interruptStatus()).isEqualTo(2);
    assertThatThrownBy(() -> transport.updateConfig(new byte[8]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("config.length=8, before=9");
  }

  @Test
  void passesConfigWritesWithinTheSpaceOnly() {
    transport.bind(PROFILE);
    transport.write(0x100, 4, 1);
    transport.write(0x108, 1, 1);
    transport.write(0x108, 2, 1);
    transport.write(0x109, 1, 1);
    transport.write(0x100, 8, 1);
    transport.write(0x100, -1, 1);
    transport.write(Integer.MAX_VALUE, 4, 1);
    transport.write(Integer.MIN_VALUE, 4, 1);
    assertThat(calls).containsExactly("config 0 4", "config 8 1");
  }

  @ParameterizedTest
  @CsvSource({
    "5, 0x80000000000020, 64, 16, 9, 9, its device ID is 5",
    "4, 0x20, 64, 16, 9, 9, lacks the features 0x80000000000000",
    "4, 0x80000000000020, 32, 16, 9, 9, its queue 0 has a size of 32",
    "4, 0x80000000000020, 64, 0, 9, 9, it has 1 queues",
    "4, 0x80000000000020, 64, 16, 8, 9, its configuration space has 8 bytes",
    "4, 0x80000000000020, 64, 16, 9, 0, byte 8 of its configuration space"
  })
  void refusesDriverThatDoesNotCoverWhatTheGuestKnows(
      int id, String features, int size0, int size1, int configLength, byte last, String reason) {
    transport.bind(PROFILE);
    guest.probe(64, 16);
    byte[] config = new byte[configLength];
    for (int i = 0; i < configLength; i++) {
      config[i] = (byte) (i + 1);
    }
    config[configLength - 1] = configLength == 9 ? last : config[configLength - 1];
    List<Integer> sizes = size1 == 0 ? List.of(size0) : List.of(size0, size1);
    DeviceProfile offered = new DeviceProfile(id, Long.decode(features), sizes, config);
    assertThat(transport.bind(offered)).contains(reason);
    assertThat(transport.profile()).isSameAs(PROFILE);
  }

  @Test
  void takesDriverThatCoversMoreThanTheGuestUses() {
    transport.bind(PROFILE);
    guest.negotiate(1L << 5 | VirtioFeatures.VERSION_1);
    guest.makeQueue(0, 8, false);
    guest.addStatus(DeviceStatus.DRIVER_OK);
    DeviceProfile more = new DeviceProfile(4, 0x2f, List.of(8, 16, 4), PROFILE.config());
    assertThat(transport.bind(more)).isNull();
    assertThat(guest.status()).isEqualTo(15);
    guest.write(MmioRegister.QUEUE_SEL, 2);
    assertThat(guest.read(MmioRegister.QUEUE_NUM_MAX)).isEqualTo(4);
  }

  @Test
  void takesAnotherDeviceOfTheSameIdAfterReset() {
    transport.bind(PROFILE);
    guest.probe(64, 16);
    guest.reset();
    assertThat(transport.bind(new DeviceProfile(4, 0, List.of(2), new byte[0]))).isNull();
    assertThat(guest.offeredFeatures()).isEqualTo(VirtioFeatures.TRANSPORT);
    assertThat(guest.configByte(0)).isZero();
    guest.probe(2);
    assertThat(started).hasSize(1);
  }

  @Test
  void letsDiskGrowAndNotShrink() {
    byte[] before = new byte[24];
    before[1] = 1;
    byte[] larger = before.clone();
    larger[7] = (byte) 0x80;
    assertThat(new DevicePins().conflictOfConfig(2, before, larger)).isNull();
    assertThat(new DevicePins().conflictOfConfig(2, larger, before)).contains("smaller");
    larger[20] = 1;
    assertThat(new DevicePins().conflictOfConfig(2, before, larger)).contains("byte 20");
  }

  /** Whatever is written where: no exception, and the page is never that of another device. */
  @Property(tries = 500)
  void anyWritesAreSurvived(@ForAll long seed) {
    Random random = new Random(seed);
    transport.bind(PROFILE);
    int[] sizes = {4, 4, 4, 4, 1, 2, 8, 0, -1};
    int[] values = {0, 1, 2, 3, 4, 7, 8, 11, 15, 16, 64, 128, 0x1000, 0x2000, -1};
    for (int i = 0; i < 400; i++) {
      int offset = random.nextInt(10) == 0 ? random.nextInt() : 4 * random.nextInt(0x44);
      long value = random.nextInt(5) == 0 ? random.nextLong() : values[random.nextInt(15)];
      transport.write(offset, sizes[random.nextInt(sizes.length)], value);
      for (Virtqueue queue : started) {
        if (queue != null) {
          queue.poll();
        }
      }
    }
    assertThat(guest.read(MmioRegister.MAGIC_VALUE)).isEqualTo(0x74726976);
    assertThat(guest.deviceId()).isEqualTo(4);
    assertThat(memory.guardsIntact()).isTrue();
    guest.reset();
    guest.probe(64, 16);
    assertThat(guest.status()).isEqualTo(15);
  }
}
