// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.plex86.launcher.framework.BundleStore;
import org.plex86.launcher.framework.Cache;
import org.plex86.launcher.framework.StoredBundle;
import org.plex86.launcher.session.ExitStatus;

/**
 * {@code plex86 disk}: the tool is a class of the disk bundle, which is loaded without a framework,
 * as that would take longer than the work.
 */
final class DiskCommand {
  private static final String TOOL = "org.plex86.hal.disk.tool.DiskTool";
  private static final Set<String> BUNDLES = Set.of("org.plex86.hal.disk.jar", "jna.jar");

  private final Map<String, String> words;

  DiskCommand(Map<String, String> words) {
    this.words = words;
  }

  /** Returns the exit status. */
  int call() throws IOException {
    // outside of a framework nobody unpacks JNA's library but JNA
    System.setProperty("jna.nounpack", "false");
    try (URLClassLoader loader =
        new URLClassLoader(bundles(), DiskCommand.class.getClassLoader())) {
      System.out.println(tool(loader).apply(words));
      return ExitStatus.OK;
    } catch (UncheckedIOException e) {
      return Main.fail(ExitStatus.NOT_STARTED, e.getCause().getMessage());
    } catch (ReflectiveOperationException e) {
      throw new IOException("the disk bundle lacks " + TOOL + "; build it again", e);
    }
  }

  @SuppressWarnings("unchecked") // that is how the tool describes itself
  private static Function<Map<String, String>, String> tool(ClassLoader loader)
      throws ReflectiveOperationException {
    return (Function<Map<String, String>, String>)
        loader.loadClass(TOOL).getDeclaredConstructor().newInstance();
  }

  private static URL[] bundles() throws IOException {
    Path cache = Cache.folder(System.getenv());
    List<URL> jars = new ArrayList<>();
    for (StoredBundle bundle :
        new BundleStore(DiskCommand.class.getClassLoader(), cache).unpack()) {
      if (BUNDLES.contains(bundle.file().getFileName().toString())) {
        jars.add(bundle.file().toUri().toURL());
      }
    }
    return jars.toArray(new URL[0]);
  }
}
