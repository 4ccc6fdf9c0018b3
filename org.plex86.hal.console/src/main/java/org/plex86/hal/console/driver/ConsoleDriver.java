// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.driver;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.osgi.annotation.bundle.Capability;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.ConsoleHistory;
import org.plex86.hal.console.EscapeHandler;
import org.plex86.hal.console.device.ConsoleChannel;
import org.plex86.hal.console.device.ConsoleTail;
import org.plex86.hal.console.exec.ExecPort;
import org.plex86.hal.console.terminal.EscapeRegistry;

/** Opens consoles, with the keys that other bundles have registered. */
@Component(
    service = {ChannelDriver.class, ConsoleHistory.class},
    property = ChannelDriver.TYPE + "=console")
@Capability(
    namespace = ChannelDriver.NAMESPACE,
    attribute = {"type=console", "protocol=virtio", "device:Long=3"})
public final class ConsoleDriver implements ChannelDriver, ConsoleHistory {
  /** Machines whose last lines are kept, the ended ones included. */
  private static final int MAX_TAILS = 64;

  private final EscapeRegistry escapes = new EscapeRegistry();
  private final Map<String, ConsoleTail> tails = new LinkedHashMap<>();

  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      unbind = "removeEscape")
  void addEscape(EscapeHandler handler, Map<String, ?> properties) {
    escapes.add(handler, properties);
  }

  void removeEscape(EscapeHandler handler) {
    escapes.remove(handler);
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) throws HalException {
    ConsoleOptions options = ConsoleOptions.of(config);
    ConsoleTail tail = newTail(context.vmName());
    try {
      return new ConsoleChannel(
          context,
          options.open(context, escapes),
          options.exec() == null ? null : host -> new ExecPort(options.exec(), host),
          !options.quiet(),
          tail);
    } catch (LinkageError e) {
      // JNA found no native part for this host: this console cannot work, others' drivers can.
      throw new HalException("the console cannot call the C library: " + e.getMessage(), e);
    }
  }

  @Override
  public List<String> lastLines(String vmName) {
    ConsoleTail tail;
    synchronized (tails) {
      tail = tails.get(vmName);
    }
    return tail == null ? List.of() : tail.lines();
  }

  private ConsoleTail newTail(String vmName) {
    ConsoleTail tail = new ConsoleTail();
    synchronized (tails) {
      tails.remove(vmName);
      tails.put(vmName, tail);
      if (tails.size() > MAX_TAILS) {
        tails.remove(tails.keySet().iterator().next());
      }
    }
    return tail;
  }
}
