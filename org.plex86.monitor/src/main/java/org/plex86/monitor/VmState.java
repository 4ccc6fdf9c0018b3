// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor;

/** Where a virtual machine is in its life. Goes forward only, but for {@link #PAUSED}. */
public enum VmState {
  /** Configured, not started: holds no memory, no process, no device. */
  CREATED,
  /** Being loaded, or running. */
  RUNNING,
  /** All its processes are stopped; devices keep what is in flight. */
  PAUSED,
  /** The guest was asked to power off. */
  STOPPING,
  /** Over. {@link VirtualMachine#ended} says how. */
  ENDED
}
