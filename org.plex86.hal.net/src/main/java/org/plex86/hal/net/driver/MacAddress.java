// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.driver;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.plex86.hal.api.HalException;

/** Addresses of network cards, 6 bytes. */
final class MacAddress {
  private static final int BYTES = 6;
  private static final int GROUP = 1;
  private static final int LOCAL = 2;

  private MacAddress() {}

  /** The address of a card that was given none: always the same for the same names. */
  static byte[] of(String vmName, String channelName) {
    try {
      byte[] name = (vmName + "/" + channelName).getBytes(StandardCharsets.UTF_8);
      byte[] mac = Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(name), BYTES);
      mac[0] = (byte) ((mac[0] & ~GROUP) | LOCAL);
      return mac;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** The address that the user gave. */
  static byte[] parse(String text) throws HalException {
    if (!text.matches("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")) {
      throw wrong(text);
    }
    byte[] mac = HexFormat.ofDelimiter(":").parseHex(text);
    if ((mac[0] & GROUP) != 0 || Arrays.equals(mac, new byte[BYTES])) {
      throw wrong(text);
    }
    return mac;
  }

  private static HalException wrong(String text) {
    return new HalException(
        "mac=" + text + " is no address of a card; give one such as mac=52:54:00:12:34:56");
  }
}
