// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm.agent;

import java.lang.reflect.Method;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/** The commands {@code hal:*} of the monitor, called as a shell calls them: by name. */
final class Reports {
  private static final String COMMANDS = "org.plex86.monitor.command.HalCommands";

  private final BundleContext context;

  Reports(BundleContext context) {
    this.context = context;
  }

  String list() throws ReflectiveOperationException, InvalidSyntaxException {
    return indented(call("list"));
  }

  String history(String vm, String channel)
      throws ReflectiveOperationException, InvalidSyntaxException {
    return indented(call("history", vm, channel));
  }

  private String call(String name, String... arguments)
      throws ReflectiveOperationException, InvalidSyntaxException {
    ServiceReference<?>[] all = context.getAllServiceReferences(COMMANDS, null);
    if (all == null) {
      throw new IllegalStateException("the commands hal:* are not there");
    }
    Object commands = context.getService(all[0]);
    for (Method method : commands.getClass().getMethods()) {
      if (method.getName().equals(name) && method.getParameterCount() == arguments.length) {
        return String.valueOf(method.invoke(commands, (Object[]) arguments));
      }
    }
    throw new IllegalStateException("there is no command hal:" + name);
  }

  private static String indented(String text) {
    return text.isEmpty() ? "" : " " + text.strip().replace("\n", "\n ") + "\n";
  }
}
