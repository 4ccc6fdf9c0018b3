// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.tool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.plex86.hal.disk.format.ImageMaker;
import org.plex86.hal.disk.format.OpenFiles;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.image.Sizes;
import org.plex86.hal.disk.qcow2.Findings;
import org.plex86.hal.disk.qcow2.Qcow2Image;

/**
 * What {@code plex86 disk} does. The launcher loads it without a framework and knows it only as a
 * function, of the words that it has parsed, to what is to be printed. The keys: {@code command}
 * ({@code create}, {@code info}, {@code resize}, {@code convert}, {@code check}), {@code file},
 * {@code format}, {@code size}, {@code backing}, {@code backing-format}, {@code to}, {@code
 * to-format}, {@code json}. A failure is an {@link UncheckedIOException} whose cause has one line
 * for the user.
 */
public final class DiskTool implements Function<Map<String, String>, String> {
  @Override
  public String apply(Map<String, String> words) {
    try {
      Path file = path(words.get("file"));
      return switch (words.get("command")) {
        case "create" -> create(file, words);
        case "info" -> info(file, words);
        case "resize" -> resize(file, words);
        case "convert" -> convert(file, words);
        case "check" -> check(file, words);
        default -> throw new IllegalArgumentException("command=" + words.get("command"));
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path path(String text) throws IOException {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new IOException("'" + text + "' is no path: " + e.getReason(), e);
    }
  }

  private static String byName(Path file) {
    return file.toString().toLowerCase(java.util.Locale.ROOT).endsWith(".qcow2") ? "qcow2" : "raw";
  }

  private static String create(Path file, Map<String, String> words) throws IOException {
    String format = words.getOrDefault("format", byName(file));
    String backing = words.get("backing");
    long size = words.containsKey("size") ? Sizes.disk(words.get("size")) : 0;
    String backingFormat = null;
    if (backing != null) {
      if (!format.equals("qcow2")) {
        throw new IOException("only a qcow2 image can have a backing file; give --format qcow2");
      }
      try (OpenFiles files = new OpenFiles()) {
        Path below = file.toAbsolutePath().resolveSibling(path(backing));
        DiskImage image = files.image(below, words.get("backing-format"), false);
        backingFormat = image.format();
        size = size == 0 ? image.size() : size;
      }
    }
    if (size == 0) {
      throw new IOException("the size is missing; give it after the file, such as 10G");
    }
    ImageMaker.create(file, format, size, backing, backingFormat);
    return "made '%s', %s, %s".formatted(file, format, Sizes.text(size));
  }

  private static String info(Path file, Map<String, String> words) throws IOException {
    try (OpenFiles files = new OpenFiles()) {
      return Info.of(
          files.image(file, words.get("format"), false), file, words.containsKey("json"));
    }
  }

  private static String resize(Path file, Map<String, String> words) throws IOException {
    long size = Sizes.disk(words.get("size"));
    try (OpenFiles files = new OpenFiles();
        DiskImage image = files.image(file, words.get("format"), true)) {
      if (size < image.size()) {
        throw new IOException(
            "'%s' has %s; it can only grow, as a smaller disk would cut off data"
                .formatted(file, Sizes.text(image.size())));
      }
      if (size > image.size()) {
        try {
          image.resize(size);
        } catch (IOException e) {
          throw new IOException("'" + file + "' cannot be resized: " + e.getMessage(), e);
        }
        image.flush();
      }
      return "'%s' has %s now".formatted(file, Sizes.text(size));
    }
  }

  private static String convert(Path file, Map<String, String> words) throws IOException {
    Path to = path(words.get("to"));
    String format = words.getOrDefault("to-format", byName(to));
    try (OpenFiles files = new OpenFiles()) {
      DiskImage image = files.image(file, words.get("format"), false);
      try {
        ImageMaker.convert(image, to, format);
      } catch (IOException e) {
        throw e.getMessage() != null && e.getMessage().startsWith("'")
            ? e
            : new IOException("'" + file + "' cannot be converted: " + e.getMessage(), e);
      }
      return "made '%s', %s, %s".formatted(to, format, Sizes.text(image.size()));
    }
  }

  private static String check(Path file, Map<String, String> words) throws IOException {
    try (OpenFiles files = new OpenFiles()) {
      DiskImage image = files.image(file, words.get("format"), false);
      if (!(image instanceof Qcow2Image qcow2)) {
        return "'%s' is a raw image, in which there is nothing to check".formatted(file);
      }
      Findings found = qcow2.check();
      String text =
          "'%s': %d clusters in use, %d errors, %d leaked clusters"
              .formatted(file, found.clusters(), found.errors(), found.leaks());
      if (found.errors() > 0) {
        throw new IOException(text + "; qemu-img check -r all can repair some kinds of damage");
      }
      return text;
    } catch (IOException e) {
      throw e.getMessage() != null && e.getMessage().startsWith("'")
          ? e
          : new IOException("'" + file + "': " + e.getMessage(), e);
    }
  }
}
