// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.user.forward;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.plex86.hal.api.HalException;

/** The listening sockets of forwards; opened before anything else, as one may be refused. */
public final class Forwards {
  private final Map<Forward, Channel> sockets = new LinkedHashMap<>();
  private final List<Channel> opened = new ArrayList<>();

  /**
   * Opens what is not inherited.
   *
   * @param wanted forwards, in the form of {@link Forward#parse}
   * @param inherited sockets of the version before, by {@link Forward#toString}; not changed
   */
  public static Forwards open(List<String> wanted, Map<String, Object> inherited)
      throws HalException {
    Forwards made = new Forwards();
    try {
      for (String text : wanted) {
        made.add(Forward.parse(text), inherited);
      }
      return made;
    } catch (HalException e) {
      made.giveUp();
      throw e;
    }
  }

  private void add(Forward forward, Map<String, Object> inherited) throws HalException {
    if (sockets.containsKey(forward)) {
      throw new HalException("forward " + forward + " is given twice; leave one out");
    }
    if (inherited.get(forward.toString()) instanceof Channel channel && channel.isOpen()) {
      sockets.put(forward, channel);
      return;
    }
    try {
      Channel channel = forward.tcp() ? listen(forward) : bind(forward);
      sockets.put(forward, channel);
      opened.add(channel);
    } catch (IOException e) {
      throw new HalException(
          "forward "
              + forward
              + ": cannot listen on port "
              + forward.address().getPort()
              + ": "
              + e.getMessage()
              + "; choose another port or address",
          e);
    }
  }

  private static Channel listen(Forward forward) throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      return channel.bind(forward.address(), 256);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static Channel bind(Forward forward) throws IOException {
    DatagramChannel channel = DatagramChannel.open();
    try {
      return channel.bind(forward.address());
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** Closes what was opened here, and leaves what was inherited. */
  public void giveUp() {
    opened.forEach(Forwards::close);
  }

  /** The sockets. */
  public Map<Forward, Channel> sockets() {
    return sockets;
  }

  /** The sockets for the next version, by {@link Forward#toString}. */
  public Map<String, Object> handOver() {
    Map<String, Object> saved = new LinkedHashMap<>();
    sockets.forEach((forward, channel) -> saved.put(forward.toString(), channel));
    return saved;
  }

  /** Closes all. */
  public void close() {
    sockets.values().forEach(Forwards::close);
  }

  private static void close(Channel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // The descriptor is gone in any case.
    }
  }
}
