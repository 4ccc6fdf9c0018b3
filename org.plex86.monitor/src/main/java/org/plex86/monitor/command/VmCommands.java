// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.command;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.plex86.monitor.ChannelStatus;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;

/** The commands {@code vm:*}. */
@Component(
    service = VmCommands.class,
    property = {
      "osgi.command.scope=vm",
      "osgi.command.function=list",
      "osgi.command.function=info",
      "osgi.command.function=stop",
      "osgi.command.function=pause",
      "osgi.command.function=resume",
      "osgi.command.function=kill",
      "osgi.command.function=stats"
    })
public final class VmCommands {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Machines machines;

  /** Called by DS. */
  @Activate
  public VmCommands(@Reference Machines machines) {
    this.machines = machines;
  }

  /** One line for each machine. */
  @Descriptor("list the virtual machines")
  public String list() {
    Table table = new Table("NAME", "STATE", "MEMORY", "CHANNELS", "PROCESSES", "END");
    for (VirtualMachine vm : machines.all()) {
      table.add(
          vm.name(),
          vm.state().toString(),
          megabytes(vm),
          Integer.toString(vm.channels().size()),
          Integer.toString(vm.processes().size()),
          end(vm));
    }
    return table.toString();
  }

  /** All of one machine. */
  @Descriptor("show a virtual machine")
  public String info(@Descriptor("its name") String name) {
    VirtualMachine vm = machines.get(name);
    List<String> lines = new ArrayList<>();
    lines.add("name       " + vm.name());
    lines.add("state      " + vm.state());
    lines.add("memory     " + megabytes(vm));
    lines.add("processes  " + processes(vm.processes()));
    if (!end(vm).isEmpty()) {
      lines.add("end        " + end(vm));
    }
    for (ChannelStatus channel : vm.channels()) {
      lines.add(
          "channel    "
              + String.join(" ", channel.name(), channel.type(), channel.state(), channel.driver())
                  .strip());
    }
    return String.join("\n", lines);
  }

  /** Presses the power button. */
  @Descriptor("press the power button; after 30 s without effect, kill")
  public void stop(@Descriptor("its name") String name) {
    machines.get(name).stop(PATIENCE);
  }

  /** Stops the processes. */
  @Descriptor("stop a virtual machine where it is")
  public void pause(@Descriptor("its name") String name) {
    machines.get(name).pause();
  }

  /** Lets the processes go on. */
  @Descriptor("let a paused virtual machine go on")
  public void resume(@Descriptor("its name") String name) {
    machines.get(name).resume();
  }

  /** Ends a machine at once. */
  @Descriptor("end a virtual machine at once")
  public void kill(@Descriptor("its name") String name) {
    machines.get(name).kill();
  }

  /** The counters. */
  @Descriptor("show what was counted in a virtual machine")
  public String stats(@Descriptor("its name") String name) {
    Table table = new Table("COUNTER", "VALUE");
    for (Map.Entry<String, Long> counter : machines.get(name).counters().entrySet()) {
      table.add(counter.getKey(), Long.toUnsignedString(counter.getValue()));
    }
    return table.toString();
  }

  private static String megabytes(VirtualMachine vm) {
    return (vm.memory() >> 20) + "M";
  }

  private static String processes(List<Integer> pids) {
    return pids.isEmpty()
        ? "none"
        : "supervisor " + pids.get(0) + ", " + (pids.size() - 1) + " spaces";
  }

  private static String end(VirtualMachine vm) {
    VmEnd end = vm.ended().toCompletableFuture().getNow(null);
    return end == null ? "" : (end.reason() + " " + end.message()).strip();
  }
}
