/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcprr ADDRESS PORT SECONDS: sends a byte, waits for it to come back, again and
 * again; prints how often in a second, and how often it was another byte.
 */
#include "rt.h"

enum { SYS_socket = 359, SYS_connect = 362, SYS_setsockopt = 366 };
enum { AF_INET = 2, SOCK_STREAM = 1, IPPROTO_TCP = 6, TCP_NODELAY = 1 };

struct address {
  u16 family;
  u16 port;
  u8 ip[4];
  u8 zero[8];
};

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

int main(int argc, char **argv, char **envp)
{
  struct address to = { .family = AF_INET };
  int fd, on = 1;
  u32 count = 0, port;
  u64 begin, end, now;

  (void)envp;
  if (argc != 4)
    die("usage: tcprr ADDRESS PORT SECONDS", 0);
  parse_address(argv[1], to.ip);
  port = (u32)parse(argv[2]);
  to.port = (u16)(port >> 8 | port << 8);
  fd = sys(SYS_socket, AF_INET, SOCK_STREAM, 0);
  if (fd < 0)
    die("tcprr: socket failed", fd);
  on = sys(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (on < 0)
    die("tcprr: TCP_NODELAY failed", on);
  on = sys(SYS_connect, fd, &to, sizeof to);
  if (on < 0)
    die("tcprr: connect failed", on);
  for (int i = 0; i < 100; i++)
    round_trip(fd);
  begin = now = monotonic();
  end = begin + parse(argv[3]) * 1000000000ull;
  while (now < end) {
    for (int i = 0; i < 16; i++)
      round_trip(fd);
    count += 16;
    now = monotonic();
  }
  text("@ tcp_rr ");
  number(divide((u64)count * 1000000, (u32)divide(now - begin, 1000)));
  text(" /s\n@ tcp_rr_wrong ");
  number(wrong);
  text(" of ");
  number(count);
  text("\n");
  return wrong ? 1 : 0;
}
