// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.net.tap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.plex86.hal.net.link.Backend;
import org.plex86.hal.net.link.Port;

/** Who closes a tap. Its descriptor is one of another device: it is only opened and closed here. */
class TapHandOverTest {
  private final int fd = LibC.open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC);

  private boolean isOpen() {
    return Files.exists(Path.of("/proc/self/fd/" + fd), LinkOption.NOFOLLOW_LINKS);
  }

  private static Port port() {
    return (Port)
        Proxy.newProxyInstance(
            TapHandOverTest.class.getClassLoader(),
            new Class<?>[] {Port.class},
            (proxy, method, arguments) -> {
              throw new AssertionError(method + " is not called");
            });
  }

  /** As the slot does it with what nobody has taken. */
  private static void discard(Map<String, Object> left) throws Exception {
    for (Object value : left.values()) {
      if (value instanceof AutoCloseable closeable) {
        closeable.close();
      }
    }
  }

  @Test
  void nextDriverTakesItAndNothingElseClosesIt() throws Exception {
    Map<String, Object> handed = new HashMap<>(Map.of("tap/1/fd", fd));
    Backend first = TapBackend.open(port(), "tap0", handed);
    handed = new HashMap<>(first.handOver());
    Backend second = TapBackend.open(port(), "tap0", handed);
    assertThat(handed).isEmpty();
    discard(handed);
    assertThat(isOpen()).isTrue();
    second.close();
    assertThat(isOpen()).isFalse();
  }

  @Test
  void isClosedWhereNoDriverTakesIt() throws Exception {
    Backend last = TapBackend.open(port(), "tap0", new HashMap<>(Map.of("tap/1/fd", fd)));
    Map<String, Object> left = last.handOver();
    assertThat(isOpen()).isTrue();
    discard(left);
    assertThat(isOpen()).isFalse();
  }
}
