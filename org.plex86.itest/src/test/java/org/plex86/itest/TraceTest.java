// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmState;

/** The tracer is put between a guest and its disk, and taken away, while the guest works. */
class TraceTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String TRACE = "org.plex86.hal.trace";
  private static final int CHUNKS = 1500;
  private static final int SECTORS = 8; // of a chunk

  private final BundleContext context = FrameworkUtil.getBundle(TraceTest.class).getBundleContext();
  @TempDir Path folder;
  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private Bundle tracer() {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> bundle.getSymbolicName().equals(TRACE))
        .findFirst()
        .orElseThrow();
  }

  private Configuration configure() throws IOException {
    Configuration configuration =
        context
            .getService(context.getServiceReference(ConfigurationAdmin.class))
            .getConfiguration(TRACE, "?");
    Dictionary<String, Object> settings = new Hashtable<>();
    settings.put("directory", folder.toString());
    settings.put("type", RamDisk.TYPE);
    settings.put("channel", "disk0");
    configuration.update(settings);
    return configuration;
  }

  private List<String> lines() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<String> all = new java.util.ArrayList<>();
      for (Path file : files.sorted().toList()) {
        assertThat(file.getFileName().toString()).matches("traced-disk0-.*\\.log");
        all.addAll(Files.readAllLines(file));
      }
      return all.stream().filter(line -> !line.startsWith("#")).toList();
    }
  }

  private static long sectorsWritten(List<String> lines) {
    return lines.stream()
        .map(line -> line.split(" "))
        .filter(words -> words[1].equals("write"))
        .mapToLong(words -> Long.parseLong(words[3]) / 512)
        .sum();
  }

  @Test
  void tracerComesAndGoesWhileTheGuestWritesAndItsLogAgrees() throws Exception {
    Configuration configuration = configure();
    byte[] content = new byte[16 << 20];
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(ChannelDriver.TYPE, RamDisk.TYPE);
    ServiceRegistration<ChannelDriver> driver =
        context.registerService(
            ChannelDriver.class, new RamDisk(content, new AtomicLong()), properties);
    Bundle tracer = tracer();
    tracer.start();
    try {
      VirtualMachine vm =
          exec(
              "set -e; head -c "
                  + CHUNKS * SECTORS * 512
                  + " /dev/urandom > /tmp/x;"
                  + " dd if=/tmp/x of=/dev/vda bs=4k oflag=direct 2>/dev/null;"
                  + " echo 3 > /proc/sys/vm/drop_caches;"
                  + " head -c "
                  + CHUNKS * SECTORS * 512
                  + " /dev/vda | cmp - /tmp/x; head -c 100 /tmp/x > /dev/null;"
                  + " dd if=/tmp/x of=/dev/vda bs=4k oflag=direct 2>/dev/null");
      // the first pass is traced whole; then the tracer comes and goes
      while (vm.state() != VmState.ENDED && sectorsWritten(lines()) < CHUNKS * SECTORS) {
        Thread.sleep(5);
      }
      List<String> first = lines();
      int swaps = 0;
      while (vm.state() != VmState.ENDED) {
        tracer.stop();
        swaps++;
        Thread.sleep(10);
        tracer.start();
        Thread.sleep(10);
      }
      VmEnd end = Machines.end(vm, PATIENCE);
      assertThat(end.result()).as("%s", end).hasValue(0);
      assertThat(swaps).isPositive();
      assertThat(first)
          .as("each line is well-formed")
          .allMatch(line -> line.matches("\\S+Z \\S+ \\d+ \\d+ (ok|unsupported) [\\d.]+"));
      assertThat(
              first.stream()
                  .filter(line -> line.contains(" write "))
                  .limit(CHUNKS)
                  .map(line -> line.split(" "))
                  .map(words -> Long.parseLong(words[2])))
          .isEqualTo(Stream.iterate(0L, sector -> sector + SECTORS).limit(CHUNKS).toList());
    } finally {
      tracer.start();
      driver.unregister();
      configuration.delete();
    }
  }

  private VirtualMachine exec(String command) {
    return machines.exec("traced", 64L << 20, "", command, "type=ram-disk,name=disk0");
  }
}
