// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.ChannelEvent;
import org.plex86.monitor.ChannelStatus;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.cpu.ExitDispatcher;
import org.plex86.monitor.hal.ChannelHost;
import org.plex86.monitor.hal.ChannelSlot;
import org.plex86.monitor.hal.ChannelSpec;
import org.plex86.monitor.hal.DriverRegistry;
import org.plex86.monitor.hal.SlotResources;
import org.plex86.monitor.hal.SlotStatus;

/** The channel slots of a running machine: slot n is its virtio-mmio device n. */
final class Channels {
  /** A driver's bundle may be on its way while a container starts. */
  private static final Duration DRIVER_PATIENCE = Duration.ofSeconds(5);

  private static final String CONSOLE = "console";

  private final List<ChannelSpec> specs;
  private final List<ChannelSlot> slots = new ArrayList<>();

  Channels(List<ChannelSpec> specs, Machine machine, ChannelHost host, DriverRegistry registry) {
    this.specs = specs;
    for (int i = 0; i < specs.size(); i++) {
      int line = ControlLayout.PLEX86_IRQ_DEVICE0 + i;
      SlotResources resources =
          new SlotResources(
              machine.ram(),
              machine.control().registers(i),
              () -> machine.interrupts().raise(line),
              new MachineDoorbell(machine.control(), i));
      slots.add(new ChannelSlot(specs.get(i), resources, host, registry));
    }
  }

  /** Binds a driver to each, before the guest sees the devices. */
  void open() throws HalException {
    for (ChannelSlot slot : slots) {
      slot.open(DRIVER_PATIENCE);
    }
  }

  /** For the exits of the guest. */
  List<ExitDispatcher.RegisterWrites> registers() {
    List<ExitDispatcher.RegisterWrites> registers = new ArrayList<>();
    slots.forEach(slot -> registers.add(slot::write));
    return registers;
  }

  /** Output of the guest before it has a console driver goes to the first console. */
  void earlyOutput(byte[] text) {
    for (int i = 0; i < slots.size(); i++) {
      if (specs.get(i).type().equals(CONSOLE)) {
        slots.get(i).earlyOutput(text);
        return;
      }
    }
  }

  List<ChannelStatus> status() {
    List<ChannelStatus> all = new ArrayList<>();
    for (int i = 0; i < slots.size(); i++) {
      ChannelSpec spec = specs.get(i);
      SlotStatus status = slots.get(i).status();
      all.add(
          new ChannelStatus(
              spec.name(),
              spec.type(),
              i,
              status.state().name(),
              status.reason(),
              status.driver(),
              Math.max(0, status.bindings() - 1),
              status.lastStall(),
              status.inFlight()));
    }
    return all;
  }

  /** What happened to each, by name. */
  Map<String, List<ChannelEvent>> histories() {
    Map<String, List<ChannelEvent>> all = new LinkedHashMap<>();
    for (int i = 0; i < slots.size(); i++) {
      all.put(
          specs.get(i).name(),
          slots.get(i).history().stream()
              .map(event -> new ChannelEvent(event.at(), event.what(), event.stall()))
              .toList());
    }
    return all;
  }

  /** The slot of a name; null if there is none. */
  ChannelSlot slot(String name) {
    return slots.stream().filter(slot -> slot.spec().name().equals(name)).findFirst().orElse(null);
  }

  /**
   * Serves what the guest has left in its queues and closes all channels. The guest does not run
   * any more. A driver that hangs is left behind; what it touches stays mapped for as long as it
   * can.
   */
  void close() {
    slots.forEach(ChannelSlot::close);
  }
}
