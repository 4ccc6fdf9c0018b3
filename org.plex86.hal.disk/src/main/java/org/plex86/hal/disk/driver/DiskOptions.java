// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Set;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.HalException;
import org.plex86.hal.disk.device.BlockSettings;
import org.plex86.hal.disk.image.Sizes;

/**
 * What the user asked a disk to be.
 *
 * @param file the image
 * @param format {@code raw} or {@code qcow2}; null: to be found out
 * @param readOnly the guest cannot write
 * @param overlay what the guest writes goes to a temporary file, and is gone at the end
 * @param settings of the device
 */
record DiskOptions(
    Path file, String format, boolean readOnly, boolean overlay, BlockSettings settings) {
  private static final Set<String> KEYS =
      Set.of("file", "format", "readonly", "overlay", "discard", "iops", "bps");

  static DiskOptions of(ChannelConfig config) throws HalException {
    config.requireKnown(KEYS);
    String file = config.get("file", "");
    if (file.isEmpty()) {
      throw new HalException("a disk needs a file; give file=PATH");
    }
    boolean readOnly = config.getSwitch("readonly", false);
    boolean overlay = config.getSwitch("overlay", false);
    if (readOnly && overlay) {
      throw new HalException("readonly=on and overlay=on exclude each other; give one");
    }
    String format = config.get("format", null);
    if (format != null && !format.equals("raw") && !format.equals("qcow2")) {
      throw new HalException("format=" + format + ": give raw or qcow2");
    }
    return new DiskOptions(
        path(file),
        format,
        readOnly,
        overlay,
        new BlockSettings(
            config.getSwitch("discard", true), number(config, "iops"), number(config, "bps")));
  }

  private static Path path(String text) throws HalException {
    try {
      return Path.of(text).toAbsolutePath();
    } catch (InvalidPathException e) {
      throw new HalException("'" + text + "' is no path: " + e.getReason(), e);
    }
  }

  private static long number(ChannelConfig config, String key) throws HalException {
    String text = config.get(key, null);
    if (text == null) {
      return 0;
    }
    try {
      long value = Sizes.parse(text);
      if (value > 0) {
        return value;
      }
    } catch (IOException e) {
      // said below, with what else is no limit
    }
    throw new HalException(
        key + "=" + text + ": give a number above 0, K, M or G behind it or not");
  }
}
