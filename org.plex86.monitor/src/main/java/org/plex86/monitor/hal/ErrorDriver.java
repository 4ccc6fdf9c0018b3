// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.util.List;
import org.osgi.framework.Version;
import org.plex86.hal.api.Channel;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.ChannelContext;
import org.plex86.hal.api.ChannelDriver;
import org.plex86.hal.api.Packet;
import org.plex86.hal.api.PacketQueue;
import org.plex86.monitor.virtio.DeviceProfile;

/**
 * Stands in where there is no driver and the policy is not to wait: block requests fail, output of
 * the guest is dropped, and its empty buffers wait for a real driver.
 */
final class ErrorDriver implements ChannelDriver {
  private static final int BLOCK = 2; // device ID, section 5.2
  private static final byte[] BLOCK_IO_ERROR = {1}; // VIRTIO_BLK_S_IOERR, section 5.2.6

  private final DeviceProfile profile;

  ErrorDriver(DeviceProfile profile) {
    this.profile = profile;
  }

  /** As a service that no registry knows. */
  static DriverService service(DeviceProfile profile, String type) {
    return new DriverService(
        new ErrorDriver(profile), type, 0, -1, "errors", Version.emptyVersion, false);
  }

  @Override
  public Channel open(ChannelContext context, ChannelConfig config) {
    return new Errors(context);
  }

  private final class Errors implements Channel {
    private final ChannelContext context;

    Errors(ChannelContext context) {
      this.context = context;
    }

    @Override
    public int deviceId() {
      return profile.deviceId();
    }

    @Override
    public long features() {
      return profile.features();
    }

    @Override
    public List<Integer> queueSizes() {
      return profile.queueSizes();
    }

    @Override
    public byte[] configSpace() {
      return profile.config();
    }

    @Override
    public void start(long features) {
      // nothing to prepare
    }

    @Override
    public void notify(int index) {
      PacketQueue queue = context.queue(index);
      for (Packet packet; (packet = queue.poll()) != null; ) {
        if (profile.deviceId() == BLOCK && packet.writableBytes() > 0) {
          // the status is the last byte of the writable part
          long status = packet.writableBytes() - 1;
          packet.write(status, BLOCK_IO_ERROR, 0, 1);
          queue.complete(packet, packet.writableBytes());
        } else if (packet.readableBytes() > 0) {
          queue.complete(packet, 0);
        } else {
          queue.unpoll(packet);
          return;
        }
      }
    }

    @Override
    public void reset() {
      // holds no packets
    }

    @Override
    public void close() {
      // holds nothing
    }
  }
}
