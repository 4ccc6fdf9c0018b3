// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.command;

import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.plex86.monitor.ChannelStatus;
import org.plex86.monitor.VirtualMachine;

/** The commands {@code hal:*}. */
@Component(
    service = HalCommands.class,
    property = {"osgi.command.scope=hal", "osgi.command.function=list"})
public final class HalCommands {
  private final Machines machines;

  /** Called by DS. */
  @Activate
  public HalCommands(@Reference Machines machines) {
    this.machines = machines;
  }

  /** One line for each channel of each machine. */
  @Descriptor("list the channels of all virtual machines")
  public String list() {
    Table table = new Table("VM", "CHANNEL", "TYPE", "DEVICE", "STATE", "DRIVER");
    for (VirtualMachine vm : machines.all()) {
      for (ChannelStatus channel : vm.channels()) {
        table.add(
            vm.name(),
            channel.name(),
            channel.type(),
            Integer.toString(channel.device()),
            channel.state(),
            channel.driver());
      }
    }
    return table.toString();
  }
}
