// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.Map;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.virtio.MmioTransport;

/**
 * Opens and ends the channels of a slot, and carries over what one leaves to the next. Each call to
 * a driver may hang, whereupon it never returns (see {@link SlotThread}); what is kept here is then
 * as it was before the call. For the slot's thread.
 */
final class Succession {
  private final SlotMachine machine;
  private final ChannelSpec spec;
  private final CallbackGuard guard;
  private final DriverChoice choice;
  private final MmioTransport transport;
  private final SlotReport report;
  private final Inheritance inheritance;

  /** Why the last stack was refused. */
  private String refusal = "";

  /** What is being opened, and does not serve yet; null: nothing. Volatile: others look. */
  private volatile Binding candidate;

  Succession(
      SlotMachine machine,
      ChannelSpec spec,
      CallbackGuard guard,
      DriverChoice choice,
      MmioTransport transport) {
    this.machine = machine;
    this.spec = spec;
    this.guard = guard;
    this.choice = choice;
    this.transport = transport;
    report = machine.report();
    inheritance = new Inheritance(report);
  }

  /** What is being opened, and does not serve yet; null: nothing. Any thread. */
  Binding candidate() {
    return candidate;
  }

  /** Forgets what is being opened; returns it. */
  Binding takeCandidate() {
    Binding taken = candidate;
    candidate = null;
    return taken;
  }

  /** Why {@link #open} returned null. */
  String refusal() {
    return refusal;
  }

  /**
   * Opens a stack and makes the device what it offers. It is {@link #candidate} until {@link
   * #takeCandidate}.
   *
   * @return null if the guest cannot go on with it, or it does not open; then the service that is
   *     to blame is blocked, what was handed over is as it was, or was given back
   */
  Binding open(DriverStack stack) {
    Binding next = new Binding(machine, stack);
    candidate = next;
    // whoever takes a driver out of the registry looks here after that, and so do we there
    if (!choice.isOffered(stack)) {
      candidate = null;
      refusal = "it has gone";
      return null;
    }
    Throwable thrown = openChannel(next);
    if (thrown == null) {
      String conflict = transport.bind(next.profile());
      if (conflict == null) {
        return next;
      }
      refuse(next, conflict);
    } else {
      failed(next.culprit(thrown), thrown);
    }
    handOver(next);
    candidate = null;
    return null;
  }

  private Throwable openChannel(Binding next) {
    // one that only stands in must not cost the next driver what the last one left
    Map<String, Object> offered = next.stack().standsIn() ? Map.of() : inheritance.offer();
    Throwable thrown = guard.run("open", () -> next.open(spec, offered));
    if (next.channel() != null && !next.stack().standsIn()) {
      inheritance.taken(offered);
    }
    return thrown;
  }

  private void refuse(Binding next, String conflict) {
    HalService[] culprit = {next.stack().driver()};
    Throwable thrown =
        guard.run(
            "configSpace",
            () -> culprit[0] = next.refused(profile -> transport.conflictWith(profile) != null));
    if (thrown != null) {
      culprit[0] = next.culprit(thrown);
    }
    choice.blocks().refuse(culprit[0], conflict);
    tell(culprit[0], conflict);
  }

  private void failed(HalService culprit, Throwable thrown) {
    String reason;
    if (thrown instanceof HalException) {
      reason = thrown.getMessage();
      choice.blocks().failedToOpen(culprit, reason, System.nanoTime());
    } else {
      reason = "it crashed in open: " + thrown;
      choice.blocks().crashed(culprit, reason, System.nanoTime());
      report.crash(culprit.label() + " crashed in open", thrown);
    }
    tell(culprit, reason);
  }

  private void tell(HalService refused, String reason) {
    refusal = reason;
    report.event("refused %s: %s".formatted(refused.label(), reason));
    machine.host().log(machine.name(), "%s is refused: %s".formatted(refused.label(), reason));
  }

  /** A driver serves the guest now: what it has not taken is of no use. */
  void bound(Binding next) {
    if (!next.stack().standsIn()) {
      guard.run("open", () -> inheritance.discard(next.stack().label() + " did not take it"));
    }
  }

  /** Ends a channel; the next one of the slot gets what it hands over. */
  void handOver(Binding ending) {
    Channel channel = ending.channel();
    if (channel == null) {
      ending.markClosed();
      return;
    }
    String label = ending.stack().label();
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
        report.error(ending.stack().label() + " failed in close", thrown);
      }
    }
    ending.markClosed();
  }

  /** The virtual machine is over. */
  void end() {
    guard.run("close", () -> inheritance.discard("as the virtual machine has ended"));
  }
}
