// SPDX-License-Identifier: Apache-2.0
/* The interactive session on the console. */
#include "init.h"

#define CONSOLE "/dev/hvc0"
/* The driver offers the console when the host has answered; that takes milliseconds. */
#define CONSOLE_WAIT_MS 10000

static const char greeting[] = "\n"
                               "This is Linux in plex86, natively at ring 3. `exit` or `poweroff` ends the VM.\n"
                               "\n";

static int open_console(void)
{
  long long deadline = now_ms() + CONSOLE_WAIT_MS;
  int fd;

  while ((fd = open(CONSOLE, O_RDWR | O_CLOEXEC)) < 0 && now_ms() < deadline)
    msleep(1);
  if (fd < 0)
    complain("cannot open", CONSOLE);
  return fd;
}

static pid_t start_shell(int console)
{
  static char *const arguments[] = {(char *)"-sh", NULL};
  pid_t pid = fork();

  if (pid != 0)
    return pid;
  setsid();
  ioctl(console, TIOCSCTTY, (void *)1);
  for (int fd = 0; fd < 3; fd++)
    dup2(console, fd);
  become("/bin/sh", arguments);
}

int run_shell(void)
{
  struct signal_events events = {0};
  int console = open_console();
  pid_t shell;

  if (console < 0)
    return LINUX_REBOOT_CMD_POWER_OFF;
  write(console, greeting, sizeof greeting - 1);
  shell = start_shell(console);
  if (shell < 0) {
    complain("cannot start", "/bin/sh");
    return LINUX_REBOOT_CMD_POWER_OFF;
  }
  while (!events.reaped && !events.end) {
    struct pollfd wait = {.fd = signal_fd(), .events = POLLIN};

    poll(&wait, 1, -1);
    take_signals(shell, &events);
  }
  return events.end ? events.end : LINUX_REBOOT_CMD_POWER_OFF;
}
