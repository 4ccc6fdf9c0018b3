/* SPDX-License-Identifier: Apache-2.0 */
/* The state of serve_exec(), and the halves of it: to the host, from the host. */
#ifndef PLEX86_EXEC_H
#define PLEX86_EXEC_H

#include "exec_protocol.h"
#include "init.h"

/* One write of this size is one buffer of the virtio-console driver, its largest. */
#define MAX_CHUNK 32768
#define MIN_CHUNK 512

/* The command's output pipes: large, so that it seldom waits for this process. */
#define PIPE_BYTES (256 * 1024)

/* Bytes of STDIN that the host may have sent and the command not yet read. */
#define INPUT_WINDOW (128 * 1024)
/* Grants are not sent for less, but for the first. */
#define INPUT_GRANT (INPUT_WINDOW / 4)

/* How often a port without its host is looked at. */
#define HOST_RETRY_MS 2

struct output {
  int pipe; /* -1: closed */
  __u8 frame_type;
  int readable;
  size_t left; /* once the command has ended: what is still to be sent */
};

struct input {
  int pipe; /* -1: closed, or the command does not read it any more */
  int end; /* the host has sent the end of it */
  size_t first, count;
  __u32 to_grant;
  unsigned char ring[INPUT_WINDOW];
};

struct exec {
  int port;
  int failed; /* the port is gone, or the host breaks the protocol */
  int host_away; /* the host has not opened its side */
  pid_t command; /* 0: not yet started */
  int command_ended, exit_queued, ready_sent;
  __u32 exit_status;

  struct output output[2];
  int turn;
  struct input input;

  unsigned char out[MAX_CHUNK];
  size_t out_length, out_sent, chunk;

  /* The frame that is being received. */
  union {
    struct exec_header header;
    unsigned char header_bytes[sizeof(struct exec_header)];
  };
  size_t in_got; /* of header and payload together */
  unsigned char payload[EXEC_MAX_PAYLOAD + 1];
};

static inline void close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static inline int output_left(const struct exec *e)
{
  return e->output[0].pipe >= 0 || e->output[1].pipe >= 0;
}

static inline int input_waits(const struct input *in)
{
  return in->pipe >= 0 && in->count > 0;
}

/* serve_exec() once the port is open; it must be non-blocking. */
int serve_exec_port(int port);

/* Takes what the host has sent, and does it. */
void exec_receive(struct exec *e);

/* Gives the command what input it takes. */
void input_drain(struct input *in);

#endif
