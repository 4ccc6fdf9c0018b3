// SPDX-License-Identifier: Apache-2.0
#include "init.h"

char **init_environment;

struct mount_point {
  const char *type, *target, *options;
  unsigned long flags;
};

#define SAFE (MS_NOSUID | MS_NODEV)

/* In this order: each target is there once those before it are mounted. */
static const struct mount_point mounts[] = {
  {"devtmpfs", "/dev", "mode=755", MS_NOSUID},
  {"proc", "/proc", NULL, SAFE | MS_NOEXEC},
  {"sysfs", "/sys", NULL, SAFE | MS_NOEXEC},
  {"devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
  {"tmpfs", "/dev/shm", "mode=1777", SAFE},
  {"tmpfs", "/run", "mode=755", SAFE},
  {"tmpfs", "/tmp", "mode=1777", SAFE},
  {"cgroup2", "/sys/fs/cgroup", NULL, SAFE | MS_NOEXEC},
};

static const char *const links[][2] = {
  {"/proc/self/fd", "/dev/fd"},
  {"/proc/self/fd/0", "/dev/stdin"},
  {"/proc/self/fd/1", "/dev/stdout"},
  {"/proc/self/fd/2", "/dev/stderr"},
};

/* What is set unless the kernel's command line (NAME=value) has set it. */
static const char *const defaults[] = {
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "TERM=vt100",
  "SHELL=/bin/sh",
  "USER=root",
  "LOGNAME=root",
};

void complain_of(const char *what, const char *about, int error)
{
  char line[256];
  int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

  if (fd < 0)
    return;
  line[0] = 0;
  strlcat(line, "init: ", sizeof line);
  strlcat(line, what, sizeof line);
  strlcat(line, ": ", sizeof line);
  strlcat(line, about, sizeof line);
  strlcat(line, " (error ", sizeof line);
  strlcat(line, itoa(error), sizeof line);
  strlcat(line, ")\n", sizeof line);
  write(fd, line, strlen(line));
  close(fd);
}

static void mount_all(void)
{
  for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
    const struct mount_point *m = &mounts[i];

    mkdir(m->target, 0755);
    /* A kernel of one's own may have mounted /dev, or lack one of them. */
    if (mount(m->type, m->target, m->type, m->flags, m->options) < 0 && errno != EBUSY)
      complain("cannot mount", m->target);
  }
  for (size_t i = 0; i < sizeof links / sizeof *links; i++)
    symlink(links[i][0], links[i][1]);
}

static int is_set(char **environment, size_t count, const char *setting)
{
  size_t name = strchr(setting, '=') - setting + 1;

  for (size_t i = 0; i < count; i++)
    if (!strncmp(environment[i], setting, name))
      return 1;
  return 0;
}

static void complete_environment(char **given)
{
  static char *complete[64];
  const size_t room = sizeof complete / sizeof *complete - 1;
  size_t count = 0;

  for (char **e = given; *e && count < room; e++)
    complete[count++] = *e;
  for (size_t i = 0; i < sizeof defaults / sizeof *defaults && count < room; i++)
    /* HOME=/ and TERM=linux are what the kernel itself gives to process 1. */
    if (!is_set(complete, count, defaults[i]))
      complete[count++] = (char *)defaults[i];
  for (size_t i = 0; i < count; i++) {
    if (!strcmp(complete[i], "HOME=/"))
      complete[i] = (char *)"HOME=/root";
    if (!strcmp(complete[i], "TERM=linux"))
      complete[i] = (char *)"TERM=vt100";
  }
  complete[count] = NULL;
  init_environment = complete;
}

int command_line_has(const char *word)
{
  char line[4096];
  size_t bytes = 0, length = strlen(word);
  int key = word[length - 1] == '=';
  ssize_t n;
  int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return 0;
  while (bytes < sizeof line - 1 && (n = read(fd, line + bytes, sizeof line - 1 - bytes)) > 0)
    bytes += n;
  close(fd);
  line[bytes] = 0;
  for (char *at = line; *at;) {
    char *end = at;

    while (*end && *end != ' ' && *end != '\n')
      end++;
    if (((size_t)(end - at) == length || (key && (size_t)(end - at) > length)) && !memcmp(at, word, length))
      return 1;
    at = *end ? end + 1 : end;
  }
  return 0;
}

void set_up_system(char **environment)
{
  umask(022);
  mount_all();
  complete_environment(environment);
}
