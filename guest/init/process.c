// SPDX-License-Identifier: Apache-2.0
#include "init.h"

void become(const char *program, char *const arguments[])
{
  set_blocked_signals(0);
  chdir("/root");
  execve(program, arguments, init_environment);
  complain("cannot run", program);
  exit(127);
}
