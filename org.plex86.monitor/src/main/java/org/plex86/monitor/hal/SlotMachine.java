// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.virtio.MmioTransport;
import org.plex86.monitor.virtio.Virtqueue;

/**
 * The state machine of a slot. All on the slot's thread, but for what says else.
 *
 * <p>What the slot should be bound to is never stored as an event: at each step it is looked up
 * anew ({@link #wanted}), so drivers that come and go in the midst of a change just change where it
 * leads to. The way from one driver to another:
 *
 * <pre>
 *   BOUND -> QUIESCING        no new packets; those that were taken may be completed
 *         -> handed over      what is left is taken back, in order; what it hands over is kept
 *         -> open the best    does it cover what the guest knows? if not: the next best, which is
 *                             the old one as a rule
 *         -> BOUND            start, and notify of every queue: what was taken back comes first
 *         or PARKED           until a driver comes
 * </pre>
 */
final class SlotMachine implements SlotThread.Work {
  private final ChannelSpec spec;
  private final ChannelHost host;
  private final SlotTiming timing;
  private final MmioTransport transport;
  private final SlotThread thread;
  private final CallbackGuard guard;
  private final Succession succession;
  private final SlotReport report;
  private final DriverChoice choice;
  private final DriverBlocks blocks;
  private final Lingering lingering;
  private final GuestQueues queues = new GuestQueues();
  private final EarlyOutput early = new EarlyOutput();

  /** Done when a driver was bound first, or all there are have refused. */
  private final CompletableFuture<Void> firstBinding = new CompletableFuture<>();

  private SlotState state = SlotState.UNBOUND;
  private long quiesceEnd;
  private long stalledAt;

  /** Whether the guest has reset the device, and the driver it is for does not know of it yet. */
  private boolean resetUnserved;

  /** Who serves the guest; null: nobody. Volatile: others ask whether it is a certain one. */
  private volatile Binding binding;

  /** What the user has asked for and not got yet; null: nothing. */
  private SwapRequest request;

  SlotMachine(
      ChannelSpec spec,
      ChannelHost host,
      DriverRegistry registry,
      SlotTiming timing,
      Doorbell doorbell,
      MmioTransport transport) {
    this.spec = spec;
    this.host = host;
    this.timing = timing;
    this.transport = transport;
    choice = new DriverChoice(host.vmName(), spec, registry);
    blocks = choice.blocks();
    lingering = new Lingering(timing.linger());
    report = new SlotReport(spec.name(), host);
    thread = new SlotThread("plex86-" + host.vmName() + "-" + spec.name(), doorbell, this);
    guard = new CallbackGuard(thread);
    succession = new Succession(this, spec, guard, choice, transport);
  }

  // ---- any thread ----

  String name() {
    return spec.name();
  }

  ChannelHost host() {
    return host;
  }

  SlotThread thread() {
    return thread;
  }

  SlotReport report() {
    return report;
  }

  EarlyOutput early() {
    return early;
  }

  CompletableFuture<Void> firstBinding() {
    return firstBinding;
  }

  /** The name of the driver's method that runs at present; null if none does. */
  String callback() {
    return guard.running();
  }

  /** Whether a service takes part in serving the guest, or is being opened. */
  boolean uses(HalService service) {
    return isPartOf(succession.candidate(), service) || isPartOf(binding, service);
  }

  /** As {@link #uses}, and not as a driver that lingers: an interposer is left when it goes. */
  boolean dependsOn(HalService service) {
    Binding bound = binding;
    if (isPartOf(succession.candidate(), service)) {
      return true;
    }
    return isPartOf(bound, service)
        && !(lingering.is(bound) && service.id() == bound.stack().driver().id());
  }

  private static boolean isPartOf(Binding some, HalService service) {
    return some != null && some.stack().contains(service);
  }

  SlotStatus status() {
    Binding bound = binding;
    String driver = bound == null ? "" : bound.stack().label();
    return report.status(driver, queues.inFlight(), queues.taken(), queues.completed());
  }

  void submitTask(Binding from, Runnable task) {
    thread.submit(
        () -> {
          if (from == binding) {
            guarded("a task", task::run);
          }
        });
  }

  /** No driver is to be bound any more. */
  void prepareToEnd() {
    choice.prepareToEnd();
  }

  // ---- for the binding ----

  Virtqueue virtqueue(int number) {
    return queues.get(number);
  }

  void updateConfig(byte[] config) {
    transport.updateConfig(config);
  }

  // ---- commands: the guest ----

  void driverOk(long features, List<Virtqueue> started) {
    queues.start(features, started);
    startChannel();
  }

  /** The driver takes what the guest has sent before it resets the device, as far as it can. */
  void serveLast() {
    if (serves()) {
      queues.ringAll();
      notifyDriver();
    }
  }

  /** The queues that are closed are the guest's again. */
  void withdraw(boolean deviceReset) {
    queues.discardClosed();
    if (!deviceReset || !queues.isLive()) {
      return;
    }
    queues.stop();
    resetUnserved = true;
    if (binding != null) {
      tellOfReset();
    }
  }

