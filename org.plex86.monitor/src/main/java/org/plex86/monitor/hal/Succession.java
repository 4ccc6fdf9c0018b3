// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.Map;
import org.plex86.hal.api.Channel;

/**
 * Opens and ends the channels of a slot, and carries over what one leaves to the next. Each call to
 * a driver may hang, whereupon it never returns (see {@link SlotThread}); what is kept here is then
 * as it was before the call. For the slot's thread.
 */
final class Succession {
  private final ChannelSpec spec;
  private final CallbackGuard guard;
  private final SlotReport report;
  private final Inheritance inheritance;

  Succession(ChannelSpec spec, CallbackGuard guard, SlotReport report) {
    this.spec = spec;
    this.guard = guard;
    this.report = report;
    inheritance = new Inheritance(report);
  }

  /**
   * Opens a channel, offering what was handed over.
   *
   * @return what the driver threw; null if it is open
   */
  Throwable open(Binding next) {
    boolean stands = next.service().driver() instanceof ErrorDriver;
    // one that only stands in must not cost the next driver what the last one left
    Map<String, Object> offered = stands ? Map.of() : inheritance.offer();
    Throwable thrown = guard.run("open", () -> next.open(spec, offered));
    if (next.channel() != null && !stands) {
      inheritance.taken(offered);
    }
    return thrown;
  }

  /** A driver serves the guest now: what it has not taken is of no use. */
  void bound(Binding next) {
    if (!(next.service().driver() instanceof ErrorDriver)) {
      guard.run("open", () -> inheritance.discard(next.service().label() + " did not take it"));
    }
  }

  /** Ends a channel; the next one of the slot gets what it hands over. */
  void handOver(Binding ending) {
    Channel channel = ending.channel();
    if (channel == null) {
      ending.markClosed();
      return;
    }
    String label = ending.service().label();
    Throwable thrown = guard.run("handOver", () -> inheritance.add(label, channel.handOver()));
    if (thrown == null) {
      ending.markClosed();
    } else {
      report.error(label + " failed in handOver", thrown);
      close(ending);
    }
  }

  /** Ends a channel for good. */
  void close(Binding ending) {
    Channel channel = ending.channel();
    if (channel != null) {
      Throwable thrown = guard.run("close", channel::close);
      if (thrown != null) {
        report.error(ending.service().label() + " failed in close", thrown);
      }
    }
    ending.markClosed();
  }

  /** The virtual machine is over. */
  void end() {
    guard.run("close", () -> inheritance.discard("as the virtual machine has ended"));
  }
}
