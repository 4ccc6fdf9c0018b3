// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.plex86.launcher.cli.ChannelSpec;
import org.plex86.launcher.cli.RunOptions;
import org.plex86.launcher.cli.Text;
import org.plex86.launcher.framework.BundleStore;
import org.plex86.launcher.framework.Cache;
import org.plex86.launcher.framework.Container;
import org.plex86.launcher.framework.StoredBundle;
import org.plex86.launcher.session.ExitStatus;
import org.plex86.launcher.session.RunRequest;

/** {@code plex86 run}: a framework, one virtual machine in it, and its end. */
final class RunCommand {
  // bundles of a watched folder are started by FileInstall, on a thread of its own
  private static final Duration PATIENCE_WITH_WATCHED = Duration.ofSeconds(10);

  private record Result(int status, String message) {}

  private final RunOptions options;
  private final CompletableFuture<Result> result = new CompletableFuture<>();

  RunCommand(RunOptions options) {
    this.options = options;
  }

  /** Runs to the end of the virtual machine; returns the exit status. */
  int call() throws IOException {
    long start = System.nanoTime();
    Optional<String> obstacle =
        HostRequirements.obstacle(
            System.getProperty("os.name"), System.getProperty("os.arch"), Path.of("/proc"));
    if (obstacle.isPresent()) {
      return Main.fail(ExitStatus.NOT_STARTED, obstacle.get());
    }
    Path watched = options.bundles().map(Path::of).orElse(null);
    if (watched != null && !Files.isDirectory(watched)) {
      return Main.fail(
          ExitStatus.NOT_STARTED, "--bundles: '" + watched + "' is not a folder; give one that is");
    }
    setUpLogging();
    Path cache = Cache.folder(System.getenv());
    Result end;
    try {
      List<StoredBundle> bundles =
          new BundleStore(RunCommand.class.getClassLoader(), cache).unpack();
      Container container =
          Container.create(cache, bundles, watched, Map.of("felix.service.urlhandlers", "false"));
      end = runIn(container, start);
    } catch (IOException e) {
      return Main.fail(ExitStatus.NOT_STARTED, "cannot use the cache " + cache + ": " + reason(e));
    } catch (BundleException e) {
      return Main.fail(ExitStatus.NOT_STARTED, "a bundle does not start: " + reason(e));
    }
    return end.message.isEmpty() ? end.status : Main.fail(end.status, end.message);
  }

  private Result runIn(Container container, long start) throws BundleException, IOException {
    // SIGINT, SIGTERM and SIGHUP end the JVM by way of its hooks, with status 128 + n
    Thread hook = new Thread(() -> closeQuietly(container), "plex86-shutdown");
    Runtime.getRuntime().addShutdownHook(hook);
    try (container) {
      BiConsumer<Integer, String> sink = this::accept;
      container
          .context()
          .registerService(BiConsumer.class.getName(), sink, FrameworkUtil.asDictionary(request()));
      container.start();
      CompletableFuture<Void> rest = startRest(container);
      Result end = await(start);
      rest.join();
      return end;
    }
  }

  /** The Gogo shell is for an interactive console; a single command cannot reach it. */
  private CompletableFuture<Void> startRest(Container container) {
    if (options.exec().isPresent()) {
      return CompletableFuture.completedFuture(null);
    }
    return CompletableFuture.runAsync(
        () -> {
          try {
            container.startRest();
          } catch (BundleException | IOException | IllegalStateException e) {
            // IllegalStateException: the framework was stopped in the meantime
            if (options.verbose()) {
              System.err.println("plex86: the shell is not available: " + reason(e));
            }
          }
        });
  }

  private Result await(long start) {
    try {
      if (options.timeout().isEmpty()) {
        return result.get();
      }
      Duration timeout = options.timeout().get();
      long left = timeout.toNanos() - (System.nanoTime() - start);
      return result.get(Math.max(0, left), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return new Result(
          ExitStatus.TIMEOUT,
          "the virtual machine was ended by --timeout; give more seconds if it needs them");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Result(ExitStatus.CRASHED, "interrupted");
    } catch (ExecutionException e) {
      throw new IllegalStateException("the result is only ever completed normally", e);
    }
  }

  private void accept(Integer status, String message) {
    result.complete(new Result(status, Text.firstLine(message)));
  }

  private Map<String, Object> request() {
    Map<String, Object> properties = new HashMap<>();
    properties.put(RunRequest.KIND, RunRequest.RUN);
    properties.put(RunRequest.CONFIGURATION, configuration());
    properties.put(
        RunRequest.TYPES, options.channels().stream().map(ChannelSpec::type).distinct().toList());
    properties.put(
        RunRequest.PATIENCE,
        options.bundles().isPresent() ? PATIENCE_WITH_WATCHED.toMillis() : Long.valueOf(0));
    properties.put(RunRequest.EXEC, options.exec().isPresent());
    properties.put(RunRequest.VERBOSE, options.verbose());
    return properties;
  }

  /** The virtual machine's configuration; the keys are those of the monitor's VmProperties. */
  private Map<String, Object> configuration() {
    Map<String, Object> values = new HashMap<>();
    values.put("name", options.name());
    values.put("memory", options.memory());
    values.put("isolation", options.isolation());
    options.kernel().ifPresent(file -> values.put("kernel", absolute(file)));
    options.initrd().ifPresent(file -> values.put("initrd", absolute(file)));
    String append = append();
    if (!append.isEmpty()) {
      values.put("append", append);
    }
    values.put(
        "channels",
        options.channels().stream().map(ChannelSpec::toProperty).toArray(String[]::new));
    return values;
  }

  /** What the user appends comes last, as the kernel lets the last of two values count. */
  private String append() {
    StringBuilder text = new StringBuilder();
    if (options.exec().isPresent()) {
      text.append("plex86.exec ");
    }
    if (options.quiet() || (options.exec().isPresent() && !options.verbose())) {
      text.append("quiet ");
    }
    return text.append(options.append()).toString().strip();
  }

  private static String absolute(String file) {
    return Path.of(file).toAbsolutePath().toString();
  }

  /** The SLF4J provider in the logging bundle reads system properties. */
  private void setUpLogging() {
    System.setProperty(
        "org.slf4j.simpleLogger.defaultLogLevel",
        options.verbose() ? "info" : options.quiet() ? "error" : "warn");
    System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
    System.setProperty("org.slf4j.simpleLogger.showShortLogName", "true");
    System.setProperty("org.slf4j.simpleLogger.levelInBrackets", "true");
  }

  private static void closeQuietly(Container container) {
    try {
      container.close();
    } catch (IOException e) {
      System.err.println("plex86: " + reason(e));
    }
  }

  private static String reason(Exception e) {
    String message = Text.firstLine(e.getMessage());
    return message.isEmpty() ? e.getClass().getSimpleName() : message;
  }
}
