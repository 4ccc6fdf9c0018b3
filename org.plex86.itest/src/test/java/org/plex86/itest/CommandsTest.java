// SPDX-License-Identifier: Apache-2.0
package org.plex86.itest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.annotation.bundle.Requirement;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd.Reason;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.VmState;

/** The commands, called as a Gogo shell does: by name, on the service of their scope. */
@Requirement(namespace = VmProperties.GUEST_NAMESPACE, filter = "(abi=2)")
class CommandsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final BundleContext context =
      FrameworkUtil.getBundle(CommandsTest.class).getBundleContext();
  private final Machines machines = new Machines();

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  private Object call(String scope, String function, String... arguments)
      throws ReflectiveOperationException, InvalidSyntaxException {
    ServiceReference<?>[] services =
        context.getServiceReferences(
            (String) null,
            "(&(osgi.command.scope=" + scope + ")(osgi.command.function=" + function + "))");
    assertThat(services).hasSize(1);
    Object commands = context.getService(services[0]);
    Class<?>[] types = new Class<?>[arguments.length];
    Arrays.fill(types, String.class);
    return commands.getClass().getMethod(function, types).invoke(commands, (Object[]) arguments);
  }

  private VirtualMachine shell(String name) {
    return machines.start(
        name,
        Map.of(
            VmProperties.MEMORY,
            64L << 20,
            VmProperties.CHANNELS,
            new String[] {"type=console,endpoint=null"}));
  }

  @Test
  void machineIsListedShownPausedResumedAndKilled() throws Exception {
    VirtualMachine vm = shell("shown");
    while (vm.counters().getOrDefault("boot_us", 0L) == 0) {
      assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    }
    assertThat(lines(call("vm", "list")))
        .hasSize(2)
        .anySatisfy(line -> assertThat(line).matches("shown +RUNNING +64M +1 +25"));
    assertThat(lines(call("vm", "info", "shown")))
        .contains("memory     64M")
        .anySatisfy(line -> assertThat(line).startsWith("channel    console0 console BOUND"));
    assertThat(lines(call("vm", "stats", "shown")))
        .anySatisfy(line -> assertThat(line).matches("page_faults +[1-9]\\d*"));
    assertThat(lines(call("hal", "list")))
        .anySatisfy(
            line ->
                assertThat(line)
                    .matches("shown +console0 +console +0 +BOUND +0 +0 +org.plex86.hal.*"));
    call("vm", "pause", "shown");
    assertThat(vm.state()).isEqualTo(VmState.PAUSED);
    call("vm", "resume", "shown");
    assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    call("vm", "kill", "shown");
    assertThat(Machines.end(vm, PATIENCE).reason()).isEqualTo(Reason.KILLED);
    assertThat(lines(call("vm", "list")))
        .anySatisfy(line -> assertThat(line).matches("shown +ENDED .*KILLED killed"));
  }

  @Test
  void stopPressesThePowerButton() throws Exception {
    VirtualMachine vm = shell("stopped");
    while (vm.counters().getOrDefault("boot_us", 0L) == 0) {
      assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    }
    call("vm", "stop", "stopped");
    assertThat(Machines.end(vm, PATIENCE).reason()).isEqualTo(Reason.POWER_OFF);
  }

  @Test
  void channelIsParkedUnparkedSwappedAndItsHistoryTold() throws Exception {
    VirtualMachine vm = shell("parked");
    while (vm.counters().getOrDefault("boot_us", 0L) == 0) {
      assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    }
    call("hal", "park", "parked", "console0");
    while (!vm.channels().get(0).state().equals("PARKED")) {
      assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    }
    assertThat(lines(call("hal", "list")))
        .anySatisfy(
            line ->
                assertThat(line)
                    .matches("parked +console0 +console +0 +PARKED +0 +0 +by the user"));
    call("hal", "unpark", "parked", "console0");
    while (!vm.channels().get(0).state().equals("BOUND")) {
      assertThat(vm.state()).isEqualTo(VmState.RUNNING);
    }
    assertThat((String) call("hal", "swap", "parked", "console0", "org.plex86.hal.console"))
        .matches("console0 of parked is served by org.plex86.hal.console .* already");
    assertThat(lines(call("hal", "history", "parked", "console0")))
        .anySatisfy(line -> assertThat(line).matches("[\\d:.]+ +PARKED: by the user"))
        .anySatisfy(
            line ->
                assertThat(line)
                    .matches("[\\d:.]+ +[\\d.]+ ms +bound to org.plex86.hal.console .*"));
    assertThatThrownBy(() -> call("hal", "swap", "parked", "console0", "org.nobody"))
        .rootCause()
        .hasMessageContaining("bundle 'org.nobody' offers no driver for it; those that do: org");
    for (String function : List.of("park", "unpark", "history")) {
      assertThatThrownBy(() -> call("hal", function, "parked", "disk7"))
          .rootCause()
          .hasMessage("parked has no channel 'disk7'; it has: console0");
    }
    call("vm", "kill", "parked");
    Machines.end(vm, PATIENCE);
    assertThat(lines(call("hal", "history", "parked", "console0"))).hasSizeGreaterThan(5);
    assertThatThrownBy(() -> call("hal", "park", "parked", "console0"))
        .rootCause()
        .hasMessage("the virtual machine parked has no channels open: it is ENDED");
  }

  @Test
  void machineThatDoesNotExistIsNamed() {
    for (String function : List.of("info", "stop", "pause", "resume", "kill", "stats")) {
      assertThatThrownBy(() -> call("vm", function, "nobody"))
          .rootCause()
          .hasMessageContaining("there is no virtual machine 'nobody'");
    }
  }

  private static List<String> lines(Object text) {
    return ((String) text).lines().toList();
  }
}
