// SPDX-License-Identifier: Apache-2.0
/** TCP as the guest's peer: RFC 9293. */
package org.plex86.hal.net.user.tcp;
