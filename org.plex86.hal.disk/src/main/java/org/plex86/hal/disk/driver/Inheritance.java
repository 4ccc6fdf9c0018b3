// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.plex86.hal.disk.format.Images;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.DiskFile;

/**
 * The files of an image on their way from one channel to the next: open and locked all the time.
 * The keys are {@code disk/1/file/N} (a {@link FileChannel}), {@code disk/1/path/N} (the name it
 * was opened by), {@code disk/1/writable/N}, {@code disk/1/syncs/N} (of what was to be made durable
 * and was not waited for: futures of error numbers, 0 for none), for N = 0, 1, …, and {@code
 * disk/1/state/…} for what the image has in memory only.
 */
final class Inheritance implements Images.Files {
  private static final String PREFIX = "disk/1/";
  private static final String FILE = PREFIX + "file/";
  private static final String PATH = PREFIX + "path/";
  private static final String WRITABLE = PREFIX + "writable/";
  private static final String SYNCS = PREFIX + "syncs/";
  private static final String STATE = PREFIX + "state/";

  private final Map<String, Object> inherited;
  private final List<DiskFile> opened = new ArrayList<>();

  Inheritance(Map<String, Object> inherited) {
    this.inherited = inherited;
  }

  @Override
  public DiskFile open(Path path, boolean writable) throws IOException {
    for (int i = 0; inherited.get(FILE + i) instanceof FileChannel channel; i++) {
      if (path.toString().equals(inherited.get(PATH + i))
          && Boolean.valueOf(writable).equals(inherited.get(WRITABLE + i))
          && channel.isOpen()) {
        return DiskFile.adopt(path, writable, channel, syncs(i));
      }
    }
    DiskFile file = DiskFile.open(path, writable);
    opened.add(file);
    return file;
  }

  /** A temporary file goes on as long as its machine: without a name, but in the map. */
  @Override
  public DiskFile temporary() throws IOException {
    if (inherited.get(FILE + 0) instanceof FileChannel channel
        && inherited.get(PATH + 0) instanceof String path
        && TemporaryFile.isNameOfOne(path)) {
      return DiskFile.adopt(Path.of(path), true, channel, syncs(0));
    }
    DiskFile file = TemporaryFile.create();
    opened.add(file);
    return file;
  }

  @SuppressWarnings("unchecked") // what of() has put there
  private List<CompletableFuture<Integer>> syncs(int file) {
    return (List<CompletableFuture<Integer>>) inherited.getOrDefault(SYNCS + file, List.of());
  }

  /** What the image before had in memory only. */
  Map<String, Object> state() {
    Map<String, Object> state = new HashMap<>();
    inherited.forEach(
        (key, value) -> {
          if (key.startsWith(STATE)) {
            state.put(key.substring(STATE.length()), value);
          }
        });
    return state;
  }

  /** The image is open: what was handed over is its own now. */
  void taken() {
    inherited.keySet().removeIf(key -> key.startsWith(PREFIX));
  }

  /** The image could not be opened: what was opened anew is closed, the rest is left as it was. */
  void failed() {
    for (DiskFile file : opened) {
      try {
        file.close();
      } catch (IOException e) {
        // it was not written to
      }
    }
  }

  /** What a channel hands over. Its image is not used any more. */
  static Map<String, Object> of(DiskImage image) throws IOException {
    Map<String, Object> map = new HashMap<>();
    image.suspend().forEach((key, value) -> map.put(STATE + key, value));
    int i = 0;
    for (DiskFile file : image.files()) {
      map.put(FILE + i, file.channel());
      map.put(PATH + i, file.path().toString());
      map.put(WRITABLE + i, file.isWritable());
      map.put(SYNCS + i, file.untoldSyncs());
      i++;
    }
    image.abandon();
    return map;
  }
}
