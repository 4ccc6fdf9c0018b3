// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

/** The configuration of a virtual machine is wrong. The message is one line for the user. */
final class VmConfigException extends Exception {
  private static final long serialVersionUID = 1L;

  VmConfigException(String message) {
    super(message);
  }
}
