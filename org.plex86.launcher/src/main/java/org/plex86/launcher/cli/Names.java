// SPDX-License-Identifier: Apache-2.0
package org.plex86.launcher.cli;

import java.util.regex.Pattern;

/** Names of virtual machines and channels, in the form that the monitor takes. */
final class Names {
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private Names() {}

  /** Returns a name as it is, or refuses it. */
  static String check(String option, String name) throws UsageException {
    if (!FORM.matcher(name).matches()) {
      throw new UsageException(
          option + ": '" + name + "' is not a name; give 1 to 64 letters, digits, '.', '_' or '-'");
    }
    return name;
  }
}
