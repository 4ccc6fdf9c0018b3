// SPDX-License-Identifier: Apache-2.0
/** The guest's queries, answered by the host's resolvers. */
package org.plex86.hal.net.user.dns;
