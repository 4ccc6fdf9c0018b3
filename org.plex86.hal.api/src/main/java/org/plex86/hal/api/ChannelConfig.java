// SPDX-License-Identifier: Apache-2.0
package org.plex86.hal.api;

import java.util.Map;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/** What the user asked a channel to be: keys and values, all text. Immutable. Any thread. */
@ProviderType
public interface ChannelConfig {
  /** All keys and values. */
  Map<String, String> values();

  /** The value of a key, or the default where it is absent. */
  String get(String key, String defaultValue);

  /**
   * The value of a key that takes {@code on} or {@code off}.
   *
   * @throws HalException any other value
   */
  boolean getSwitch(String key, boolean defaultValue) throws HalException;

  /**
   * Checks that there are no keys but these.
   *
   * @throws HalException names the unknown key and the known ones
   */
  void requireKnown(Set<String> known) throws HalException;
}
