// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import java.io.IOException;
import org.apache.felix.service.command.Descriptor;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.plex86.hal.disk.device.BlockChannel;
import org.plex86.hal.disk.image.Sizes;

/** The commands {@code disk:*}. */
@Component(
    service = DiskCommands.class,
    property = {"osgi.command.scope=disk", "osgi.command.function=resize"})
public final class DiskCommands {
  private final DiskDriver driver;

  /** Called by DS. */
  @Activate
  public DiskCommands(@Reference DiskDriver driver) {
    this.driver = driver;
  }

  /** Makes a disk larger while the guest runs; what happened, for the user. */
  @Descriptor("make a disk larger: disk:resize VM CHANNEL SIZE")
  public String resize(String vm, String channel, String size) {
    BlockChannel disk = driver.channel(vm, channel);
    if (disk == null) {
      throw new IllegalArgumentException(
          "there is no disk '%s' in a virtual machine '%s'; hal:list shows those there are"
              .formatted(channel, vm));
    }
    try {
      long before = disk.size();
      long bytes = Sizes.disk(size);
      if (bytes <= before) {
        throw new IllegalArgumentException(
            "%s of %s has %s; give more, as a disk cannot shrink under its guest"
                .formatted(channel, vm, Sizes.text(before)));
      }
      disk.resize(bytes);
      return "%s of %s has %s now".formatted(channel, vm, Sizes.text(bytes));
    } catch (IOException e) {
      throw new IllegalArgumentException(channel + " of " + vm + ": " + e.getMessage(), e);
    }
  }
}
