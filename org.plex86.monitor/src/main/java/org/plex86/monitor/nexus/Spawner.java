// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.nexus;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.StringArray;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.Libc;

/** Starts a program with exactly the descriptors that it is meant to have. */
final class Spawner {
  private static final short POSIX_SPAWN_SETSIGDEF = 4;
  private static final short POSIX_SPAWN_SETSIGMASK = 8;

  /**
   * Above what the child is given, so that no dup2 in the child overwrites a later one's source.
   */
  private static final int SAFE_FD = 64;

  private static final int ETXTBSY = 26;
  private static final int ATTEMPTS = 20;

  /** glibc 2.34 and later: descriptors of the JVM that lack close-on-exec stay out of the child. */
  private static final Optional<Function> ADD_CLOSE_FROM =
      Libc.optional("posix_spawn_file_actions_addclosefrom_np");

  private Spawner() {}

  /**
   * Starts a program without environment.
   *
   * @param arguments from argv[0] on
   * @param descriptors become descriptor 0, 1, ... of the program; -1 keeps the one of that number
   * @return the process id; the caller has to wait for it
   */
  static int spawn(Path program, List<String> arguments, List<Integer> descriptors)
      throws IOException {
    List<Fd> sources = new ArrayList<>();
    try (Memory actions = new Memory(Libc.STRUCT_BYTES);
        Memory attributes = new Memory(Libc.STRUCT_BYTES)) {
      check(Libc.posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
      try {
        for (int fd : descriptors) {
          sources.add(fd < 0 ? null : Fd.duplicate(fd, SAFE_FD));
        }
        addActions(actions, sources);
        return spawn(program, arguments, actions, attributes);
      } finally {
        Libc.posix_spawn_file_actions_destroy(actions);
      }
    } finally {
      for (Fd source : sources) {
        if (source != null) {
          source.close();
        }
      }
    }
  }

  private static void addActions(Pointer actions, List<Fd> sources) throws IOException {
    for (int i = 0; i < sources.size(); i++) {
      if (sources.get(i) != null) {
        check(
            Libc.posix_spawn_file_actions_adddup2(actions, sources.get(i).get(), i),
            "posix_spawn_file_actions_adddup2");
      }
    }
    if (ADD_CLOSE_FROM.isPresent()) {
      // SAFETY: int f(posix_spawn_file_actions_t *, int), see <spawn.h>.
      Object[] arguments = {actions, sources.size()};
      check(ADD_CLOSE_FROM.get().invokeInt(arguments), "posix_spawn_file_actions_addclosefrom_np");
    }
  }

  private static int spawn(
      Path program, List<String> arguments, Pointer actions, Pointer attributes)
      throws IOException {
    check(Libc.posix_spawnattr_init(attributes), "posix_spawnattr_init");
    try (Memory set = new Memory(Libc.STRUCT_BYTES)) {
      // The JVM blocks and ignores signals as it likes; a child inherits that unless told
      // otherwise.
      short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
      check(Libc.posix_spawnattr_setflags(attributes, flags), "posix_spawnattr_setflags");
      Libc.sigemptyset(set);
      check(Libc.posix_spawnattr_setsigmask(attributes, set), "posix_spawnattr_setsigmask");
      Libc.sigfillset(set);
      check(Libc.posix_spawnattr_setsigdefault(attributes, set), "posix_spawnattr_setsigdefault");
      return spawnRetrying(program, arguments, actions, attributes);
    } finally {
      Libc.posix_spawnattr_destroy(attributes);
    }
  }

  /**
   * Another thread's fork may hold our writing descriptor of the executable for the moment between
   * its fork and exec: then the kernel says "text file busy".
   */
  private static int spawnRetrying(
      Path program, List<String> arguments, Pointer actions, Pointer attributes)
      throws IOException {
    StringArray argv = new StringArray(arguments.toArray(String[]::new));
    StringArray environment = new StringArray(new String[0]);
    int[] pid = new int[1];
    for (int attempt = 1; ; attempt++) {
      int error = Libc.posix_spawn(pid, program.toString(), actions, attributes, argv, environment);
      if (error == 0) {
        return pid[0];
      }
      if (error != ETXTBSY || attempt == ATTEMPTS) {
        throw new IOException("cannot execute " + program + ": " + Libc.message(error));
      }
      Thread.onSpinWait();
    }
  }

  /** These functions return the error number. */
  private static void check(int error, String what) throws IOException {
    if (error != 0) {
      throw new IOException(what + ": " + Libc.message(error));
    }
  }
}
