// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.irq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.plex86.monitor.control.ControlLayout.*;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.plex86.monitor.control.ControlMemory;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.Mapping;

class InterruptControllerTest {
  private ByteBuffer guestSide;
  private InterruptController interrupts;
  private final List<Integer> kicks = new ArrayList<>();

  @BeforeEach
  void map() throws IOException {
    try (Fd fd = Fd.sealedMemory("control", CONTROL_SIZE)) {
      guestSide = new Mapping(fd, CONTROL_SIZE).window(0);
      interrupts = new InterruptController(new ControlMemory(fd), kicks::add);
    }
  }

  @Test
  void runningSpaceIsKickedOnceForALineThatIsStillPending() {
    guestSide.putInt(CONTROL_BLOCK + Control.ACTIVE, 7);
    interrupts.raise(3);
    interrupts.raise(3);
    assertThat(kicks).containsExactly(7);
    assertThat(guestSide.getInt(PLEX86_IRQ_PENDING)).isEqualTo(1 << 3);
  }

  @Test
  void haltedGuestIsWokenRatherThanKicked() {
    guestSide.putInt(CONTROL_BLOCK + Control.IDLE, 1);
    interrupts.raise(0);
    assertThat(kicks).isEmpty();
    assertThat(guestSide.getInt(CONTROL_BLOCK + Control.WAKE)).isEqualTo(1);
  }

  @Test
  void linesDoNotDisturbEachOther() {
    interrupts.raise(31);
    interrupts.raise(2);
    assertThat(guestSide.getInt(PLEX86_IRQ_PENDING)).isEqualTo(1 << 31 | 1 << 2);
    assertThat(kicks).hasSize(2);
  }

  @Test
  void lineThatDoesNotExistIsRefused() {
    assertThatThrownBy(() -> interrupts.raise(32)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> interrupts.raise(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }
}
