// SPDX-License-Identifier: Apache-2.0
/* The network: loopback, and the first card by DHCP. */
#include "init.h"

#define CARD "eth0"
#define CARD_FILE "/sys/class/net/" CARD
/* udhcpc gives up waiting by itself; this is for the case that it does not. */
#define LEASE_WAIT_MS 4000

static void raise_loopback(void)
{
  struct interface_flags loopback = {.name = "lo", .flags = IFF_UP};
  int fd = open_socket(AF_INET, SOCK_DGRAM);

  if (fd < 0)
    return; /* a kernel without a network is its owner's choice */
  if (ioctl(fd, SIOCSIFFLAGS, &loopback) < 0)
    complain("cannot raise", loopback.name);
  close(fd);
}

/*
 * Asks for an address twice, for a second each; then goes on in the background, to ask again or
 * to renew.  Either way the process that was started ends.
 */
static pid_t start_dhcp(void)
{
  static char *const arguments[] = {(char *)"udhcpc", (char *)"-i", (char *)CARD, (char *)"-s",
    (char *)"/etc/udhcpc.script", (char *)"-x", (char *)"hostname:plex86", (char *)"-t", (char *)"2", (char *)"-T",
    (char *)"1", (char *)"-A", (char *)"5", (char *)"-b", NULL};
  pid_t pid = fork();

  if (pid != 0)
    return pid;
  int null = open("/dev/null", O_RDWR);

  for (int fd = 0; fd < 3; fd++)
    dup2(null, fd);
  if (null > 2)
    close(null);
  setsid();
  become("/sbin/udhcpc", arguments);
}

/* The command or the shell comes after this, and may expect a network if there is one. */
static void configure_card(void)
{
  long long deadline = now_ms() + LEASE_WAIT_MS;
  int fd = open(CARD_FILE, O_RDONLY | O_CLOEXEC);
  pid_t pid;

  if (fd < 0)
    return;
  close(fd);
  if (command_line_has("ip="))
    return; /* the user, and the kernel, have seen to it */
  pid = start_dhcp();
  if (pid < 0) {
    complain("cannot start", "udhcpc");
    return;
  }
  while (waitpid(pid, NULL, WNOHANG) == 0 && now_ms() < deadline)
    msleep(1);
}

void set_up_network(void)
{
  raise_loopback();
  configure_card();
}
