// SPDX-License-Identifier: Apache-2.0
/**
 * A command in the guest whose standard input, output and error are the host process's.
 *
 * <p>Both directions of the port carry frames: a type (1 byte), 3 bytes of zero, the payload's
 * length (4 bytes, little-endian, at most 65536), the payload.
 */
package org.plex86.hal.console.exec;
