// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.format;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.plex86.hal.disk.image.DiskImage;
import org.plex86.hal.disk.io.DiskFile;

/** Files that are opened anew, and closed together. */
public final class OpenFiles implements Images.Files, AutoCloseable {
  private final List<DiskFile> opened = new ArrayList<>();

  @Override
  public DiskFile open(Path path, boolean writable) throws IOException {
    DiskFile file = DiskFile.open(path, writable);
    opened.add(file);
    return file;
  }

  @Override
  public DiskFile temporary() throws IOException {
    throw new IOException("an overlay is for running machines only");
  }

  /** Opens an image with its files. */
  public DiskImage image(Path path, String format, boolean writable) throws IOException {
    return Images.open(this, path, format, writable, java.util.Map.of());
  }

  @Override
  public void close() throws IOException {
    for (DiskFile file : opened) {
      file.close();
    }
  }
}
