// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.session;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plex86.hal.console.ConsoleTerminal;
import org.plex86.hal.console.EscapeHandler;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmState;

/** {@code Ctrl-A x}: asks the guest to power off, and kills it when pressed again. */
@Component(
    property = {EscapeHandler.KEY + "=x", EscapeHandler.HELP + "=stop the machine; twice: kill it"})
public final class StopKey implements EscapeHandler {
  // long enough for a guest to write its disks back, short for one who waits at a terminal
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final List<VirtualMachine> machines = new CopyOnWriteArrayList<>();

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
  void addMachine(VirtualMachine vm) {
    machines.add(vm);
  }

  void removeMachine(VirtualMachine vm) {
    machines.remove(vm);
  }

  @Override
  public void pressed(ConsoleTerminal terminal) {
    for (VirtualMachine vm : machines) {
      if (vm.name().equals(terminal.vmName())) {
        if (vm.state() == VmState.STOPPING) {
          vm.kill();
        } else {
          terminal.say("stopping " + vm.name() + "; Ctrl-A x again kills it");
          vm.stop(PATIENCE);
        }
      }
    }
  }
}
