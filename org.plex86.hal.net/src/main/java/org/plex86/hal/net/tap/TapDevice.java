// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.tap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.plex86.hal.api.HalException;

/** An interface of the host by /dev/net/tun (Documentation/networking/tuntap.rst of Linux). */
final class TapDevice {
  /** struct virtio_net_hdr_v1 stands before each frame. */
  static final int HEADER = 12;

  private static final String DEVICE = "/dev/net/tun";
  private static final long TUNSETIFF = 0x400454caL;
  private static final long TUNSETOFFLOAD = 0x400454d0L;
  private static final long TUNSETVNETHDRSZ = 0x400454d8L;
  private static final long TUNSETVNETLE = 0x400454dcL;
  private static final short IFF_TAP = 2;
  private static final short IFF_NO_PI = 0x1000;
  private static final short IFF_VNET_HDR = 0x4000;
  private static final long TUN_F_CSUM = 1;
  private static final long TUN_F_TSO4 = 2;
  private static final long TUN_F_TSO6 = 4;
  private static final int IFREQ = 40;
  private static final int NAME_MAX = 15;

  private final int fd;

  /** A device that is open already. */
  TapDevice(int fd) {
    this.fd = fd;
  }

  static TapDevice open(String name) throws HalException {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > NAME_MAX || !name.matches("[!-~&&[^/%:]]+")) {
      throw new HalException(
          "ifname=" + name + " is no name of an interface; give up to 15 letters and digits");
    }
    int fd = LibC.open(DEVICE, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
    if (fd < 0) {
      throw refused(name, LibC.errno());
    }
    TapDevice device = new TapDevice(fd);
    try {
      device.attach(name, bytes);
      return device;
    } catch (HalException e) {
      device.close();
      throw e;
    }
  }

  private void attach(String name, byte[] bytes) throws HalException {
    ByteBuffer request = ByteBuffer.allocateDirect(IFREQ).order(ByteOrder.nativeOrder());
    request.put(0, bytes).putShort(16, (short) (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR));
    ByteBuffer value = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
    if (LibC.ioctl(fd, TUNSETIFF, request) < 0
        || LibC.ioctl(fd, TUNSETVNETHDRSZ, value.putInt(0, HEADER)) < 0
        || LibC.ioctl(fd, TUNSETVNETLE, value.putInt(0, 1)) < 0) {
      throw refused(name, LibC.errno());
    }
  }

  private static HalException refused(String name, int error) {
    return new HalException(
        switch (error) {
          case LibC.ENOENT -> DEVICE + " is missing: load the module tun, or use --net user";
          case LibC.EPERM, LibC.EACCES ->
              "not permitted to use the tap '"
                  + name
                  + "': let root make it by 'ip tuntap add dev "
                  + name
                  + " mode tap user NAME', or use --net user";
          case LibC.EBUSY -> "the tap '" + name + "' is in use: each card needs one of its own";
          case LibC.EINVAL -> "the interface '" + name + "' is there and no tap: give another name";
          default -> "cannot use the tap '" + name + "': " + LibC.message(error);
        });
  }

  /** Says what of the frames that it gives us may be left to the guest. */
  void setOffload(boolean checksum, boolean tso4, boolean tso6) throws IOException {
    long flags = checksum ? TUN_F_CSUM | (tso4 ? TUN_F_TSO4 : 0) | (tso6 ? TUN_F_TSO6 : 0) : 0;
    if (LibC.ioctl(fd, TUNSETOFFLOAD, flags) < 0) {
      throw LibC.error("TUNSETOFFLOAD");
    }
  }

  int fd() {
    return fd;
  }

  /** Reads a frame with its header; -1: there is none. */
  int read(ByteBuffer into) throws IOException {
    long count = LibC.read(fd, into, into.capacity());
    return count >= 0 ? (int) count : failed("read from the tap");
  }

  /** Writes a frame with its header; -1: not now. */
  int write(ByteBuffer from, int length) throws IOException {
    long count = LibC.write(fd, from, length);
    return count >= 0 ? (int) count : failed("write to the tap");
  }

  private static int failed(String what) throws IOException {
    if (LibC.errno() == LibC.EAGAIN || LibC.errno() == LibC.EINTR) {
      return -1;
    }
    throw LibC.error(what);
  }

  void close() {
    LibC.close(fd);
  }
}
