// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import org.plex86.monitor.control.ControlMemory;
import org.plex86.monitor.hal.Doorbell;

/** The doorbell of one device, in the control memory. */
record MachineDoorbell(ControlMemory control, int device) implements Doorbell {
  @Override
  public int await(long nanos) {
    return control.awaitDoorbell(device, nanos);
  }

  @Override
  public void wake() {
    control.ringDoorbell(device, WAKE);
  }
}