  /** Whoever holds, or inherits, what it knows of the guest must forget it, once. */
  private void tellOfReset() {
    Binding serving = binding;
    guarded("reset", serving.channel()::reset);
    if (serving == binding && !serving.stack().standsIn()) {
      resetUnserved = false;
    }
  }

  /** The guest has forgotten what some drivers did not cover. */
  void wasReset() {
    blocks.clearRefusals();
    reconsider();
  }

  void configWritten(int offset, byte[] value) {
    if (binding != null) {
      Channel channel = binding.channel();
      guarded("configWritten", () -> channel.configWritten(offset, value));
    }
  }

  void deliverEarlyOutput() {
    if (binding != null && early.hasText()) {
      Channel channel = binding.channel();
      guarded("earlyOutput", () -> channel.earlyOutput(early.take()));
    }
  }

  @Override
  public void rung(int bits) {
    queues.ring(bits);
  }

  // ---- commands: drivers ----

  /** Looks whether another driver is wanted than the one that serves, and begins the change. */
  void reconsider() {
    switch (state) {
      case BOUND, FAILING -> {
        DriverStack wanted = wanted();
        if (isBound(wanted)) {
          lingering.end();
          binding.adopt(wanted);
          settled();
        } else if (wanted != null || !linger(System.nanoTime())) {
          quiesce(wanted);
        }
      }
      case UNBOUND, PARKED -> bindBest();
      case QUIESCING, ENDED -> {} // looked up at the end of quiescing; nothing is wanted any more
    }
  }

  /** Whether the driver that has gone serves on, while no other is there. */
  private boolean linger(long now) {
    if (!choice.mayLinger(binding.stack())) {
      return false;
    }
    if (!lingering.is(binding)) {
      lingering.begin(binding, now);
      report.event(binding.stack().label() + " has gone, and serves on for the next one to come");
    }
    return lingering.left(now) > 0;
  }

  /** Drivers have come, gone or changed. Who was refused may try again where none serves. */
  void driversChanged() {
    choice.driversChanged();
    if (state != SlotState.BOUND) {
      blocks.clearRefusals();
    }
    reconsider();
  }

  /** The user takes the driver away, or lets the slot have one again. */
  void setHeldByUser(boolean held) {
    choice.setHeldByUser(held);
    reconsider();
  }

  /**
   * The user wants the driver of a bundle.
   *
   * @param outcome will be completed with why that cannot be; empty: it serves
   */
  void prefer(String bundle, CompletableFuture<String> outcome) {
    if (request != null) {
      request.overtaken();
    }
    request = SwapRequest.begin(choice, bundle, outcome);
    reconsider();
  }

  private void settled() {
    SwapRequest done = request;
    if (done != null) {
      request = null;
      done.settled(binding == null ? null : binding.stack());
      reconsider(); // what is wanted may be another one now that it was refused
    }
  }

  /** Ends the slot with the virtual machine, after what the guest has sent last was served. */
  void end() {
    if (binding != null) {
      binding.hold(false); // what its close can still take of the queues, it may
    }
    serveLast(); // the guest's last kick may have come with its end
    if (state != SlotState.ENDED) {
      closeBinding("the virtual machine has ended");
      succession.end();
      enter(SlotState.ENDED, "the virtual machine has ended");
    }
    thread.end();
  }

  // ---- turns ----

  @Override
  public long turn() {
    queues.settle(serves());
    long sleep = followTimers(System.nanoTime());
    if (!queues.isRung() || !serves()) {
      return sleep;
    }
    notifyDriver();
    queues.settle(serves());
    // asked again: a driver that has crashed just now may be opened again at a time of its own
    return queues.isRung() && serves() ? 0 : followTimers(System.nanoTime());
  }

  private boolean serves() {
    return queues.isLive() && (state == SlotState.BOUND || state == SlotState.FAILING);
  }

  private void notifyDriver() {
    Binding serving = binding;
    Channel channel = serving.channel();
    int bits = queues.takeRung();
    for (int i = 0; bits != 0 && serving == binding && queues.isLive(); i++, bits >>>= 1) {
      if ((bits & 1) != 0 && queues.get(i) != null) {
        int queue = i;
        guarded("notify", () -> channel.notify(queue));
      }
    }
  }

  /** Does what is due by time; returns how long until something will be, in nanoseconds. */
  private long followTimers(long now) {
    if (state == SlotState.QUIESCING) {
      if (queues.inFlight() > 0 && quiesceEnd - now > 0) {
        return quiesceEnd - now;
      }
      finishQuiescing();
    }
    if (state == SlotState.BOUND && lingering.is(binding)) {
      long left = lingering.left(now);
      if (left > 0) {
        return left;
      }
      reconsider();
      return 0;
    }
    if (state == SlotState.BOUND || state == SlotState.ENDED) {
      return Long.MAX_VALUE;
    }
    long due = choice.untilDue(now);
    if (due <= 0) {
      blocks.unblockDue(now);
      reconsider();
      return 0;
    }
    return due;
  }

