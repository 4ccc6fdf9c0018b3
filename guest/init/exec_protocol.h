/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exec protocol, on virtio-console port 1, named "org.plex86.exec".
 *
 * Both directions: frames of an 8-byte header and a payload of at most
 * EXEC_MAX_PAYLOAD bytes.  The host's side is in org.plex86.hal.console.
 */
#ifndef PLEX86_EXEC_PROTOCOL_H
#define PLEX86_EXEC_PROTOCOL_H

#include <linux/types.h>

#define EXEC_PORT "/dev/vport0p1"
#define EXEC_MAX_PAYLOAD 65536

struct exec_header {
  __u8 type;
  __u8 zero;
  __u16 zero2;
  __u32 length; /* of the payload, little-endian as the guest is */
};

/* Host to guest. */
#define EXEC_RUN 0x01 /* the command, for /bin/sh -c */
#define EXEC_STDIN 0x02 /* bytes of standard input; none: its end */
#define EXEC_SIGNAL 0x03 /* u32: a signal for the command's process group */

/* Guest to host. */
#define EXEC_READY 0x80 /* once, first; the host answers with RUN */
#define EXEC_STDOUT 0x81 /* bytes */
#define EXEC_STDERR 0x82 /* bytes */
#define EXEC_EXIT 0x83 /* u32: 0..255, or 128 + the signal; always the last frame */
#define EXEC_STDIN_WINDOW 0x84 /* u32: so many more bytes of STDIN may be sent */

#endif
