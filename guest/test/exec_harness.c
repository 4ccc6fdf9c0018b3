// SPDX-License-Identifier: Apache-2.0
/*
 * For tests: the exec server of process 1, as it is, on the host: over a Unix socket in place of
 * the virtio port.  exec_harness SOCKET connects and serves one command.
 */
#include "../init/exec.h"

#define AF_UNIX 1
#define SOCK_STREAM 1

int main(int argc, char **argv, char **environment)
{
  struct {
    unsigned short family;
    char path[108];
  } address = {.family = AF_UNIX};
  int port = open_socket(AF_UNIX, SOCK_STREAM);

  if (argc != 2 || port < 0)
    return 2;
  strlcpy(address.path, argv[1], sizeof address.path);
  if (SYSTEM_CALL(my_syscall3(__NR_connect, port, &address, sizeof address)) < 0)
    return 2;
  set_fcntl(port, F_SETFL, O_RDWR | O_NONBLOCK);
  set_fcntl(port, F_SETFD, FD_CLOEXEC);
  init_environment = environment;
  serve_exec_port(port);
  return 0;
}
