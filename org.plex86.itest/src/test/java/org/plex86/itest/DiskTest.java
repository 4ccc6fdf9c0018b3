// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.ForwardingChannel;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.VmState;

/** Disks over image files, and the replacement of their bundle under load. */
class DiskTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String DISK = "org.plex86.hal.disk";

  private final BundleContext context = FrameworkUtil.getBundle(DiskTest.class).getBundleContext();
  @TempDir Path files;
  private final Machines machines = new Machines();

  /** Writes and reads back with the page cache dropped, at changing places. */
  private static String load(int rounds) {
    return "set -e; head -c 6000000 /dev/urandom > /tmp/x; i=0;"
        + (" while [ $i -lt " + rounds + " ]; do")
        + " dd if=/tmp/x of=/dev/vda bs=8k seek=$i conv=fsync 2>/dev/null;"
        + " echo 3 > /proc/sys/vm/drop_caches;"
        + " dd if=/dev/vda bs=8k skip=$i 2>/dev/null | head -c 6000000 | cmp - /tmp/x;"
        + " i=$((i+1)); done";
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private VirtualMachine exec(String command, String disk) {
    return machines.exec("disk", 64L << 20, "", command, disk);
  }

  private String raw() throws IOException {
    Path file = files.resolve("disk.raw");
    try (RandomAccessFile image = new RandomAccessFile(file.toFile(), "rw")) {
      image.setLength(16 << 20);
    }
    return file.toString();
  }

  /** An image as small as it can be, made of bytes, as this bundle sees nothing of the other. */
  private String qcow2() throws IOException {
    Path file = files.resolve("disk.qcow2");
    try (RandomAccessFile image = new RandomAccessFile(file.toFile(), "rw")) {
      image.setLength(4 << 16);
      image.write(new byte[] {'Q', 'F', 'I', (byte) 0xfb, 0, 0, 0, 2});
      image.seek(20);
      image.writeInt(16);
      image.writeLong(16 << 20);
      image.writeInt(0);
      image.writeInt(1);
      image.writeLong(3 << 16);
      image.writeLong(1 << 16);
      image.writeInt(1);
      image.seek(1 << 16);
      image.writeLong(2 << 16);
      image.seek(2 << 16);
      image.write(new byte[] {0, 1, 0, 1, 0, 1, 0, 1});
    }
    return file.toString();
  }

  private String image(String format) throws IOException {
    return format.equals("raw") ? raw() : qcow2();
  }

  private Bundle bundle() {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> bundle.getSymbolicName().equals(DISK))
        .findFirst()
        .orElseThrow();
  }

  private static void check(VirtualMachine vm) {
    VmEnd end = Machines.end(vm, PATIENCE);
    assertThat(end.result()).as("%s", end).hasValue(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void nothingIsLostWhenTheBundleIsUpdatedInPlace(String format) throws Exception {
    VirtualMachine vm = exec(load(5), "type=disk,name=disk0,file=" + image(format));
    int updates = 0;
    while (vm.state() != VmState.ENDED && updates < 1000) {
      bundle().update();
      updates++;
      Thread.sleep(10);
    }
    check(vm);
    assertThat(updates).isGreaterThan(5);
    // the old version serves on for a moment with the classes that it has, and needs no others
    assertThat(vm.channelHistory("disk0"))
        .anyMatch(event -> event.what().contains("serves on"))
        .noneMatch(event -> event.what().contains("crashed"));
  }

  /** The bundle's own jar, with another version. */
  private byte[] copyOfVersion(String version) throws IOException {
    ByteArrayOutputStream copy = new ByteArrayOutputStream();
    String location = bundle().getLocation().replaceFirst("^reference:", "");
    try (InputStream file = java.net.URI.create(location).toURL().openStream();
        JarInputStream in = new JarInputStream(file)) {
      Manifest manifest = new Manifest(in.getManifest());
      Attributes main = manifest.getMainAttributes();
      main.putValue(Constants.BUNDLE_VERSION, version);
      try (JarOutputStream out = new JarOutputStream(copy, manifest)) {
        for (JarEntry entry; (entry = in.getNextJarEntry()) != null; ) {
          out.putNextEntry(new JarEntry(entry.getName()));
          in.transferTo(out);
          out.closeEntry();
        }
      }
    }
    return copy.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void nothingIsLostWhenNewVersionsAreInstalledBeside(String format) throws Exception {
    VirtualMachine vm = exec(load(5), "type=disk,name=disk0,file=" + image(format));
    int versions = 0;
    Bundle last = null;
    try {
      while (vm.state() != VmState.ENDED && versions < 1000) {
        versions++;
        byte[] jar = copyOfVersion("9." + versions);
        Bundle next = context.installBundle("disk-" + versions, new ByteArrayInputStream(jar));
        next.start();
        if (last != null) {
          last.uninstall();
        }
        last = next;
        Thread.sleep(10);
      }
      check(vm);
    } finally {
      if (last != null) {
        last.uninstall();
      }
    }
    assertThat(versions).isGreaterThan(5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"raw", "qcow2"})
  void nothingIsLostWhenTheDriverCrashes(String format) throws Exception {
    AtomicInteger crashes = new AtomicInteger();
    VirtualMachine vm = exec(load(20), "type=disk,name=disk0,file=" + image(format));
    int ranking = 1;
    ServiceRegistration<ChannelDriver> crashing = null;
    while (vm.state() != VmState.ENDED && ranking < 1000) {
      ServiceRegistration<ChannelDriver> next = crashing(crashes, ranking++);
      if (crashing != null) {
        crashing.unregister();
      }
      crashing = next;
      int before = crashes.get();
      while (crashes.get() == before && vm.state() != VmState.ENDED) {
        Thread.sleep(5);
      }
    }
    if (crashing != null) {
      crashing.unregister();
    }
    check(vm);
    assertThat(crashes.get()).isGreaterThan(3);
  }

  /** The real driver, whose channels crash after some requests. */
  private ServiceRegistration<ChannelDriver> crashing(AtomicInteger crashes, int ranking)
      throws Exception {
    ServiceReference<?> real =
        Arrays.stream(
                context.getAllServiceReferences(
                    ChannelDriver.class.getName(), "(plex86.hal.type=disk)"))
            .filter(reference -> reference.getBundle().getSymbolicName().equals(DISK))
            .findFirst()
            .orElseThrow();
    ChannelDriver driver = (ChannelDriver) context.getService(real);
    ChannelDriver wrapper =
        new ChannelDriver() {
          @Override
          public Channel open(ChannelContext slot, ChannelConfig config) throws HalException {
            return new Crashing(driver.open(slot, config), crashes);
          }
        };
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put(ChannelDriver.TYPE, "disk");
    properties.put(Constants.SERVICE_RANKING, ranking);
    return context.registerService(ChannelDriver.class, wrapper, properties);
  }

  private static final class Crashing extends ForwardingChannel {
    private final AtomicInteger crashes;
    private int served;

    Crashing(Channel below, AtomicInteger crashes) {
      super(below);
      this.crashes = crashes;
    }

    @Override
    public void notify(int queue) {
      super.notify(queue);
      if (++served == 2) { // the guest may kick for many requests at once, and so seldom
        crashes.incrementAndGet();
        throw new IllegalStateException("crash on purpose, with requests in flight");
      }
    }
  }

  @Test
  void secondMachineCannotWriteTheImageOfTheFirst() throws Exception {
    String disk = "type=disk,name=disk0,file=" + raw();
    VirtualMachine first = exec("sleep 60", disk);
    Machines.awaitChannels(first, 2, PATIENCE);
    VmEnd second =
        Machines.end(
            machines.start(
                "second",
                Map.of(
                    VmProperties.MEMORY,
                    64L << 20,
                    VmProperties.CHANNELS,
                    new String[] {"type=console,endpoint=null", disk})),
            PATIENCE);
    assertThat(second.reason()).isEqualTo(VmEnd.Reason.START_FAILED);
    assertThat(second.message()).contains("in use by another virtual machine");
    first.kill();
    Machines.end(first, PATIENCE);
  }
}
