// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.host;

import java.nio.file.Path;

/** Where this checkout and the results of building it are. */
public record Project(Path root) {
  /** The checkout that bench/bench or bench/soak named when it started this JVM. */
  public static Project current() {
    String root = System.getProperty("plex86.root");
    if (root == null) {
      throw new IllegalStateException("plex86.root is not set: start by bench/bench or bench/soak");
    }
    return new Project(Path.of(root));
  }

  public Path command() {
    return root.resolve("plex86");
  }

  public Path bench() {
    return root.resolve("bench");
  }

  /** The i386 programs, built by bench/programs/Makefile. */
  public Path programs() {
    return bench().resolve("target/programs");
  }

  public Path target() {
    return bench().resolve("target");
  }
}
