// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.packet;

/**
 * The two ends of a TCP connection or of a UDP exchange, as the guest sees them.
 *
 * @param guest the guest's address
 * @param guestPort 0 to 65535
 * @param peer the other end's address
 * @param peerPort 0 to 65535
 */
public record Flow(Ip guest, int guestPort, Ip peer, int peerPort) {
  /** Whether it is of IPv4. */
  public boolean isV4() {
    return peer.isV4();
  }

  @Override
  public int hashCode() {
    // The addresses hardly differ from flow to flow; the ports do.
    long bits = peer.low() * 31 + peer.high() + ((long) guestPort << 16 | peerPort);
    bits *= 0x9e37_79b9_7f4a_7c15L;
    return (int) (bits >>> 32);
  }

  /** The ends as six numbers, for {@link #of}. */
  public long[] toLongs() {
    return new long[] {guest.high(), guest.low(), guestPort, peer.high(), peer.low(), peerPort};
  }

  /** From {@link #toLongs}. */
  public static Flow of(long[] n) {
    return new Flow(new Ip(n[0], n[1]), (int) n[2], new Ip(n[3], n[4]), (int) n[5]);
  }
}
