// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.command;

import java.time.Duration;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.plex86.monitor.ChannelEvent;
import org.plex86.monitor.ChannelStatus;
import org.plex86.monitor.VirtualMachine;

/** The commands {@code hal:*}. */
@Component(
    service = HalCommands.class,
    property = {
      "osgi.command.scope=hal",
      "osgi.command.function=list",
      "osgi.command.function=swap",
      "osgi.command.function=park",
      "osgi.command.function=unpark",
      "osgi.command.function=history"
    })
public final class HalCommands {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS", Locale.ROOT).withZone(ZoneId.systemDefault());

  private final Machines machines;

  /** Called by DS. */
  @Activate
  public HalCommands(@Reference Machines machines) {
    this.machines = machines;
  }

  /** One line for each channel of each machine. */
  @Descriptor("list the channels of all virtual machines")
  public String list() {
    Table table =
        new Table(
            "VM", "CHANNEL", "TYPE", "DEVICE", "STATE", "SWAPS", "STALL", "IN FLIGHT", "DRIVER");
    for (VirtualMachine vm : machines.all()) {
      for (ChannelStatus channel : vm.channels()) {
        table.add(
            vm.name(),
            channel.name(),
            channel.type(),
            Integer.toString(channel.device()),
            channel.state(),
            Integer.toString(channel.swaps()),
            stall(channel.lastStall()),
            Integer.toString(channel.inFlight()),
            channel.driver().isEmpty() ? channel.reason() : channel.driver());
      }
    }
    return table.toString();
  }

  /** Binds a channel to the driver of a bundle. */
  @Descriptor("have a channel served by the driver of a bundle")
  public String swap(
      @Descriptor("name of the virtual machine") String name,
      @Descriptor("name of the channel, as hal:list shows it") String channel,
      @Descriptor("symbolic name of the bundle, and :version where there are several")
          String bundle) {
    VirtualMachine vm = machines.get(name);
    int before = find(vm, channel).map(ChannelStatus::swaps).orElse(0);
    vm.swapChannel(channel, bundle);
    return find(vm, channel)
        .map(
            status ->
                "%s of %s is served by %s%s"
                    .formatted(
                        channel,
                        name,
                        status.driver(),
                        status.swaps() == before
                            ? " already"
                            : "; the guest waited for " + stall(status.lastStall())))
        .orElse("");
  }

  /** Takes the driver away. */
  @Descriptor("take the driver of a channel away; the guest's requests wait")
  public void park(
      @Descriptor("name of the virtual machine") String name,
      @Descriptor("name of the channel, as hal:list shows it") String channel) {
    machines.get(name).parkChannel(channel);
  }

  /** Lets a channel have a driver again. */
  @Descriptor("let a parked channel have a driver again")
  public void unpark(
      @Descriptor("name of the virtual machine") String name,
      @Descriptor("name of the channel, as hal:list shows it") String channel) {
    machines.get(name).unparkChannel(channel);
  }

  /** What happened to a channel. */
  @Descriptor("show what happened to a channel, with the length of each stall")
  public String history(
      @Descriptor("name of the virtual machine") String name,
      @Descriptor("name of the channel, as hal:list shows it") String channel) {
    Table table = new Table("TIME", "STALL", "EVENT");
    for (ChannelEvent event : machines.get(name).channelHistory(channel)) {
      table.add(TIME.format(event.at()), stall(event.stall()), event.what());
    }
    return table.toString();
  }

  private static Optional<ChannelStatus> find(VirtualMachine vm, String channel) {
    return vm.channels().stream().filter(status -> status.name().equals(channel)).findFirst();
  }

  /** Empty where there was none. */
  private static String stall(Duration stall) {
    return stall.isZero() ? "" : String.format(Locale.ROOT, "%.2f ms", stall.toNanos() / 1e6);
  }
}
