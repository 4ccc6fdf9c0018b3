// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.irq;

import java.util.function.IntConsumer;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.control.ControlMemory;

/**
 * Raises interrupt lines of the guest. Delivery, masks and the end of an interrupt are the nexus's
 * and the guest's business and take no part of the monitor. Any thread.
 */
public final class InterruptController {
  private final ControlMemory control;
  private final IntConsumer kick;

  /**
   * A controller.
   *
   * @param kick interrupts the space in a slot, any number, so that it looks at what is pending;
   *     has no effect when there is no such space
   */
  public InterruptController(ControlMemory control, IntConsumer kick) {
    this.control = control;
    this.kick = kick;
  }

  /**
   * Raises a line. Never blocks, never throws for a line that exists, also after the end of the
   * machine.
   *
   * @param line 0 to 31
   */
  public void raise(int line) {
    if (line < 0 || line >= ControlLayout.PLEX86_IRQ_LINES) {
      throw new IndexOutOfBoundsException("interrupt line " + line);
    }
    if (!control.setPending(line)) {
      return; // whoever raised it first has told the guest
    }
    // The nexus sets idle first and looks for pending lines then; setPending is a full fence.
    if (control.idle()) {
      control.wakeIdle();
    } else {
      kick.accept(control.active());
    }
  }
}
