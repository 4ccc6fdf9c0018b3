/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of a server that sends back what it gets:
 *
 *   tcprr ADDRESS PORT SECONDS         a byte, waited for, again and again; how often in a second
 *   tcprr ADDRESS PORT SECONDS stream  data without a pause, compared with what comes back
 *   tcprr ADDRESS PORT SECONDS many N  N connections, each with a byte there and back now and then
 *   tcprr ADDRESS PORT SECONDS crowd N the same by one process, on all of them at once
 *
 * Whatever comes back that is not what was sent is counted; a connection that ends is an error.
 * SECONDS is the longest; it ends before as soon as there is a file "stop" in the current directory.
 */
#include "rt.h"

enum {
  SYS_access = 33,
  SYS_prlimit64 = 340,
  SYS_socket = 359,
  SYS_connect = 362,
  SYS_setsockopt = 366,
  SYS_shutdown = 373
};
enum { AF_INET = 2, SOCK_STREAM = 1, IPPROTO_TCP = 6, TCP_NODELAY = 1, SHUT_WR = 1 };
enum { RLIMIT_NOFILE = 7, CROWD_MAX = 20000 };
enum { PIECE = 1 << 16, SEED = 86, PAUSE_NS = 100000000, LOOK_NS = 100000000 };

struct address {
  u16 family;
  u16 port;
  u8 ip[4];
  u8 zero[8];
};

static struct address server;
static u8 sent[PIECE], got[PIECE];

static void parse_address(const char *s, u8 *ip)
{
  for (int i = 0; i < 4; i++) {
    u32 value = 0;
    while (*s >= '0' && *s <= '9')
      value = value * 10 + (u32)(*s++ - '0');
    ip[i] = (u8)value;
    if (*s == '.')
      s++;
  }
}

