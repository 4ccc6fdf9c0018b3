/* SPDX-License-Identifier: Apache-2.0 */
/* What the host offers. */
#include "nexus.h"

#define I386_getpid 20

/* Whether int $0x80 is a system call: asked in a process of its own, which a fault ends. */
int probe_ia32(void)
{
  s64 pid = syscall0(SYS_fork);
  if (pid < 0)
    return 0;
  if (pid == 0) {
    s64 result = I386_getpid;
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    sys_exit(result > 0 ? 0 : 1);
  }
  u32 status = 1;
  while (syscall4(SYS_wait4, pid, &status, 0, NULL) == -EINTR)
    ;
  return status == 0;
}
