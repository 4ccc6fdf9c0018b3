// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PromptnessTest {
  private static final long ANSWER = 20_000;

  private final Promptness prompt = new Promptness();
  private long now = Long.MAX_VALUE - 100_000; // System.nanoTime may wrap

  private void exchange(long time) {
    prompt.asked(now);
    now += time;
    prompt.answered(now);
  }

  @Test
  void slowPeerIsNotPromising() {
    exchange(PromptPeers.PROMPT_NANOS);
    assertThat(prompt.isPromising()).isFalse();
  }

  @Test
  void peerThatWasNotAskedIsNotPromising() {
    prompt.answered(now);
    assertThat(prompt.isPromising()).isFalse();
  }

  @Test
  void lookGoesOnWhileGuestAndHostTakeTurns() {
    exchange(ANSWER);
    assertThat(prompt.isPromising()).isTrue();
    prompt.watch(now);
    for (int i = 0; i < 10; i++) {
      now += PromptPeers.LOOK_NANOS - 1;
      assertThat(prompt.isOver(now)).isFalse();
      prompt.asked(now);
      now += PromptPeers.LOOK_NANOS - 1;
      assertThat(prompt.isOver(now)).isFalse();
      prompt.found(now);
    }
    now += PromptPeers.LOOK_NANOS;
    assertThat(prompt.isOver(now)).isTrue();
  }

  @Test
  void guestThatAsksAgainWithoutAnAnswerDoesNotProlongTheLook() {
    exchange(ANSWER);
    prompt.watch(now);
    prompt.asked(now);
    for (int i = 0; i < 10; i++) {
      now += PromptPeers.LOOK_NANOS / 10;
      prompt.asked(now);
    }
    assertThat(prompt.isOver(now)).isTrue();
  }

  @Test
  void looksInVainGetSeldom() {
    int looks = 0;
    for (int i = 0; i < 10_000; i++) {
      exchange(ANSWER);
      if (prompt.isPromising()) {
        looks++;
        prompt.watch(now);
        prompt.unwatch();
      }
    }
    assertThat(looks).isBetween(30, 60);
  }
}
