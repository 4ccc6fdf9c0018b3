// SPDX-License-Identifier: Apache-2.0
package org.plex86.bench.suite;

import org.plex86.bench.subject.Subject;

/**
 * A subject with a device that is measured.
 *
 * @param name in tables
 * @param preamble what the script does first there
 */
record Target(String name, Subject subject, String preamble) {}
