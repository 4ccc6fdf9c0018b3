// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A virtual machine. Registered as a service with the property {@link VmProperties#SERVICE_NAME}.
 * All methods may be called on any thread and do not wait for the guest.
 */
@ProviderType
public interface VirtualMachine {
  /** The name, unique in the container. */
  String name();

  /** The state at this moment. */
  VmState state();

  /** The size of guest memory in bytes. */
  long memory();

  /**
   * Starts the machine. Returns at once: whether it came up shows in {@link #state} and {@link
   * #ended}.
   *
   * @throws IllegalStateException it was started before
   */
  void start();

  /** Stops the machine's processes where they are. No effect unless it runs. */
  void pause();

  /** Lets a paused machine go on. No effect unless it is paused. */
  void resume();

  /**
   * Presses the power button, and kills the machine if it has not ended after a while. A paused
   * machine is resumed. A machine that was never started ends at once. No effect on an ended one.
   *
   * @param patience how long the guest may take to power off
   */
  void stop(Duration patience);

  /** Ends the machine at once. No effect on an ended one. */
  void kill();

  /**
   * Completes when the machine is over: its processes are gone, its channels closed, its memory
   * given back. Never completes exceptionally. Dependent stages run on a thread of the machine and
   * must not block.
   */
  CompletionStage<VmEnd> ended();

  /**
   * What was counted since the start, by name: events of the nexus (see control.h), and {@code
   * boot_us}, the microseconds from the start of the nexus to the first instruction of guest user
   * code (0 before it). Values are what the guest's side wrote: for people, not for decisions.
   * Empty before the start, the last state after the end.
   */
  Map<String, Long> counters();

  /** The channels in the order of their devices. */
  List<ChannelStatus> channels();

  /**
   * Has a channel served by the driver of a bundle, whatever its ranking, as long as that bundle
   * offers one; all that the guest knows and has under way is kept. Waits until that driver serves:
   * milliseconds, seconds where a driver hangs.
   *
   * @param bundle its symbolic name, or that and a version, {@code symbolic.name:1.2.3}
   * @throws IllegalArgumentException there is no such channel; the message names those there are
   * @throws IllegalStateException the driver cannot serve, and the one before it still does; the
   *     message says why, for the user
   */
  void swapChannel(String channel, String bundle);

  /**
   * Takes the driver of a channel away: the guest's requests wait, or fail after a while if the
   * channel's policy is so. Does not wait for the driver's end.
   *
   * @throws IllegalArgumentException as {@link #swapChannel}
   * @throws IllegalStateException the machine has no channels open
   */
  void parkChannel(String channel);

  /**
   * Lets a channel that was parked have a driver again; drivers and interposers that were left out
   * as they crashed or were refused have another chance, too.
   *
   * @throws IllegalArgumentException as {@link #swapChannel}
   * @throws IllegalStateException the machine has no channels open
   */
  void unparkChannel(String channel);

  /**
   * What happened to a channel, the latest 256 events, the oldest first; kept after the end.
   *
   * @throws IllegalArgumentException as {@link #swapChannel}
   */
  List<ChannelEvent> channelHistory(String channel);

  /** The host processes: the supervisor, then the spaces. Empty when none runs. */
  List<Integer> processes();
}
