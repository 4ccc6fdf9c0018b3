// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.boot;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Path;

/**
 * Where the kernel and the initial RAM disk come from: files of the user's, or entries of a guest
 * image's bundle.
 */
public abstract class BootFiles {
  /** An image whose size is known; none at all has size 0. */
  record SizedImage(Image image, long size) implements Closeable {
    static final SizedImage NONE = new SizedImage(null, 0);

    @Override
    public void close() throws IOException {
      if (image != null) {
        image.close();
      }
    }
  }

  private BootFiles() {}

  abstract Image kernel() throws BootException;

  abstract SizedImage initrd() throws BootException, IOException;

  /**
   * Both from where they are found.
   *
   * @param kernel a file name, or null to take the entry
   * @param kernelEntry a bundle's entry; may be null when a file is given
   * @param initrd a file name, or null to take the entry
   * @param initrdEntry a bundle's entry; null: no RAM disk unless a file is given
   */
  public static BootFiles of(Path kernel, URL kernelEntry, Path initrd, URL initrdEntry) {
    return new BootFiles() {
      @Override
      Image kernel() throws BootException {
        return kernel != null ? new FileImage(kernel) : entry(kernelEntry);
      }

      @Override
      SizedImage initrd() throws BootException, IOException {
        if (initrd != null) {
          FileImage file = new FileImage(initrd);
          return new SizedImage(file, file.size());
        }
        return initrdEntry == null ? SizedImage.NONE : sized(initrdEntry);
      }
    };
  }

  private static StreamImage entry(URL url) {
    return new StreamImage(url.getPath().replaceFirst("^/", ""), () -> open(url).getInputStream());
  }

  /**
   * An entry's size is in the jar's directory; where a container does not tell, it is read twice.
   */
  private static SizedImage sized(URL url) throws IOException {
    URLConnection connection = open(url);
    long size = connection.getContentLengthLong();
    try (InputStream stream = connection.getInputStream()) {
      if (size < 0) {
        size = stream.transferTo(java.io.OutputStream.nullOutputStream());
      }
    }
    return new SizedImage(entry(url), size);
  }

  private static URLConnection open(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    connection.setUseCaches(false);
    return connection;
  }
}
