// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.hal.api.ChannelConfig;
import org.plex86.hal.api.HalException;
import org.plex86.hal.console.fixture.LinuxGuest;
import org.plex86.hal.testkit.TestSlot;

@Timeout(30)
class ConsoleDriverTest {
  private record Config(Map<String, String> values) implements ChannelConfig {
    @Override
    public String get(String key, String defaultValue) {
      return values.getOrDefault(key, defaultValue);
    }

    @Override
    public boolean getSwitch(String key, boolean defaultValue) {
      return values.containsKey(key) ? values.get(key).equals("on") : defaultValue;
    }

    @Override
    public void requireKnown(Set<String> known) throws HalException {
      for (String key : values.keySet()) {
        if (!known.contains(key)) {
          throw new HalException("unknown key '" + key + "'");
        }
      }
    }
  }

  private final ConsoleDriver driver = new ConsoleDriver();

  private TestSlot slot(String... keysAndValues) throws HalException {
    Map<String, String> values = new java.util.HashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      values.put(keysAndValues[i], keysAndValues[i + 1]);
    }
    return new TestSlot(context -> driver.open(context, new Config(values)));
  }

  @Test
  void consoleToAFileIsAppendedToIt(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("console.log");
    for (String text : new String[] {"first\r\n", "second\r\n"}) {
      try (TestSlot slot = slot("endpoint", "file:" + file)) {
        slot.run(() -> slot.channel().earlyOutput("early\n".getBytes(StandardCharsets.UTF_8)));
        new LinuxGuest(slot).write(0, text);
      }
    }
    assertThat(file).hasContent("early\nfirst\r\nearly\nsecond\r\n");
  }

  @Test
  void quietConsoleHidesWhatComesBeforeTheDriver(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("console.log");
    try (TestSlot slot = slot("endpoint", "file:" + file, "quiet", "on")) {
      slot.run(() -> slot.channel().earlyOutput("early\n".getBytes(StandardCharsets.UTF_8)));
      new LinuxGuest(slot).write(0, "late");
    }
    assertThat(Files.readString(file)).isEqualTo("late");
    assertThat(driver.lastLines("vm1")).containsExactly("early", "late");
    assertThat(driver.lastLines("vm2")).isEmpty();
  }

  @Test
  void consoleThatGoesNowhereKeepsItsLastLines() throws Exception {
    try (TestSlot slot = slot("endpoint", "null")) {
      new LinuxGuest(slot).write(0, "Kernel panic\r\n");
    }
    assertThat(driver.lastLines("vm1")).containsExactly("Kernel panic");
  }

  @Test
  void refusesWhatItDoesNotHaveAndNamesWhatItHas(@TempDir Path folder) {
    refuses("give stdio, pty, null, file:PATH, unix:PATH or tcp:ADDRESS:PORT", "endpoint", "tty");
    refuses("is no tcp:ADDRESS:PORT", "endpoint", "tcp:127.0.0.1:99999");
    refuses("give stdio, pty, null, file:PATH, unix:PATH or tcp:ADDRESS:PORT", "endpoint", "file:");
    refuses("cannot be opened", "endpoint", "file:" + folder);
    refuses("is no path", "endpoint", "file:a\0b");
    refuses("unknown key 'speed'", "speed", "9600");
  }

  private void refuses(String why, String... keysAndValues) {
    assertThatExceptionOfType(HalException.class)
        .isThrownBy(() -> slot(keysAndValues).close())
        .withMessageContaining(why);
  }
}
