// SPDX-License-Identifier: Apache-2.0
#include "init.h"

/* How long processes have between SIGTERM and SIGKILL. */
#define GRACE_MS 1000

#define MAX_DISK_MOUNTS 64

int signal_fd(void)
{
  static int fd = -1;

  if (fd < 0) {
    /* Blocked signals are kept for process 1 even where it has no handler. */
    set_blocked_signals(INIT_SIGNALS | SIGNAL_BIT(SIGPIPE));
    fd = open_signalfd(INIT_SIGNALS);
    if (fd < 0)
      complain("cannot make", "signalfd");
  }
  return fd;
}

/* The conventions of busybox's halt, poweroff and reboot. */
static int reboot_command(unsigned signal)
{
  switch (signal) {
  case SIGUSR1:
    return LINUX_REBOOT_CMD_HALT;
  case SIGUSR2:
  case SIGINT: /* ctrl-alt-del */
    return LINUX_REBOOT_CMD_POWER_OFF;
  case SIGTERM:
    return LINUX_REBOOT_CMD_RESTART;
  default:
    return 0;
  }
}

void take_signals(pid_t watched, struct signal_events *events)
{
  struct signalfd_siginfo info;
  int status;
  pid_t pid;

  while (read(signal_fd(), &info, sizeof info) == sizeof info)
    if (!events->end)
      events->end = reboot_command(info.ssi_signo);
  /* One SIGCHLD may stand for many children. */
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == watched) {
      events->reaped = 1;
      events->status = status;
    }
}

/* Reaps until no process but this one is left, or the time is over. */
static int all_gone_within(int ms)
{
  long long deadline = now_ms() + ms;

  for (;;) {
    struct pollfd wait = {.fd = signal_fd(), .events = POLLIN};
    struct signalfd_siginfo info;
    long long left = deadline - now_ms();

    while (waitpid(-1, NULL, WNOHANG) > 0)
      continue;
    /* ECHILD: what has lost its parent becomes a child of process 1, so none is left. */
    if (waitpid(-1, NULL, WNOHANG) < 0)
      return 1;
    if (left <= 0)
      return 0;
    poll(&wait, 1, (int)left);
    while (read(wait.fd, &info, sizeof info) == sizeof info)
      continue;
  }
}

/* File systems on disks are unmounted, last mounted first; one in use is made read-only. */
static void unmount_disks(void)
{
  static char table[32768];
  char *targets[MAX_DISK_MOUNTS];
  size_t bytes = 0, count = 0;
  ssize_t n;
  int fd = open("/proc/mounts", O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return;
  while (bytes < sizeof table - 1 && (n = read(fd, table + bytes, sizeof table - 1 - bytes)) > 0)
    bytes += n;
  close(fd);
  table[bytes] = 0;
  for (char *line = table; *line && count < MAX_DISK_MOUNTS;) {
    char *next = strchr(line, '\n');
    char *target = strchr(line, ' ');
    char *end = target ? strchr(target + 1, ' ') : NULL;

    if (!strncmp(line, "/dev/", 5) && end) {
      *end = 0;
      targets[count++] = target + 1;
    }
    line = next ? next + 1 : line + strlen(line);
  }
  while (count-- > 0)
    if (umount2(targets[count], 0) < 0)
      mount(NULL, targets[count], NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

void shut_down(int command)
{
  kill(-1, SIGTERM);
  kill(-1, SIGCONT); /* a stopped process would not see the first */
  if (!all_gone_within(GRACE_MS)) {
    kill(-1, SIGKILL);
    all_gone_within(GRACE_MS);
  }
  sync_disks();
  unmount_disks();
  reboot(command);
  complain("cannot end", "the VM");
  for (;;)
    poll(NULL, 0, -1);
}