static int connection(void)
{
  int on = 1, error, fd = sys(SYS_socket, AF_INET, SOCK_STREAM, 0);

  if (fd < 0)
    die("tcprr: socket failed", fd);
  error = sys(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (error < 0)
    die("tcprr: TCP_NODELAY failed", error);
  error = sys(SYS_connect, fd, &server, sizeof server);
  if (error < 0)
    die("tcprr: connect failed", error);
  return fd;
}

/* A look at the file costs a system call, so it is taken now and then only. */
static int is_over(u64 end)
{
  static u64 next_look;
  static int stopped;
  u64 now = monotonic();

  if (!stopped && now >= next_look) {
    next_look = now + LOOK_NS;
    stopped = sys(SYS_access, "stop", 0) == 0;
  }
  return stopped || now >= end;
}

static u8 next;
static u32 wrong;

/* Numbered, so that a byte that is lost or comes twice shows at the next one. */
static void round_trip(int fd)
{
  u8 byte = ++next;
  int n = sys(SYS_write, fd, &byte, 1);
  if (n == 1)
    n = sys(SYS_read, fd, &byte, 1);
  if (n != 1)
    die("tcprr: failed: the connection ended", n);
  wrong += byte != next;
}

static int round_trips(u64 length)
{
  int fd = connection();
  u64 begin, now;
  u32 count = 0;

  for (int i = 0; i < 100; i++)
    round_trip(fd);
  begin = monotonic();
  while (!is_over(begin + length)) {
    for (int i = 0; i < 16; i++)
      round_trip(fd);
    count += 16;
  }
  now = monotonic();
  text("@ tcp_rr ");
  number(divide((u64)count * 1000000, (u32)divide(now - begin, 1000)));
  text(" /s\n@ tcp_rr_wrong ");
  number(wrong);
  text(" of ");
  number(count);
  text("\n");
  return wrong ? 1 : 0;
}

static void fill(u8 *piece, u32 *state)
{
  u32 *words = (u32 *)piece;
  for (u32 i = 0; i < PIECE / sizeof *words; i++)
    words[i] = next_random(state);
}

/* Returns the number of bytes sent, whole pieces. */
static u64 send_until(int fd, u64 end)
{
  u32 state = SEED;
  u64 total = 0;

  while (!is_over(end)) {
    fill(sent, &state);
    for (u32 done = 0; done < PIECE;) {
      int n = sys(SYS_write, fd, sent + done, PIECE - done);
      if (n <= 0)
        die("tcprr: failed: the stream cannot be sent", n);
      done += (u32)n;
    }
    total += PIECE;
  }
  sys(SYS_shutdown, fd, SHUT_WR);
  return total;
}

static int stream(u64 length)
{
  int fd = connection(), pipe_fds[2], child, n;
  u64 end = monotonic() + length, total = 0, count = 0;
  u32 state = SEED, at = PIECE;

  n = sys(SYS_pipe, pipe_fds);
  if (n < 0)
    die("tcprr: pipe failed", n);
  child = fork_process();
  if (child == 0) {
    total = send_until(fd, end);
    sys(SYS_write, pipe_fds[1], &total, sizeof total);
    leave(0);
  }
  while ((n = sys(SYS_read, fd, got, PIECE)) > 0) {
    count += (u32)n;
    for (u32 done = 0; done < (u32)n;) {
      u32 part = (u32)n - done;
      if (at == PIECE) {
        fill(sent, &state);
        at = 0;
      }
      if (part > PIECE - at)
        part = PIECE - at;
      wrong += memcmp(sent + at, got + done, part) != 0;
      at += part;
      done += part;
    }
  }
  if (n < 0)
    die("tcprr: failed: the stream cannot be received", n);
  if (wait_for(child) != 0)
    die("tcprr: failed: the sender", 0);
  sys(SYS_read, pipe_fds[0], &total, sizeof total);
  text("@ tcp_stream_wrong ");
  number(wrong + (total != count));
  text(" sent ");
  number(total);
  text(" received ");
  number(count);
  text("\n");
  return wrong || total != count ? 1 : 0;
}

static void seldom(u64 end)
{
  int fd = connection();

  while (!is_over(end)) {
    round_trip(fd);
    sleep_until(monotonic() + PAUSE_NS);
  }
  leave(wrong ? 1 : 0);
}

static int many(u32 connections, u64 length)
{
  static int children[1000];
  u64 end = monotonic() + length;
  u32 failed = 0;

  if (connections > COUNT_OF(children))
    connections = COUNT_OF(children);
  for (u32 i = 0; i < connections; i++) {
    children[i] = fork_process();
    if (children[i] == 0)
      seldom(end);
  }
  for (u32 i = 0; i < connections; i++)
    failed += wait_for(children[i]) != 0;
  text("@ tcp_many_wrong ");
  number(failed);
  text(" of ");
  number(connections);
  text("\n");
  return failed ? 1 : 0;
}

static void allow_files(u32 count)
{
  u64 limit[2] = {count, count};
  int error = sys(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, 0);
  if (error < 0)
    die("tcprr: so many files cannot be had", error);
}

static int crowd(u32 connections, u64 length)
{
  static int fds[CROWD_MAX];
  u8 bytes[1];
  u32 rounds = 0;

  if (connections > CROWD_MAX)
    die("tcprr: at most 20000 connections", 0);
  allow_files(connections + 16);
  for (u32 i = 0; i < connections; i++)
    fds[i] = connection();
  for (u64 end = monotonic() + length; rounds == 0 || !is_over(end); rounds++) {
    for (u32 i = 0; i < connections; i++) {
      bytes[0] = (u8)(i + rounds);
      if (sys(SYS_write, fds[i], bytes, 1) != 1)
        die("tcprr: failed: a connection ended", (int)i);
    }
    for (u32 i = 0; i < connections; i++) {
      if (sys(SYS_read, fds[i], bytes, 1) != 1)
        die("tcprr: failed: a connection ended", (int)i);
      wrong += bytes[0] != (u8)(i + rounds);
    }
  }
  text("@ tcp_crowd_wrong ");
  number(wrong);
  text(" of ");
  number(connections);
  text("\n");
  return wrong ? 1 : 0;
}

int main(int argc, char **argv, char **envp)
{
  u64 length;
  u32 port;

  (void)envp;
  if (argc < 4)
    die("usage: tcprr ADDRESS PORT SECONDS [stream | many N | crowd N]", 0);
  server.family = AF_INET;
  parse_address(argv[1], server.ip);
  port = (u32)parse(argv[2]);
  server.port = (u16)(port >> 8 | port << 8);
  length = parse(argv[3]) * 1000000000ull;
  if (argc == 5 && same(argv[4], "stream"))
    return stream(length);
  if (argc == 6 && same(argv[4], "many"))
    return many((u32)parse(argv[5]), length);
  if (argc == 6 && same(argv[4], "crowd"))
    return crowd((u32)parse(argv[5]), length);
  return round_trips(length);
}
