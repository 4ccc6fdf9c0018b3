// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.shell;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.felix.service.command.CommandProcessor;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plex86.hal.console.ConsoleTerminal;
import org.plex86.hal.console.EscapeHandler;

/**
 * {@code Ctrl-A c}: the shell of the OSGi framework. The line editor is loaded when the key is
 * pressed for the first time, as it costs more time than a short-lived machine should take to
 * start.
 */
@Component(property = {EscapeHandler.KEY + "=c", EscapeHandler.HELP + "=Felix Gogo shell and back"})
public final class ShellKey implements EscapeHandler {
  private final AtomicReference<CommandProcessor> processor = new AtomicReference<>();
  private final AtomicReference<Shell> shell = new AtomicReference<>();

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      unbind = "unsetProcessor")
  void setProcessor(CommandProcessor service) {
    processor.set(service);
  }

  void unsetProcessor(CommandProcessor service) {
    processor.compareAndSet(service, null);
  }

  @Override
  public void pressed(ConsoleTerminal terminal) {
    CommandProcessor current = processor.get();
    if (current == null) {
      terminal.say("the shell is not up yet; try again in a moment");
      return;
    }
    shell.compareAndSet(null, new Shell());
    shell.get().run(current, terminal);
  }
}
