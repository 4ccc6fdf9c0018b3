// SPDX-License-Identifier: Apache-2.0
/*
 * Process 1 of a plex86 guest: an interactive shell on the console, or, with
 * `plex86.exec` on the kernel's command line, one command for the host.
 */
#include "init.h"

/* The kernel leaves 0 to 2 closed if it found no console yet; no other file may be one of them. */
static void fill_standard_files(void)
{
  int fd;

  while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd < 3)
    continue;
  if (fd >= 0)
    close(fd);
}

int main(int argc, char **argv, char **environment)
{
  (void)argc;
  (void)argv;
  fill_standard_files();
  set_up_system(environment);
  set_up_network();
  signal_fd();
  shut_down(command_line_has("plex86.exec") ? serve_exec() : run_shell());
}
