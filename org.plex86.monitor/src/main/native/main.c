/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plex86-nexus: runs a Linux guest natively, kernel included, at ring 3.
 * Started by the monitor with the descriptors that nexus.h names; the options
 * are for tests and for `plex86 doctor`.
 */
#include "nexus.h"

static int equal(const char *a, const char *b)
{
  while (*a && *a == *b)
    a++, b++;
  return *a == *b;
}

static int usage(void)
{
  static const char text[] = "plex86-nexus is started by the plex86 monitor.\n"
                             "  --layout  print the layout of the control memory\n"
                             "  --probe   print what the host's kernel offers\n";
  syscall3(SYS_write, FD_ERRORS, text, sizeof text - 1);
  return 2;
}

static int print_probe(void)
{
  static const char yes[] = "ia32_emulation 1\n", no[] = "ia32_emulation 0\n";
  syscall3(SYS_write, 1, probe_ia32() ? yes : no, sizeof yes - 1);
  return 0;
}

/* Called by _start with the stack as the host's kernel has laid it out: argc, argv. */
__attribute__((noreturn)) void nexus_main(const u64 *stack)
{
  u64 argc = stack[0];
  const char *const *argv = (const char *const *)(stack + 1);
  if (argc < 2)
    sys_exit(usage());
  if (equal(argv[1], "--supervise"))
    sys_exit(supervise());
  if (equal(argv[1], "--layout"))
    sys_exit(print_layout());
  if (equal(argv[1], "--probe"))
    sys_exit(print_probe());
  sys_exit(usage());
}
