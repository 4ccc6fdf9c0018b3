// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What {@code plex86 run} was asked to do, checked as far as that is possible without a framework.
 *
 * @param name the name of the virtual machine
 * @param memory guest memory in bytes
 * @param isolation {@code strict} or {@code shared}
 * @param exec the command to run in the guest
 * @param timeout when to end the virtual machine
 * @param kernel file name of a kernel of the user's own
 * @param initrd file name of an initial RAM disk of the user's own
 * @param append kernel command line of the user's own, or empty
 * @param channels console first, then disks, then nets, each in the order of the command line
 * @param bundles a folder whose bundles are installed and followed
 * @param quiet no boot messages
 * @param verbose more messages
 */
public record RunOptions(
    String name,
    long memory,
    String isolation,
    Optional<String> exec,
    Optional<Duration> timeout,
    Optional<String> kernel,
    Optional<String> initrd,
    String append,
    List<ChannelSpec> channels,
    Optional<String> bundles,
    boolean quiet,
    boolean verbose) {
  /** Keeps a copy of the list. */
  public RunOptions {
    channels = List.copyOf(channels);
  }
}
