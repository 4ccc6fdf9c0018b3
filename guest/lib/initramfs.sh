# SPDX-License-Identifier: Apache-2.0
# The initramfs: busybox, links to it, and the init program, as an uncompressed cpio that is
# the same whenever and wherever it is built.

# The init program stands on the kernel's own nolibc and UAPI headers: no i386 libc is needed.
INIT_FLAGS=(-m32 -march=i686 -Os -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pie -no-pie
  -static -nostdlib -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none
  -fomit-frame-pointer -Wl,--build-id=none -Wl,-z,noexecstack -s)

# compile_static WORK OUTPUT SOURCE...
compile_static() {
  local work=$1 output=$2
  shift 2
  logged gcc "${INIT_FLAGS[@]}" -nostdinc -isystem "$(gcc -print-file-name=include)" \
    -isystem "$work/out/usr/include" -isystem "$work/linux/tools/include/nolibc" \
    -include nolibc.h -o "$output" "$@"
}

build_initramfs() {
  local work=$1 stage=$1/stage applet
  progress "building the initramfs"
  rm -rf "$stage"
  mkdir -p "$stage"
  compile_static "$work" "$stage/init" "$here"/init/*.c
  # The exec server alone, which tests run on the host.
  compile_static "$work" "$work/exec_harness" "$here"/test/exec_harness.c \
    "$here"/init/{exec,exec_receive,process,setup,shutdown}.c
  cp "$(unpacked busybox-static:i386)/root/bin/busybox" "$stage/"
  cp -r "$here/initramfs/etc" "$stage/"
  find "$stage" -type f -exec touch -d @0 {} +
  {
    cat "$here/initramfs/files.list"
    while read -r applet; do echo "slink /$applet /bin/busybox 0777 0 0"; done <"$here/initramfs/applets.txt"
  } >"$stage/files.list"
  logged gcc -O1 -o "$work/gen_init_cpio" "$work/linux/usr/gen_init_cpio.c"
  echo "+ gen_init_cpio" >>"$log"
  STAGE=$stage "$work/gen_init_cpio" -t 0 "$stage/files.list" >"$work/initramfs.cpio" 2>>"$log" ||
    fail_logged gen_init_cpio
}
