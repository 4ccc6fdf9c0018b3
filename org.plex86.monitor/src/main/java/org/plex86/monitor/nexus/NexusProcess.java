// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.nexus;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.memory.Fd;
import org.plex86.monitor.memory.Libc;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The supervisor of a machine and the space processes that it has made. Any thread.
 *
 * <p>Which processes there are and how they end is known from the supervisor's report pipe and from
 * waiting for it, never from memory that the guest can write. The supervisor ends with its
 * lifeline, a pipe whose other end is here: closed by {@link #kill}, or by the host when the JVM
 * dies.
 */
public final class NexusProcess {
  private static final Logger LOG = LoggerFactory.getLogger(NexusProcess.class);
  private static final int KEEP = -1;
  private static final int LINE_MAX = 1 << 12;

  private final String name;
  private final int supervisor;
  private final Fd lifeline;
  private final Runnable changed;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();
  private final CompletableFuture<NexusEnd> ended = new CompletableFuture<>();
  private final AtomicIntegerArray spaces =
      new AtomicIntegerArray(ControlLayout.CONTROL_SPACES_MAX);

  /** Guards the use of process ids against the reaping of their processes. */
  private final Object alive = new Object();

  private boolean reaped;

  /** A bit for each space that was to be kicked before its process was known. */
  private long missedKicks;

  private byte[] kernelMask;
  private byte[] userMask;
  private NexusReport last;
  private int replacements;

  /**
   * Starts the supervisor.
   *
   * @param name of the machine, for the thread that watches
   * @param changed called, on that thread, when the supervisor has ended
   */
  public NexusProcess(Path executable, String name, Fd control, Fd ram, Runnable changed)
      throws IOException {
    this.name = name;
    this.changed = changed;
    Fd[] life = Fd.pipe();
    lifeline = life[1];
    Fd report = null;
    try (Fd lifeRead = life[0]) {
      Fd[] pipe = Fd.pipe();
      report = pipe[0];
      try (Fd reportWrite = pipe[1]) {
        supervisor =
            Spawner.spawn(
                executable,
                List.of(NexusExecutable.NAME, "--supervise"),
                List.of(lifeRead.get(), reportWrite.get(), KEEP, control.get(), ram.get()));
      }
      Fd reports = report;
      Thread watcher = new Thread(() -> watch(reports), "plex86 nexus " + name);
      watcher.setDaemon(true);
      watcher.start();
    } catch (IOException e) {
      lifeline.close();
      if (report != null) {
        report.close();
      }
      throw e;
    }
  }

  /**
   * Completes when space 0 exists and the guest can be started, while the other spaces are made;
   * exceptionally, with a message for the user, when that cannot be any more.
   */
  public CompletableFuture<Void> ready() {
    return ready;
  }

  /** Completes when the supervisor is gone, and with it the spaces. */
  public CompletableFuture<NexusEnd> ended() {
    return ended;
  }

  /** The supervisor and the spaces, as far as they are known; empty when they are gone. */
  public List<Integer> processes() {
    List<Integer> all = new ArrayList<>();
    synchronized (alive) {
      if (!reaped) {
        all.add(supervisor);
        all.addAll(spaces());
      }
    }
    return all;
  }

  /** Interrupts the space in a slot, any number. */
  public void kick(int slot) {
    if (slot >= 0 && slot < spaces.length()) {
      synchronized (alive) {
        if (spaces.get(slot) == 0) {
          missedKicks |= 1L << slot; // it may run the guest before it is known here
        } else if (!reaped) {
          Libc.kill(spaces.get(slot), Libc.SIGUSR1);
        }
      }
    }
  }

  /**
   * Keeps all processes on one CPU of the host each, those that are still to be made, too.
   *
   * @param cpu the number of that of the supervisor and space 0
   * @param others of that of the other spaces
   */
  public void pin(int cpu, int others) {
    synchronized (alive) {
      kernelMask = maskOf(cpu);
      userMask = maskOf(others);
      if (!reaped) {
        move(supervisor, kernelMask);
        for (int slot = 0; slot < spaces.length(); slot++) {
          moveSpace(slot);
        }
      }
    }
  }

  private static byte[] maskOf(int cpu) {
    byte[] mask = new byte[(cpu / Long.SIZE + 1) * Long.BYTES];
    mask[cpu / Byte.SIZE] = (byte) (1 << cpu % Byte.SIZE);
    return mask;
  }

  private void moveSpace(int slot) {
    if (spaces.get(slot) != 0 && kernelMask != null) {
      move(spaces.get(slot), slot == 0 ? kernelMask : userMask);
    }
  }

  /**
   * All threads. Failing, for want of that CPU, leaves them where they were, which works as well.
   */
  private static void move(int pid, byte[] mask) {
    String[] threads = new File("/proc/" + pid + "/task").list();
    if (threads != null) {
      for (String thread : threads) {
        Libc.sched_setaffinity(Integer.parseInt(thread), mask.length, mask);
      }
    }
  }

  /** Stops the spaces where they are. */
  public void stop() {
    signalSpaces(Libc.SIGSTOP);
  }

  /** Lets stopped spaces go on. */
  public void go() {
    signalSpaces(Libc.SIGCONT);
  }

  /** Asks the supervisor to end all processes and itself. */
  public void kill() {
    lifeline.close();
  }

  /** Ends the supervisor without asking; the host ends the spaces with it (PR_SET_PDEATHSIG). */
  public void killHard() {
    synchronized (alive) {
      if (!reaped) {
        Libc.kill(supervisor, Libc.SIGKILL);
      }
    }
  }

  /** The spaces are one process group, that of the first (see supervisor.c). */
  private void signalSpaces(int signal) {
    synchronized (alive) {
      if (!reaped && spaces.get(0) != 0) {
        Libc.kill(-spaces.get(0), signal);
      }
    }
  }

  private List<Integer> spaces() {
    List<Integer> pids = new ArrayList<>();
    for (int i = 0; i < spaces.length(); i++) {
      if (spaces.get(i) != 0) {
        pids.add(spaces.get(i));
      }
    }
    return pids;
  }

  private void watch(Fd reports) {
    try (reports) {
      readReports(reports);
    } catch (IOException e) {
      LOG.warn("the nexus's reports cannot be read: {}", e.getMessage());
    }
    // Whatever happened to the pipe: a supervisor that nobody listens to must not go on.
    lifeline.close();
    int[] status = new int[1];
    int pid;
    do {
      pid = Libc.waitpid(supervisor, status, 0);
    } while (pid < 0 && Libc.errno() == Libc.EINTR);
    synchronized (alive) {
      reaped = true;
    }
    NexusEnd end = NexusEnd.of(last, pid == supervisor ? status[0] : 0, this::describe);
    ready.completeExceptionally(new IOException(end.message()));
    ended.complete(end);
    changed.run();
  }

  private String describe(int slot) {
    return "process " + (slot < spaces.length() ? spaces.get(slot) : 0) + " (space " + slot + ")";
  }

  /** One line at a time until the end. Everything is written in lines, see supervisor.c. */
  private void readReports(Fd reports) throws IOException {
    byte[] buffer = new byte[4096];
    StringBuilder line = new StringBuilder();
    for (int n; (n = reports.read(buffer)) > 0 && line.length() < LINE_MAX; ) {
      line.append(new String(buffer, 0, n, StandardCharsets.US_ASCII));
      for (int end; (end = line.indexOf("\n")) >= 0; line.delete(0, end + 1)) {
        accept(line.substring(0, end));
      }
    }
  }

  private void accept(NexusReport.Space space) {
    int before;
    boolean missed;
    synchronized (alive) {
      before = spaces.getAndSet(space.slot(), space.pid());
      moveSpace(space.slot());
      missed = (missedKicks >> space.slot() & 1) != 0;
      missedKicks &= ~(1L << space.slot());
    }
    // no other: a user process of a strict machine must get none that the nexus does not know of
    if (missed) {
      kick(space.slot());
    }
    if (before != 0) {
      replacements++;
      if (Integer.bitCount(replacements) == 1) { // a guest can have it happen without end
        LOG.warn(
            "{}: process {} of guest user code (space {}) has ended, and was replaced; so far {} of them",
            name,
            before,
            space.slot(),
            replacements);
      }
    }
  }

  private void accept(String line) {
    NexusReport report = NexusReport.parse(line).orElse(null);
    if (report == null) {
      LOG.warn("the nexus said what is not understood: {}", line);
    } else if (report instanceof NexusReport.Space space) {
      if (space.slot() < spaces.length()) {
        accept(space);
      }
    } else if (report instanceof NexusReport.Ready) {
      ready.complete(null);
    } else {
      last = report;
    }
  }
}
