// SPDX-License-Identifier: Apache-2.0
package org.plex86.monitor.hal;

import java.time.Duration;
import java.util.Optional;
import org.plex86.hal.api.HalException;

/**
 * What a slot without a driver does: the channel's key {@code park}.
 *
 * @param errorsAfter how long the guest waits until its requests are answered with errors; empty:
 *     for ever
 */
public record ParkPolicy(Optional<Duration> errorsAfter) {
  /** The guest waits for ever. */
  public static final ParkPolicy WAIT = new ParkPolicy(Optional.empty());

  /**
   * Takes {@code wait}, {@code errors} or a number of seconds, after which come errors.
   *
   * @throws HalException the text is none of these
   */
  public static ParkPolicy parse(String text) throws HalException {
    if (text.equals("wait")) {
      return WAIT;
    }
    if (text.equals("errors")) {
      return new ParkPolicy(Optional.of(Duration.ZERO));
    }
    if (text.matches("[0-9]{1,6}")) {
      return new ParkPolicy(Optional.of(Duration.ofSeconds(Integer.parseInt(text))));
    }
    throw new HalException("park=" + text + ": give wait, errors or a number of seconds");
  }
}
