// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.disk.driver;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.annotation.bundle.Capability;
import org.osgi.service.component.annotations.Component;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.HalException;
import org.plex86.hal.disk.device.BlockChannel;
import org.plex86.hal.disk.format.Images;
import org.plex86.hal.disk.image.DiskImage;

/** Opens disks. */
@Component(
    service = {ChannelDriver.class, DiskDriver.class},
    property = {ChannelDriver.TYPE + "=disk", ChannelDriver.LINGERS + ":Boolean=true"})
@Capability(
    namespace = ChannelDriver.NAMESPACE,
    attribute = {"type=disk", "protocol=virtio", "device:Long=2"})
public final class DiskDriver implements ChannelDriver {
  private record Name(String vm, String channel) {}

  private final Map<Name, BlockChannel> open = new ConcurrentHashMap<>();

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) throws HalException {
    DiskOptions options = DiskOptions.of(config);
    Inheritance files = new Inheritance(context.inherited());
    try {
      DiskImage image =
          options.overlay()
              ? Images.openOverlay(files, options.file(), options.format(), files.state())
              : Images.open(
                  files, options.file(), options.format(), !options.readOnly(), files.state());
      Name name = new Name(context.vmName(), context.channelName());
      BlockChannel channel =
          new BlockChannel(context, image, options.settings(), new Closer(name, image));
      files.taken();
      open.put(name, channel);
      return channel;
    } catch (IOException e) {
      files.failed();
      throw new HalException(e.getMessage(), e);
    } catch (LinkageError e) {
      // JNA found no native part for this host: this disk cannot work, others' drivers can.
      throw new HalException("the disk cannot call the C library: " + e.getMessage(), e);
    }
  }

  /** A disk that is open; null if there is none such. Any thread. */
  BlockChannel channel(String vm, String channel) {
    return open.get(new Name(vm, channel));
  }

  private final class Closer implements BlockChannel.Ending {
    private final Name name;
    private final DiskImage image;

    Closer(Name name, DiskImage image) {
      this.name = name;
      this.image = image;
    }

    @Override
    public Map<String, Object> handOver() throws IOException {
      open.remove(name);
      return Inheritance.of(image);
    }

    @Override
    public void close() throws IOException {
      open.remove(name);
      image.close();
    }
  }
}
