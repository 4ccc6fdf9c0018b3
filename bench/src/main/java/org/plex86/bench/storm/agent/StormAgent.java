// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.storm.agent;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/**
 * Takes commands, one a line, from the Unix socket that its header names, and answers each: {@code
 * ok} or {@code error REASON}, after any number of lines that begin with a blank. The commands:
 *
 * <pre>
 *   update TYPE    the bundle org.plex86.hal.TYPE is updated in place
 *   beside TYPE    a newer version of it is started beside, then the older one uninstalled
 *   crash TYPE     a driver around its driver takes over and crashes with the next packets
 *   history NAME   what hal:history says of the channel of this name, of the machine vm1
 *   list           what hal:list says
 * </pre>
 */
public final class StormAgent implements BundleActivator {
  /** The header that names the socket. */
  public static final String SOCKET = "Storm-Socket";

  private SocketChannel channel;

  @Override
  public void start(BundleContext context) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(context.getBundle().getHeaders().get(SOCKET)));
    Thread thread = new Thread(() -> serve(context), "storm");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void stop(BundleContext context) throws IOException {
    channel.close();
  }

  private void serve(BundleContext context) {
    Swapper swapper = new Swapper(context);
    Reports reports = new Reports(context);
    try (BufferedReader in =
            new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
        PrintStream out =
            new PrintStream(Channels.newOutputStream(channel), true, StandardCharsets.UTF_8)) {
      for (String line; (line = in.readLine()) != null; ) {
        String[] words = line.split(" ");
        out.println(answer(swapper, reports, words[0], words.length > 1 ? words[1] : ""));
      }
    } catch (IOException e) {
      // the other side has gone, or the container ends
    }
  }

  private static String answer(Swapper swapper, Reports reports, String command, String type) {
    try {
      switch (command) {
        case "update" -> swapper.update(type);
        case "beside" -> swapper.beside(type);
        case "crash" -> swapper.crash(type);
        case "history" -> {
          return reports.history("vm1", type) + "ok";
        }
        case "list" -> {
          return reports.list() + "ok";
        }
        default -> {
          return "error unknown command " + command;
        }
      }
      return "ok";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "error interrupted";
      // whatever a bundle throws when it is replaced is what the other side wants to know
    } catch (Exception e) {
      return "error " + String.valueOf(e).replace('\n', ' ');
    }
  }
}
