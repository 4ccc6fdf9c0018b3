// SPDX-License-Identifier: Apache-2.0
/*
 * Runs one command for the host (exec_protocol.h).
 *
 * One loop over poll, in which nothing blocks: the port and the command's pipes
 * are all non-blocking, each direction has a buffer of bounded size, and a pipe is
 * only read when the frame before it has gone to the host.  So a slow host
 * stops the command, a command that does not read its input stops the host's
 * STDIN (by its window) but no SIGNAL, and neither stops the other direction.
 */
#include "exec.h"

/* The port appears when the host has answered the driver; that takes milliseconds. */
#define PORT_WAIT_MS 10000

static void queue_frame(struct exec *e, __u8 type, const void *payload, __u32 bytes)
{
  struct exec_header header = {.type = type, .length = bytes};

  memcpy(e->out, &header, sizeof header);
  memcpy(e->out + sizeof header, payload, bytes);
  e->out_length = sizeof header + bytes;
  e->out_sent = 0;
}

/* Reads the pipe straight into a frame. */
static void queue_output(struct exec *e, struct output *o)
{
  struct exec_header header = {.type = o->frame_type};
  size_t room = sizeof e->out - sizeof header;
  ssize_t n;

  if (e->command_ended && o->left < room)
    room = o->left;
  n = room ? read(o->pipe, e->out + sizeof header, room) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    o->readable = 0;
    return;
  }
  if (n <= 0) {
    close_fd(&o->pipe);
    return;
  }
  if (e->command_ended)
    o->left -= n;
  header.length = n;
  memcpy(e->out, &header, sizeof header);
  e->out_length = sizeof header + n;
  e->out_sent = 0;
}

/* What is to be sent next, if the last frame has gone: grants, output by turns, the end. */
static void queue_next(struct exec *e)
{
  if (e->out_sent < e->out_length)
    return;
  e->out_length = e->out_sent = 0;
  if (!e->ready_sent) {
    e->ready_sent = 1;
    queue_frame(e, EXEC_READY, NULL, 0);
    return;
  }
  if (!e->command)
    return;
  if (e->input.to_grant >= INPUT_GRANT && e->input.pipe >= 0) {
    __u32 grant = e->input.to_grant;

    e->input.to_grant = 0;
    queue_frame(e, EXEC_STDIN_WINDOW, &grant, sizeof grant);
    return;
  }
  for (int i = 0; i < 2 && !e->out_length; i++) {
    struct output *o = &e->output[e->turn];

    e->turn = !e->turn;
    if (o->pipe >= 0 && (o->readable || e->command_ended))
      queue_output(e, o);
  }
  if (!e->out_length && e->command_ended && !output_left(e) && !e->exit_queued) {
    e->exit_queued = 1;
    queue_frame(e, EXEC_EXIT, &e->exit_status, sizeof e->exit_status);
  }
}

/* Sends as much as the port takes; 0: it takes no more now. */
static int send_some(struct exec *e)
{
  size_t bytes = e->out_length - e->out_sent;
  ssize_t n = write(e->port, e->out + e->out_sent, bytes < e->chunk ? bytes : e->chunk);

  if (n > 0) {
    e->out_sent += n;
    return 1;
  }
  /* The driver copies into one contiguous buffer, which may not be there. */
  if (n < 0 && errno == ENOMEM && e->chunk > MIN_CHUNK) {
    e->chunk /= 2;
    return 1;
  }
  if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOMEM)
    e->failed = 1;
  return 0;
}

static void pump_output(struct exec *e)
{
  do {
    queue_next(e);
  } while (e->out_sent < e->out_length && send_some(e));
}

/* The command is over; what it wrote is in the pipes now, what is added later is not its own. */
static void note_end(struct exec *e, int status)
{
  e->command_ended = 1;
  e->exit_status = (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
  for (int i = 0; i < 2; i++) {
    int left = 0;

    if (e->output[i].pipe >= 0 && ioctl(e->output[i].pipe, FIONREAD, &left) == 0)
      e->output[i].left = left;
    if (!left)
      close_fd(&e->output[i].pipe);
  }
  close_fd(&e->input.pipe);
}

static void wait_for_events(struct exec *e)
{
  struct pollfd fds[5];
  int sending = e->out_sent < e->out_length;
  int count = 0;

  fds[count++] = (struct pollfd){.fd = signal_fd(), .events = POLLIN};
  fds[count++] = (struct pollfd){.fd = e->port, .events = POLLIN | (sending ? POLLOUT : 0)};
  fds[count++] = (struct pollfd){.fd = input_waits(&e->input) ? e->input.pipe : -1, .events = POLLOUT};
  /* While a frame waits, output waits in the pipes. */
  for (int i = 0; i < 2; i++)
    fds[count++] = (struct pollfd){.fd = sending ? -1 : e->output[i].pipe, .events = POLLIN};
  /* A port that the host has not opened yet, or has closed, is always "readable". */
  if (e->host_away)
    fds[1].fd = -1;
  poll(fds, count, e->host_away ? HOST_RETRY_MS : -1);
  for (int i = 0; i < 2; i++)
    if (fds[3 + i].revents)
      e->output[i].readable = 1;
}

/*
 * All that was written is still on its way: the host hangs the port up when it has it, and
 * only then may the VM end.
 */
static void wait_for_hangup(const struct exec *e, struct signal_events *events)
{
  while (!events->end) {
    struct pollfd fds[2] = {{.fd = e->port}, {.fd = signal_fd(), .events = POLLIN}};

    poll(fds, 2, -1);
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
      return;
    take_signals(0, events);
  }
}

int serve_exec_port(int port)
{
  static struct exec e;
  struct signal_events events = {0};

  e.chunk = MAX_CHUNK;
  e.input.pipe = e.output[0].pipe = e.output[1].pipe = -1;
  e.output[0].frame_type = EXEC_STDOUT;
  e.output[1].frame_type = EXEC_STDERR;
  e.port = port;
  while (!e.failed && !events.end) {
    pump_output(&e);
    if (e.exit_queued && e.out_sent == e.out_length)
      break;
    wait_for_events(&e);
    exec_receive(&e);
    input_drain(&e.input);
    take_signals(e.command, &events);
    if (events.reaped && !e.command_ended)
      note_end(&e, events.status);
  }
  if (e.exit_queued && !e.failed)
    wait_for_hangup(&e, &events);
  return events.end ? events.end : LINUX_REBOOT_CMD_POWER_OFF;
}

int serve_exec(void)
{
  long long deadline = now_ms() + PORT_WAIT_MS;
  int port;

  while ((port = open(EXEC_PORT, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0 && now_ms() < deadline)
    msleep(1);
  if (port < 0) {
    complain("cannot open", EXEC_PORT);
    return LINUX_REBOOT_CMD_POWER_OFF;
  }
  return serve_exec_port(port);
}
