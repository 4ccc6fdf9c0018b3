// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.command;

import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plex86.monitor.VirtualMachine;

/** The virtual machines of the container, for the commands. Any thread. */
@Component(service = Machines.class)
public final class Machines {
  /** The greatest reference comes first: the highest ranking, then the oldest. */
  private final SortedMap<ServiceReference<VirtualMachine>, VirtualMachine> machines =
      new ConcurrentSkipListMap<>(Comparator.reverseOrder());

  @Reference(
      service = VirtualMachine.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void add(ServiceReference<VirtualMachine> reference, VirtualMachine vm) {
    machines.put(reference, vm);
  }

  void remove(ServiceReference<VirtualMachine> reference) {
    machines.remove(reference);
  }

  /** All, by name. */
  List<VirtualMachine> all() {
    return machines.values().stream().sorted(Comparator.comparing(VirtualMachine::name)).toList();
  }

  /**
   * The machine of a name.
   *
   * @throws IllegalArgumentException there is none; the message is for the user
   */
  VirtualMachine get(String name) {
    return machines.values().stream()
        .filter(vm -> vm.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no virtual machine '" + name + "'; vm:list shows those there are"));
  }
}
