// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.plex86.monitor.nexus.NexusExecutable;

class ControlLayoutTest {
  @TempDir Path directory;

  @Test
  void javaAndCAgreeOnEveryNumber() throws IOException, ReflectiveOperationException {
    assertThat(java()).isEqualTo(nexus());
  }

  private Map<String, Long> nexus() throws IOException {
    Process process =
        new ProcessBuilder(NexusExecutable.unpack(directory).toString(), "--layout").start();
    Map<String, Long> numbers = new TreeMap<>();
    try (BufferedReader lines = process.inputReader()) {
      for (String line; (line = lines.readLine()) != null; ) {
        String[] words = line.split(" ");
        numbers.put(words[0], Long.parseLong(words[1]));
      }
    }
    return numbers;
  }

  private static Map<String, Long> java() throws ReflectiveOperationException {
    Map<String, Long> numbers = new TreeMap<>();
    addNumbers(numbers, "", ControlLayout.class);
    for (Class<?> structure : ControlLayout.class.getDeclaredClasses()) {
      addNumbers(numbers, snake(structure.getSimpleName()) + ".", structure);
    }
    for (int i = 0; i < ControlLayout.COUNTERS.size(); i++) {
      numbers.put("counter." + ControlLayout.COUNTERS.get(i), (long) i);
    }
    return numbers;
  }

  private static void addNumbers(Map<String, Long> numbers, String prefix, Class<?> type)
      throws ReflectiveOperationException {
    for (Field field : type.getDeclaredFields()) {
      if (field.getType() == int.class || field.getType() == long.class) {
        String name = prefix.isEmpty() ? field.getName() : field.getName().toLowerCase(Locale.ROOT);
        numbers.put(prefix + name, ((Number) field.get(null)).longValue());
      }
    }
  }

  private static String snake(String camel) {
    return camel.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
  }
}
