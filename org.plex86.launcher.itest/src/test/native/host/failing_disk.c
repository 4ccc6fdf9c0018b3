// SPDX-License-Identifier: Apache-2.0
// A host whose disk fails on demand: to be loaded before the C library (LD_PRELOAD). While there is a file
// $FAILING_DISK/transfer, what is read or written from the first MiB on is an EIO; while there is $FAILING_DISK/sync,
// nothing becomes durable. Real disks do that too seldom for a test.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define GOOD_BYTES (1 << 20)

typedef ssize_t transfer(int, const struct iovec *, int, off_t, int);

static int fails(const char *what)
{
  const char *folder = getenv("FAILING_DISK");
  char path[PATH_MAX];
  if (!folder || snprintf(path, sizeof path, "%s/%s", folder, what) >= (int)sizeof path)
    return 0;
  return access(path, F_OK) == 0;
}

static ssize_t transfer_or_fail(
  const char *name, int fd, const struct iovec *vectors, int count, off_t offset, int flags)
{
  if (offset >= GOOD_BYTES && fails("transfer")) {
    errno = EIO;
    return -1;
  }
  return ((transfer *)dlsym(RTLD_NEXT, name))(fd, vectors, count, offset, flags);
}

ssize_t preadv2(int fd, const struct iovec *vectors, int count, off_t offset, int flags)
{
  return transfer_or_fail("preadv2", fd, vectors, count, offset, flags);
}

ssize_t pwritev2(int fd, const struct iovec *vectors, int count, off_t offset, int flags)
{
  return transfer_or_fail("pwritev2", fd, vectors, count, offset, flags);
}

int fdatasync(int fd)
{
  if (fails("sync")) {
    errno = EIO;
    return -1;
  }
  return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
