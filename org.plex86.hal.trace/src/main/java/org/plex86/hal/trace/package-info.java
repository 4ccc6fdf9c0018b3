// SPDX-License-Identifier: Apache-2.0
/**
 * Traces what passes between a guest and its drivers into files: {@link
 * org.plex86.hal.trace.TraceBundle}.
 *
 * <p>The guest never waits for the disk that the trace goes to: a writer that falls behind by more
 * than {@link org.plex86.hal.trace.TraceFile#BOUND} bytes has records dropped, and says how many.
 */
package org.plex86.hal.trace;
