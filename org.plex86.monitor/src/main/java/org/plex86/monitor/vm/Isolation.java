// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.util.Locale;
import java.util.Optional;
import org.plex86.monitor.control.ControlLayout;

/** Whether the guest kernel's memory is out of reach of guest user code. */
enum Isolation {
  /** It is not: a process of the host runs the guest kernel and one address space's user code. */
  SHARED(ControlLayout.ISOLATION_SHARED),

  /** It is: user code runs in processes that map nothing else. */
  STRICT(ControlLayout.ISOLATION_STRICT);

  private final int code;

  Isolation(int code) {
    this.code = code;
  }

  /** As the nexus is told. */
  int code() {
    return code;
  }

  /** By its name in small letters. */
  static Optional<Isolation> of(String name) {
    for (Isolation isolation : values()) {
      if (isolation.toString().equals(name)) {
        return Optional.of(isolation);
      }
    }
    return Optional.empty();
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
