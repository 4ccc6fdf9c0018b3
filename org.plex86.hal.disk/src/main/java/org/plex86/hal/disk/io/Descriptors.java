// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * Finds the descriptor of a {@link FileChannel}.
 *
 * <p>JUSTIFICATION: an open image must be a class of the JDK, so that it can go from one version of
 * this bundle to the next, and what the image needs of the C library takes a descriptor, which Java
 * does not tell. So the position of the channel, which nothing else here uses, is set to a random
 * number, and the descriptor is the one that Linux shows at that position (proc(5), fdinfo). Other
 * open files are not touched by this, and a wrong one is not found: it would have to follow several
 * random positions.
 */
final class Descriptors {
  private static final Path INFO = Path.of("/proc/self/fdinfo");
  private static final int ROUNDS = 3;
  private static final long REGULAR_BOUND = 1L << 40;

  private Descriptors() {}

  /**
   * The descriptor of an open channel. For one thread at a time.
   *
   * @param device whether it is a device, which has no positions beyond its end
   */
  static int of(FileChannel channel, boolean device) throws IOException {
    List<String> candidates = null;
    long bound = device ? Math.max(1, channel.size()) : REGULAR_BOUND;
    for (int round = 0; round < ROUNDS; round++) {
      long position = ThreadLocalRandom.current().nextLong(1, bound + 1);
      channel.position(position);
      candidates = at(candidates == null ? all() : candidates, position);
    }
    channel.position(0);
    if (candidates.size() != 1) {
      throw new IOException("/proc/self/fdinfo does not show the open image; mount /proc");
    }
    return Integer.parseInt(candidates.get(0));
  }

  private static List<String> all() throws IOException {
    try (Stream<Path> files = Files.list(INFO)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static List<String> at(List<String> descriptors, long position) {
    List<String> found = new ArrayList<>();
    for (String descriptor : descriptors) {
      try {
        String text = Files.readString(INFO.resolve(descriptor));
        if (text.startsWith("pos:\t" + position + "\n")) {
          found.add(descriptor);
        }
      } catch (IOException closed) {
        // meanwhile closed: not ours
      }
    }
    return found;
  }
}
