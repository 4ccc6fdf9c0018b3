// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.console.io;

import java.nio.ByteBuffer;
import java.util.Map;

/**
 * What one console hands over to the next, perhaps of another version of this bundle: names with
 * values of the JDK's classes. A value is taken when it is read. What is absent, or of another
 * class than expected, reads as its default, so a console that takes over from none is nothing
 * special.
 */
public final class Saved {
  /** The name and version of all that is saved: a change of what it means changes the version. */
  private static final String PREFIX = "console/1/";

  private final Map<String, Object> entries;
  private final String prefix;

  private Saved(Map<String, Object> entries, String prefix) {
    this.entries = entries;
    this.prefix = prefix;
  }

  /** Reads from, or writes to, a map of a channel. */
  public static Saved in(Map<String, Object> entries) {
    return new Saved(entries, PREFIX);
  }

  /** The part of that name. */
  public Saved part(String name) {
    return new Saved(entries, prefix + name + "/");
  }

  /** Whether there is a value of that name. */
  public boolean has(String name) {
    return entries.containsKey(prefix + name);
  }

  /** Saves a value of a class of the JDK. */
  public void put(String name, Object value) {
    entries.put(prefix + name, value);
  }

  /** Saves the remaining bytes of a buffer, whose position stays. */
  public void putBytes(String name, ByteBuffer from) {
    byte[] bytes = new byte[from.remaining()];
    from.duplicate().get(bytes);
    put(name, bytes);
  }

  /** A value, which is not taken; null if there is none of that class. */
  public <T> T peek(String name, Class<T> type) {
    Object value = entries.get(prefix + name);
    return type.isInstance(value) ? type.cast(value) : null;
  }

  /** Takes a value; null if there is none of that class. */
  public <T> T take(String name, Class<T> type) {
    T value = peek(name, type);
    if (value != null) {
      entries.remove(prefix + name);
    }
    return value;
  }

  /** Takes bytes; none if there are none. */
  public byte[] takeBytes(String name) {
    byte[] bytes = take(name, byte[].class);
    return bytes == null ? new byte[0] : bytes;
  }

  /** Takes bytes into a buffer that is cleared before, as many as fit; then it can be read. */
  public void takeBytes(String name, ByteBuffer into) {
    byte[] bytes = takeBytes(name);
    into.clear().put(bytes, 0, Math.min(bytes.length, into.capacity())).flip();
  }

  /** Takes a flag; false if there is none. */
  public boolean takeFlag(String name) {
    return Boolean.TRUE.equals(take(name, Boolean.class));
  }

  /** Takes a number, or the default. */
  public long takeNumber(String name, long absent) {
    Long number = take(name, Long.class);
    return number == null ? absent : number;
  }
}
