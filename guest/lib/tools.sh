# SPDX-License-Identifier: Apache-2.0
# The tools image: fio, iperf3, dropbear, e2fsprogs, curl of Debian for i386, with the libraries they
# load, in an ext4 image for guests.  The same bytes whenever and wherever it is built: made by the
# e2fsprogs that it holds, file by file in one order, with fixed times and identifiers.

TOOLS_SPACE_MB=350
TOOLS_IMAGE_MB=96
TOOLS_UUID=706c6578-3836-4000-8000-746f6f6c7300

build_tools() {
  local image=$1 work=$cache/build/tools
  require_space "$cache" "$TOOLS_SPACE_MB"
  mkdir -p "$work"
  start_log "$work/build.log"
  command -v readelf >/dev/null || install_packages " binutils"
  fetch_packages "$here/tools/versions" "$cache/packages/tools.versions"
  stage_tools "$work/root"
  make_tools_image "$work" "$work/tools.img"
  publish_tools "$work" "$image"
}

# stage_tools ROOT: the programs, and what they load, and what that loads, and nothing else.
stage_tools() {
  local root=$1 name package path
  progress "collecting the tools"
  rm -rf "$root"
  mkdir -p "$root/bin" "$root/lib" "$root/etc"
  while read -r name package path; do
    cp -L "$(unpacked "$package")/root/$path" "$root/bin/$name" 2>>"$log" ||
      fail "$package has no $path; see guest/tools/programs"
  done < <(grep -v '^#' "$here/tools/programs")
  cp "$(unpacked e2fsprogs:i386)/root/etc/mke2fs.conf" "$root/etc/"
  cp "$here/tools/run" "$here/tools/setup" "$root/"
  index_libraries >"$root/../libraries"
  add_library "$root" ld-linux.so.2 ld-linux.so.2
  add_needed "$root" "$root"/bin/*
  chmod -R u=rwX,go=rX "$root"
  chmod 755 "$root"/bin/* "$root"/lib/ld-linux.so.2 "$root/run" "$root/setup"
}

# Lines "NAME PATH" of all shared libraries of the packages.
index_libraries() {
  local package version
  while read -r package version; do
    find "$(unpacked "$package")/root" -name '*.so*' ! -type d ! -path '*/gconv/*' -printf '%f %p\n'
  done < <(grep -v '^#' "$here/tools/versions")
}

# add_library ROOT NAME USER: unless it is there.
add_library() {
  local root=$1 name=$2 path
  if [ -e "$root/lib/$name" ]; then return 1; fi
  path=$(awk -v name="$name" '$1 == name { print $2; exit }' "$root/../libraries")
  [ -n "$path" ] || fail "$3 needs $name, which is in none of the packages of guest/tools/versions"
  cp -L "$path" "$root/lib/$name"
}

# add_needed ROOT FILE...
add_needed() {
  local root=$1 file name
  shift
  for file in "$@"; do
    while read -r name; do
      if add_library "$root" "$name" "${file##*/}"; then add_needed "$root" "$root/lib/$name"; fi
    done < <(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  done
}

make_tools_image() {
  local work=$1 image=$2 root=$1/root
  progress "making the tools image"
  rm -f "$image"
  truncate -s "${TOOLS_IMAGE_MB}M" "$image"
  "$root/run" fio --version >>"$log" 2>&1 ||
    fail "the i386 programs of the tools image do not run on this host: $(tail -n 1 "$log" | cut -c1-150); a kernel with IA32 emulation is needed"
  export E2FSPROGS_FAKE_TIME=1000000000
  logged "$root/run" mke2fs -q -F -t ext4 -b 4096 -N 512 -m 0 -L tools -U "$TOOLS_UUID" -O ^has_journal,^metadata_csum,^64bit,^resize_inode \
    -E "hash_seed=$TOOLS_UUID,lazy_itable_init=0,root_owner=0:0,nodiscard" "$image"
  (cd "$root" && debugfs_script) >"$work/script"
  logged "$root/run" debugfs -w -f "$work/script" "$image"
  # debugfs reports failures of single commands in its output only.
  if sed '1,/^+ .*debugfs/d' "$log" | grep -vE '^(debugfs: |Allocated inode: |debugfs [0-9])' | grep -q .; then
    fail "debugfs failed: $(sed '1,/^+ .*debugfs/d' "$log" | grep -vE '^(debugfs: |Allocated inode: |debugfs [0-9])' | head -n 1); the whole log is $log"
  fi
  logged "$root/run" e2fsck -fn "$image"
  unset E2FSPROGS_FAKE_TIME
}

# The commands that fill the image; in the folder that it shall hold.
debugfs_script() {
  local file
  find . -mindepth 1 -type d -printf '%P\n' | LC_ALL=C sort | while read -r file; do echo "mkdir $file"; done
  echo "rmdir lost+found"
  find . -type f -printf '%P\n' | LC_ALL=C sort | while read -r file; do
    echo "write $PWD/$file $file"
    echo "set_inode_field $file uid 0"
    echo "set_inode_field $file gid 0"
    echo "set_inode_field $file mode 0100$(stat -c %a "$file")"
  done
}

# Whole or not at all.
publish_tools() {
  local work=$1 image=$2 part=$2.part
  rm -rf "$part"
  mkdir -p "$part"
  mv "$work/root" "$part/root"
  mv "$work/tools.img" "$part/tools.img"
  chmod 444 "$part/tools.img"
  cp "$cache/packages/tools.versions" "$part/versions"
  cp "$log" "$part/build.log"
  [ "$(folder_of_image)" = "$image" ] || fail "an input has changed during the build; run it again"
  rm -rf "$image"
  mv "$part" "$image"
  clear_progress
}
