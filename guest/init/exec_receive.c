// SPDX-License-Identifier: Apache-2.0
/* The half of serve_exec() that listens to the host. */
#include "exec.h"

static void child(char *text, int in, int out, int err)
{
  char *arguments[] = {(char *)"sh", (char *)"-c", text, NULL};

  setpgid(0, 0);
  dup2(in, 0);
  dup2(out, 1);
  dup2(err, 2);
  become("/bin/sh", arguments);
}

static void start_command(struct exec *e)
{
  int in[2], out[2], err[2];

  e->payload[e->header.length] = 0;
  if (e->command || make_pipe(in, O_CLOEXEC) < 0 || make_pipe(out, O_CLOEXEC) < 0 || make_pipe(err, O_CLOEXEC) < 0) {
    complain("cannot start", "the command");
    e->failed = 1;
    return;
  }
  /* Only our ends: what the command sees must block as a pipe does. */
  set_fcntl(in[1], F_SETFL, O_NONBLOCK);
  set_fcntl(out[0], F_SETFL, O_NONBLOCK);
  set_fcntl(err[0], F_SETFL, O_NONBLOCK);
  set_fcntl(out[0], F_SETPIPE_SZ, PIPE_BYTES);
  set_fcntl(err[0], F_SETPIPE_SZ, PIPE_BYTES);
  e->command = fork();
  if (e->command == 0)
    child((char *)e->payload, in[0], out[1], err[1]);
  /* Here too, whoever is first: from now on a SIGNAL finds the group. */
  if (e->command > 0)
    setpgid(e->command, e->command);
  close(in[0]);
  close(out[1]);
  close(err[1]);
  if (e->command < 0) {
    complain("cannot start", "the command");
    e->failed = 1;
    return;
  }
  e->input.pipe = in[1];
  e->input.to_grant = INPUT_WINDOW;
  e->output[0].pipe = out[0];
  e->output[1].pipe = err[0];
}

void input_drain(struct input *in)
{
  while (in->pipe >= 0 && in->count) {
    size_t run = sizeof in->ring - in->first;
    ssize_t n = write(in->pipe, in->ring + in->first, run < in->count ? run : in->count);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (n < 0) { /* EPIPE: nobody reads any more; no more is granted either */
      close_fd(&in->pipe);
      return;
    }
    in->first = (in->first + n) % sizeof in->ring;
    in->count -= n;
    in->to_grant += n;
  }
  if (in->end)
    close_fd(&in->pipe);
}

static void take_input(struct exec *e)
{
  struct input *in = &e->input;
  size_t bytes = e->header.length;

  if (!bytes) {
    in->end = 1;
    return;
  }
  if (in->pipe < 0 || in->end)
    return; /* sent before the host could know */
  if (bytes > sizeof in->ring - in->count) {
    errno = EPROTO;
    complain("more input than granted", EXEC_PORT);
    e->failed = 1;
    return;
  }
  for (size_t done = 0; done < bytes;) {
    size_t end = (in->first + in->count) % sizeof in->ring;
    size_t run = sizeof in->ring - end;

    if (run > bytes - done)
      run = bytes - done;
    memcpy(in->ring + end, e->payload + done, run);
    in->count += run;
    done += run;
  }
  input_drain(in);
}

static void pass_signal(const struct exec *e)
{
  __u32 signal;

  memcpy(&signal, e->payload, sizeof signal);
  if (e->header.length == sizeof signal && e->command > 0 && !e->command_ended)
    kill(-e->command, (int)signal);
}

static void take_frame(struct exec *e)
{
  switch (e->header.type) {
  case EXEC_RUN:
    start_command(e);
    break;
  case EXEC_STDIN:
    take_input(e);
    break;
  case EXEC_SIGNAL:
    pass_signal(e);
    break;
  default: /* of a later host: it must be able to live without */
    break;
  }
}

void exec_receive(struct exec *e)
{
  for (;;) {
    const size_t head = sizeof e->header;
    int in_header = e->in_got < head;
    unsigned char *to = in_header ? e->header_bytes + e->in_got : e->payload + e->in_got - head;
    size_t want = in_header ? head - e->in_got : e->header.length - (e->in_got - head);
    ssize_t n = want ? read(e->port, to, want) : 0;

    if (want) {
      /* 0: the host has not opened its side yet, or has closed it. */
      e->host_away = n == 0;
      if (n < 0 && errno != EAGAIN && errno != EINTR)
        e->failed = 1;
      if (n <= 0)
        return;
      e->in_got += n;
    }
    if (e->in_got >= head && e->header.length > EXEC_MAX_PAYLOAD) {
      errno = EPROTO;
      complain("frame too long", EXEC_PORT);
      e->failed = 1;
      return;
    }
    if (e->in_got == head + e->header.length) {
      e->in_got = 0;
      take_frame(e);
      if (e->failed)
        return;
    }
  }
}
