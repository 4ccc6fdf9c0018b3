// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.vm;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.plex86.hal.api.HalException;
import org.plex86.monitor.VmProperties;
import org.plex86.monitor.control.ControlLayout;
import org.plex86.monitor.hal.ChannelSpec;
import org.plex86.monitor.memory.GuestRam;

/**
 * The configuration of a virtual machine, checked. Properties as in {@link VmProperties}.
 *
 * @param memory in bytes, a multiple of the page size
 * @param pin CPUs of the host; empty: all that the monitor may use
 */
record VmConfig(
    String name,
    long memory,
    Optional<Path> kernel,
    Optional<Path> initrd,
    String append,
    List<ChannelSpec> channels,
    boolean autostart,
    int spaces,
    Isolation isolation,
    BitSet pin) {
  private static final Set<String> KNOWN =
      Set.of(
          VmProperties.NAME,
          VmProperties.MEMORY,
          VmProperties.KERNEL,
          VmProperties.INITRD,
          VmProperties.APPEND,
          VmProperties.CHANNELS,
          VmProperties.AUTOSTART,
          VmProperties.SPACES,
          VmProperties.ISOLATION,
          VmProperties.PIN);

  private static final int SPACES_DEFAULT = 24;
  private static final int SPACES_MIN = 2;

  /**
   * Reads the properties of a configuration.
   *
   * @throws VmConfigException what is wrong with them
   */
  static VmConfig parse(Map<String, ?> properties) throws VmConfigException {
    requireKnown(properties.keySet());
    Values values = new Values(properties);
    String name = values.string(VmProperties.NAME).orElse("");
    if (!name.matches("[A-Za-z0-9._-]{1,64}")) {
      throw new VmConfigException(
          "a virtual machine needs a name of letters, digits, '.', '_' and '-', at most 64; not '"
              + name
              + "'");
    }
    Isolation isolation = isolation(values);
    // The relay of a strict machine takes a slot, too.
    int spacesMax = ControlLayout.CONTROL_SPACES_MAX - (isolation == Isolation.STRICT ? 1 : 0);
    return new VmConfig(
        name,
        memory(values),
        values.path(VmProperties.KERNEL),
        values.path(VmProperties.INITRD),
        values.string(VmProperties.APPEND).orElse(""),
        channels(values),
        values.bool(VmProperties.AUTOSTART, false),
        (int) values.number(VmProperties.SPACES, SPACES_DEFAULT, SPACES_MIN, spacesMax),
        isolation,
        CpuList.parse(values.string(VmProperties.PIN).orElse("")));
  }

  private static Isolation isolation(Values values) throws VmConfigException {
    String text = values.string(VmProperties.ISOLATION).orElse(Isolation.SHARED.toString());
    return Isolation.of(text)
        .orElseThrow(
            () ->
                new VmConfigException(
                    "isolation '" + text + "' is not known; give strict or shared"));
  }

  private static long memory(Values values) throws VmConfigException {
    long memory = values.size(VmProperties.MEMORY, VmProperties.MEMORY_DEFAULT);
    if (memory < VmProperties.MEMORY_MIN || memory > VmProperties.MEMORY_MAX) {
      throw new VmConfigException(
          "memory of " + memory + " bytes is out of range; a virtual machine can have 24M to 3G");
    }
    return memory & -GuestRam.PAGE;
  }

  private static List<ChannelSpec> channels(Values values) throws VmConfigException {
    List<String> texts = values.strings(VmProperties.CHANNELS);
    if (texts.size() > ControlLayout.PLEX86_MMIO_DEVICES) {
      throw new VmConfigException(
          texts.size() + " channels are too many, at most " + ControlLayout.PLEX86_MMIO_DEVICES);
    }
    List<ChannelSpec> channels = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Map<String, Integer> numbers = new HashMap<>();
    for (String text : texts) {
      ChannelSpec spec;
      try {
        spec = ChannelSpec.parse(text);
      } catch (HalException e) {
        throw new VmConfigException(e.getMessage());
      }
      int number = numbers.merge(spec.type(), 1, Integer::sum) - 1;
      if (spec.name().isEmpty()) {
        spec = spec.withName(spec.type() + number);
      }
      if (!names.add(spec.name())) {
        throw new VmConfigException("two channels are named '" + spec.name() + "'");
      }
      channels.add(spec);
    }
    return List.copyOf(channels);
  }

  /** Properties that the framework and its services add are nobody's mistake. */
  private static void requireKnown(Set<String> keys) throws VmConfigException {
    for (String key : keys) {
      if (!KNOWN.contains(key)
          && !key.startsWith("service.")
          && !key.startsWith("felix.")
          && !key.startsWith(".")) {
        throw new VmConfigException(
            "unknown property '"
                + key
                + "' of a virtual machine; known are "
                + String.join(", ", new TreeSet<>(KNOWN)));
      }
    }
  }

  /**
   * The typed values of a configuration; text is taken for any type, as .cfg files have only that.
   */
  private record Values(Map<String, ?> properties) {
    Optional<String> string(String key) throws VmConfigException {
      Object value = properties.get(key);
      if (value == null || "".equals(value)) {
        return Optional.empty();
      }
      if (value instanceof String text) {
        return Optional.of(text);
      }
      throw wrong(key, "text");
    }

    Optional<Path> path(String key) throws VmConfigException {
      try {
        return string(key).map(Path::of);
      } catch (InvalidPathException e) {
        throw wrong(key, "a file name");
      }
    }

    List<String> strings(String key) throws VmConfigException {
      Object value = properties.get(key);
      if (value == null) {
        return List.of();
      }
      if (value instanceof String[] array) {
        return List.of(array);
      }
      if (value instanceof String one) {
        return List.of(one);
      }
      throw wrong(key, "a list of text");
    }

    boolean bool(String key, boolean otherwise) throws VmConfigException {
      Object value = properties.get(key);
      if (value == null) {
        return otherwise;
      }
      if (value instanceof Boolean bool) {
        return bool;
      }
      if ("true".equals(value) || "false".equals(value)) {
        return "true".equals(value);
      }
      throw wrong(key, "true or false");
    }

    long number(String key, long otherwise, long least, long most) throws VmConfigException {
      long value = size(key, otherwise);
      if (value < least || value > most) {
        throw new VmConfigException(
            key + " is " + value + ", it must be from " + least + " to " + most);
      }
      return value;
    }

    /** A number, or text of up to 15 digits with K, M or G behind. */
    long size(String key, long otherwise) throws VmConfigException {
      Object value = properties.get(key);
      if (value == null) {
        return otherwise;
      }
      if (value instanceof Long || value instanceof Integer) {
        return ((Number) value).longValue();
      }
      if (value instanceof String text && text.matches("\\d{1,9}[KMG]?|\\d{10,15}")) {
        int unit = "KMG".indexOf(text.charAt(text.length() - 1)) + 1;
        String digits = unit == 0 ? text : text.substring(0, text.length() - 1);
        return Long.parseLong(digits) << (10 * unit);
      }
      throw wrong(key, "a number of bytes, such as 268435456 or 256M");
    }

    private VmConfigException wrong(String key, String wanted) {
      return new VmConfigException(
          key + " must be " + wanted + ", not '" + properties.get(key) + "'");
    }
  }
}
