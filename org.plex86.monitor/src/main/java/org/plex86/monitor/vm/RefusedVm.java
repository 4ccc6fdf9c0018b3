// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.plex86.monitor.ChannelEvent;
import org.plex86.monitor.ChannelStatus;
import org.plex86.monitor.VirtualMachine;
import org.plex86.monitor.VmEnd;
import org.plex86.monitor.VmState;

/** Stands for a configuration that cannot become a machine, and says why. */
record RefusedVm(String name, String message) implements VirtualMachine {
  @Override
  public VmState state() {
    return VmState.ENDED;
  }

  @Override
  public long memory() {
    return 0;
  }

  @Override
  public void start() {
    throw new IllegalStateException(message);
  }

  @Override
  public void pause() {}

  @Override
  public void resume() {}

  @Override
  public void stop(Duration patience) {}

  @Override
  public void kill() {}

  @Override
  public CompletionStage<VmEnd> ended() {
    return CompletableFuture.completedStage(
        new VmEnd(VmEnd.Reason.START_FAILED, OptionalInt.empty(), message));
  }

  @Override
  public Map<String, Long> counters() {
    return Map.of();
  }

  @Override
  public List<ChannelStatus> channels() {
    return List.of();
  }

  @Override
  public void swapChannel(String channel, String bundle) {
    throw new IllegalStateException(message);
  }

  @Override
  public void parkChannel(String channel) {
    throw new IllegalStateException(message);
  }

  @Override
  public void unparkChannel(String channel) {
    throw new IllegalStateException(message);
  }

  @Override
  public List<ChannelEvent> channelHistory(String channel) {
    throw new IllegalStateException(message);
  }

  @Override
  public List<Integer> processes() {
    return List.of();
  }
}
