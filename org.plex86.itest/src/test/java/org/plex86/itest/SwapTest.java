// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.VmState;

/** Drivers that are replaced while a real guest uses their device. */
class SwapTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /**
   * Reads numbered lines: each must follow the one before. The kernel takes a few buffers for
   * itself, at boot and each minute (drivers/char/hw_random/core.c), hence a few gaps may be.
   */
  private static final String CHECK_NUMBERS =
      "dd if=/dev/hwrng bs=64 count=%d 2>/dev/null |"
          + " awk 'length($0) != 15 || $1+0 <= last { exit 2 }"
          + " NR > 1 && $1+0 != last+1 { gaps++ }"
          + " { last = $1+0 }"
          + " END { if (gaps > 10 || NR != %d) exit 3 }'";

  private final BundleContext context = FrameworkUtil.getBundle(SwapTest.class).getBundleContext();
  @TempDir Path files;
  private final Machines machines = new Machines();
  private final AtomicLong count = new AtomicLong(1);
  private final AtomicInteger crashes = new AtomicInteger();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private ServiceRegistration<ChannelDriver> register(
      String type, ChannelDriver driver, int ranking) {
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(ChannelDriver.TYPE, type);
    properties.put(Constants.SERVICE_RANKING, ranking);
    return context.registerService(ChannelDriver.class, driver, properties);
  }

  private ServiceRegistration<ChannelDriver> registerLingering(ChannelDriver driver) {
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(ChannelDriver.TYPE, CountingRng.TYPE);
    properties.put(ChannelDriver.LINGERS, true);
    return context.registerService(ChannelDriver.class, driver, properties);
  }

  private VirtualMachine exec(String command, String channel) {
    return machines.exec("swap", 64L << 20, "", command, channel);
  }

  private static String numbers(int reads) {
    return CHECK_NUMBERS.formatted(reads, reads * 64 / CountingRng.LINE);
  }

  /**
   * Replaces drivers by ones of higher ranking until the machine has ended: whenever the guest has
   * got on by a step, so that the number of swaps does not depend on how fast it is, or when it
   * waits for the next driver.
   */
  private VmEnd swapUntilTheEnd(
      VirtualMachine vm,
      String type,
      Supplier<ChannelDriver> driver,
      AtomicLong progress,
      int step,
      AtomicInteger swaps)
      throws InterruptedException {
    ServiceRegistration<ChannelDriver> current = register(type, driver.get(), 0);
    try {
      for (int ranking = 1; vm.state() != VmState.ENDED && ranking < 10_000; ranking++) {
        awaitProgress(vm, progress, step);
        ServiceRegistration<ChannelDriver> next = register(type, driver.get(), ranking);
        awaitProgress(vm, progress, step);
        current.unregister();
        current = next;
        swaps.incrementAndGet();
      }
      return Machines.end(vm, PATIENCE);
    } finally {
      current.unregister();
    }
  }

  private static void awaitProgress(VirtualMachine vm, AtomicLong progress, int step)
      throws InterruptedException {
    long goal = progress.get() + step;
    for (int i = 0; i < 10 && progress.get() < goal && vm.state() != VmState.ENDED; i++) {
      Thread.sleep(1);
    }
  }

  @Test
  void thirdPartysDeviceServesTheGuest() {
    var driver = register(CountingRng.TYPE, new CountingRng(count, crashes, 0), 0);
    try {
      VmEnd end = Machines.end(exec(numbers(200), "type=counting-rng,name=rng0"), PATIENCE);
      assertThat(end.result()).as("%s", end).hasValue(0);
      assertThat(count.get()).isGreaterThan(200 * 4);
    } finally {
      driver.unregister();
    }
  }

  @Test
  void readerInTheGuestMissesNothingWhenDriversAreSwapped() throws InterruptedException {
    AtomicInteger swaps = new AtomicInteger();
    VirtualMachine vm = exec(numbers(5000), "type=counting-rng,name=rng0");
    VmEnd end =
        swapUntilTheEnd(
            vm, CountingRng.TYPE, () -> new CountingRng(count, crashes, 0), count, 100, swaps);
    assertThat(end.result()).as("%s", end).hasValue(0);
    assertThat(swaps.get()).isGreaterThan(20);
  }

  @Test
  void readerInTheGuestMissesNothingWhenDriversCrash() throws InterruptedException {
    AtomicInteger swaps = new AtomicInteger();
    VirtualMachine vm = exec(numbers(5000), "type=counting-rng,name=rng0");
    VmEnd end =
        swapUntilTheEnd(
            vm, CountingRng.TYPE, () -> new CountingRng(count, crashes, 30), count, 100, swaps);
    assertThat(end.result()).as("%s", end).hasValue(0);
    assertThat(crashes.get()).isGreaterThan(10);
  }

  @Test
  void guestWaitsWhileThereIsNoDriverAndGoesOnWithTheNext() throws InterruptedException {
    var driver = register(CountingRng.TYPE, new CountingRng(count, crashes, 0), 0);
    VirtualMachine vm = exec(numbers(5000), "type=counting-rng,name=rng0");
    while (count.get() < 100 && vm.state() != VmState.ENDED) {
      Thread.sleep(1);
    }
    driver.unregister();
    long parked = count.get();
    assertThat(vm.channels().get(1).state()).isIn("PARKED", "QUIESCING");
    Thread.sleep(500);
    assertThat(count.get()).isEqualTo(parked);
    assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    driver = register(CountingRng.TYPE, new CountingRng(count, crashes, 0), 0);
    try {
      assertThat(Machines.end(vm, PATIENCE).result()).hasValue(0);
    } finally {
      driver.unregister();
    }
  }

  @Test
  void driverThatMayServesOnUntilTheNextComes() throws InterruptedException {
    var driver = registerLingering(new CountingRng(count, crashes, 0));
    VirtualMachine vm = exec(numbers(5000), "type=counting-rng,name=rng0");
    while (count.get() < 100 && vm.state() != VmState.ENDED) {
      Thread.sleep(1);
    }
    driver.unregister();
    assertThat(vm.channels().get(1).state()).isEqualTo("BOUND");
    assertThat(vm.channelHistory("rng0"))
        .anyMatch(
            event -> event.what().endsWith("has gone, and serves on for the next one to come"));
    driver = registerLingering(new CountingRng(count, crashes, 0));
    try {
      assertThat(Machines.end(vm, PATIENCE).result()).hasValue(0);
      assertThat(vm.channels().get(1).swaps()).isEqualTo(1);
    } finally {
      driver.unregister();
    }
  }

  @Test
  void diskKeepsEveryByteWhenItsDriverIsSwappedUnderLoad() throws InterruptedException {
    byte[] content = new byte[16 << 20];
    AtomicInteger swaps = new AtomicInteger();
    VirtualMachine vm =
        exec(
            "set -e; head -c 8000000 /dev/urandom > /tmp/x; i=0;"
                + " while [ $i -lt 4 ]; do"
                + " dd if=/tmp/x of=/dev/vda bs=4k seek=$i conv=fsync 2>/dev/null;"
                + " echo 3 > /proc/sys/vm/drop_caches;"
                + " dd if=/dev/vda bs=4k skip=$i 2>/dev/null | head -c 8000000 | cmp - /tmp/x;"
                + " i=$((i+1)); done",
            "type=ram-disk,name=disk0");
    AtomicLong served = new AtomicLong();
    VmEnd end =
        swapUntilTheEnd(vm, RamDisk.TYPE, () -> new RamDisk(content, served), served, 10, swaps);
    assertThat(end.result()).as("%s", end).hasValue(0);
    assertThat(swaps.get()).isGreaterThan(10);
  }

  @Test
  void consoleLosesNoLineWhenItsBundleIsUpdatedInPlace() throws Exception {
    Path file = files.resolve("console");
    VirtualMachine vm =
        machines.start(
            "swap",
            Map.of(
                VmProperties.MEMORY,
                64L << 20,
                VmProperties.APPEND,
                "quiet rdinit=/bin/sh -- -c"
                    + " \"mount -t devtmpfs d /dev; seq 1 100000 >/dev/hvc0; poweroff -f\"",
                VmProperties.CHANNELS,
                new String[] {"type=console,endpoint=file:" + file}));
    Bundle console =
        Arrays.stream(context.getBundles())
            .filter(bundle -> bundle.getSymbolicName().equals("org.plex86.hal.console"))
            .findFirst()
            .orElseThrow();
    int updates = 0;
    // not to the very end: what the guest has sent last needs a driver to take it
    while (vm.state() != VmState.ENDED && (!Files.exists(file) || Files.size(file) < 500_000)) {
      console.update();
      updates++;
      Thread.sleep(20);
    }
    assertThat(Machines.end(vm, PATIENCE).reason()).isEqualTo(VmEnd.Reason.POWER_OFF);
    assertThat(Files.readAllLines(file, StandardCharsets.ISO_8859_1))
        .filteredOn(line -> line.matches("[0-9]+"))
        .isEqualTo(IntStream.rangeClosed(1, 100_000).mapToObj(Integer::toString).toList());
    assertThat(updates).isGreaterThan(5);
  }
}
