// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;

/** The host's resolvers: the nameserver lines of resolv.conf(5), read again when it changes. */
public final class Resolvers {
  private static final long LOOK_EVERY_NS = 1_000_000_000L;
  private static final int MOST = 8;

  private final Path file;
  private final int port;
  private List<InetSocketAddress> servers = List.of();
  private FileTime changed = FileTime.fromMillis(-1);
  private long looked;
  private boolean read;

  /**
   * The resolvers of a file.
   *
   * @param port of all of them: 53
   */
  public Resolvers(Path file, int port) {
    this.file = file;
    this.port = port;
  }

  /** The servers as of now, in order; empty if there are none, or no file. */
  public List<InetSocketAddress> servers() {
    long now = System.nanoTime();
    if (read && now - looked < LOOK_EVERY_NS) {
      return servers;
    }
    read = true;
    looked = now;
    try {
      FileTime last = Files.getLastModifiedTime(file);
      if (!last.equals(changed)) {
        servers = parse(Files.readAllLines(file));
        changed = last;
      }
    } catch (IOException e) {
      servers = List.of(); // the guest is told by SERVFAIL
      changed = FileTime.fromMillis(-1);
    }
    return servers;
  }

  private List<InetSocketAddress> parse(List<String> lines) {
    List<InetSocketAddress> found = new ArrayList<>();
    for (String line : lines) {
      String[] words = line.strip().split("\\s+", 3);
      // An address, never a name: that would be asked of a resolver, and wait for it.
      boolean address = words.length > 1 && words[1].matches("[0-9.]+|[0-9a-fA-F:.]*:[^/]*");
      if (words[0].equals("nameserver") && address && found.size() < MOST) {
        try {
          found.add(new InetSocketAddress(InetAddress.getByName(words[1]), port));
        } catch (UnknownHostException e) {
          // a line that means nothing to any program
        }
      }
    }
    return List.copyOf(found);
  }
}