  // ---- from driver to driver ----

  private boolean isBound(DriverStack wanted) {
    return wanted != null && wanted.isSameAs(binding.stack());
  }

  private DriverStack wanted() {
    return choice.wanted(transport.profile(), System.nanoTime());
  }

  private void quiesce(DriverStack wanted) {
    stalledAt = System.nanoTime();
    quiesceEnd = stalledAt + timing.quiesce().toNanos();
    binding.hold(true);
    enter(SlotState.QUIESCING, wanted == null ? "its driver goes" : "for " + wanted.label());
  }

  private void finishQuiescing() {
    DriverStack wanted = wanted();
    if (isBound(wanted)) {
      lingering.end();
      binding.adopt(wanted);
      binding.hold(false);
      enter(SlotState.BOUND, "");
      queues.ringAll();
      settled();
      return;
    }
    closeBinding(wanted == null ? "no other driver" : "replaced by " + wanted.label());
    bindBest();
  }

  /** Ends the driver's channel and takes back what it has not completed. */
  private void closeBinding(String why) {
    Binding closing = binding;
    if (closing == null) {
      return;
    }
    closing.hold(!choice.isEnding()); // what it leaves is the next driver's, if there will be one
    if (choice.isEnding()) {
      succession.close(closing);
    } else {
      succession.handOver(closing);
    }
    binding = null;
    report.event(
        "closed %s: %s; %d packets taken back"
            .formatted(closing.stack().label(), why, queues.takeBack()));
  }

  /** Binds the best driver that can go on where the guest is, or parks. */
  private void bindBest() {
    String refusal = "";
    for (DriverStack next; (next = wanted()) != null; ) {
      Binding opened = succession.open(next);
      if (opened != null) {
        bound(opened);
        return;
      }
      refusal = refusal.isEmpty() ? succession.refusal() : refusal;
    }
    park(refusal);
  }

  private void bound(Binding next) {
    boolean first = state == SlotState.UNBOUND;
    next.markInForce();
    binding = next;
    succession.takeCandidate();
    enter(next.stack().standsIn() ? SlotState.FAILING : SlotState.BOUND, "");
    long stall = first ? 0 : System.nanoTime() - stalledAt;
    report.bound(next.stack().label(), Duration.ofNanos(stall));
    firstBinding.complete(null);
    succession.bound(next);
    if (resetUnserved) {
      tellOfReset();
    }
    deliverEarlyOutput();
    if (binding == next) {
      startChannel();
    }
    settled();
  }

  private void startChannel() {
    if (queues.isLive() && binding != null) {
      Channel channel = binding.channel();
      queues.ringAll();
      guarded("start", () -> channel.start(queues.features()));
    }
  }

  private void park(String refusal) {
    if (state == SlotState.UNBOUND) {
      if (!refusal.isEmpty()) {
        firstBinding.completeExceptionally(new HalException(refusal));
      }
    } else if (state != SlotState.PARKED) {
      enter(SlotState.PARKED, choice.whyNone(refusal));
      if (!choice.isEnding()) {
        host.log(name(), "is parked: " + report.reason());
      }
    }
    settled();
  }

  private void enter(SlotState next, String reason) {
    state = next;
    choice.entered(next, System.nanoTime());
    report.enter(next, reason);
    report.event(reason.isEmpty() ? next.toString() : next + ": " + reason);
  }

  // ---- crashes ----

  /** Calls the serving driver; its exception is the driver's crash. */
  private void guarded(String method, CallbackGuard.Callback call) {
    Binding serving = binding;
    Throwable thrown = guard.run(method, call);
    if (thrown != null && serving == binding) {
      crashed(method, thrown);
    }
  }

  private void crashed(String method, Throwable cause) {
    HalService culprit = binding.culprit(cause);
    markStalled();
    report.crash(culprit.label() + " crashed in " + method, cause);
    blocks.crashed(culprit, "it crashed in " + method + ": " + cause, System.nanoTime());
    closeBinding("crash");
    bindBest();
  }

  @Override
  public void failed(Throwable cause) {
    report.error("a fault of the slot itself, please report it", cause);
  }

  @Override
  public void takeOver() {
    String method = guard.takeOver();
    Binding candidate = succession.takeCandidate();
    Binding hung = candidate == null ? binding : candidate;
    markStalled();
    if (hung != null) {
      String what = "it hung in " + method + ", where its thread was left";
      HalService culprit = hung.hung();
      report.crash(culprit.label() + ": " + what, null);
      hung.markClosed();
      blocks.refuse(culprit, what);
    }
    binding = null; // it was the one that hung, or had gone before a candidate was opened
    report.event(queues.takeBack() + " packets taken back");
    bindBest();
  }

  private void markStalled() {
    if (state == SlotState.BOUND || state == SlotState.FAILING) {
      stalledAt = System.nanoTime();
    }
  }
}
