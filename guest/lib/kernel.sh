# SPDX-License-Identifier: Apache-2.0
# The kernel: source, patches, configuration, make.  A build that was interrupted, or whose
# patches or configuration have changed since, goes on where make finds it.

# Lines that make prints for a whole build, for the percentage.
KERNEL_STEPS=2650

# Not extracted: what no i386 guest without hardware can want (two thirds of the source).
# Kconfig files and Makefiles stay, because others name them.
UNWANTED=(--exclude='*/arch/[!x]*.[chS]' --exclude='*/arch/[!x]*/dts/*' 
  --exclude='*/Documentation/*/*' --exclude='*/tools/testing'
  --exclude='*/drivers/gpu/*.[chS]' --exclude='*/drivers/media/*.[ch]'
  --exclude='*/drivers/staging/*.[ch]' --exclude='*/drivers/net/ethernet/*.[ch]'
  --exclude='*/drivers/net/wireless/*.[ch]' --exclude='*/drivers/infiniband/*.[ch]'
  --exclude='*/sound/*.[ch]' --exclude='*.gitignore')

# The source tree, patched.  It is made once a version; later only the files that differ are
# renewed, so that make builds anew no more than it must.
prepare_source() {
  local work=$1
  extract_source "$work"
  if [ "$flavour" = plex86 ]; then
    patch_source "$work"
    copy_headers "$work/linux/arch/x86/include/asm"
  fi
}

extract_source() {
  local work=$1 source stamp
  source=$(unpacked linux-source-6.1)
  stamp="$(cat "$source/version") ${UNWANTED[*]}"
  if [ "$(cat "$work/source.stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  rm -rf "$work/source.stamp" "$work/linux" "$work/out" "$work/pristine"
  mkdir -p "$work/linux" "$work/out" "$work/pristine"
  with_progress "$work/linux" "unpacking the kernel's source" \
    logged tar -C "$work/linux" --strip-components=1 "${UNWANTED[@]}" \
    -xf "$source/root/usr/src/linux-source-6.1.tar.xz" || exit
  echo "$stamp" >"$work/source.stamp"
}

# The series is applied to copies of the unpatched files, in a folder of its own.
patch_source() {
  local work=$1 file patch
  local -a touched
  mapfile -t touched < <(sed -n 's|^+++ b/||p' "$here"/patches/*.patch | sort -u)
  # Each file that a patch has ever touched is kept as it was; an empty one: it was not there.
  for file in "${touched[@]}"; do
    [ ! -e "$work/pristine/$file" ] || continue
    mkdir -p "$work/pristine/${file%/*}"
    if [ -e "$work/linux/$file" ]; then
      cp -p "$work/linux/$file" "$work/pristine/$file.part"
    else
      : >"$work/pristine/$file.part"
    fi
    mv "$work/pristine/$file.part" "$work/pristine/$file"
  done
  rm -rf "$work/patched"
  cp -rp "$work/pristine" "$work/patched"
  find "$work/patched" -type f -empty -delete
  for patch in "$here"/patches/*.patch; do
    logged patch -d "$work/patched" -p1 --forward --no-backup-if-mismatch -i "$patch"
  done
  (cd "$work/pristine" && find . -type f) | while read -r file; do
    if [ -e "$work/patched/$file" ]; then
      renew "$work/patched/$file" "$work/linux/$file"
    else
      rm -f "$work/linux/$file"
    fi
  done
}

copy_headers() {
  local asm=$1
  renew "$abi_header" "$asm/plex86_abi.h"
  # make does not know that the one includes the other.
  if ! cmp -s "$here/include/plex86_macros.S" "$asm/plex86_macros.S"; then rm -f "$asm/plex86_insn.h"; fi
  renew "$here/include/plex86_macros.S" "$asm/plex86_macros.S"
  renew "$here/include/plex86_insn.h" "$asm/plex86_insn.h"
}

# renew FROM TO: copies what differs, with the date of now.
renew() {
  if cmp -s "$1" "$2"; then return 0; fi
  cp "$1" "$2.part"
  mv "$2.part" "$2"
}

# make in the kernel's tree; what it builds depends on no clock, user, host or clone.
kernel_make() {
  local work=$1
  shift
  # ARCH on every call: without, olddefconfig turns to 64 bits.
  make -C "$work/linux" O="$work/out" ARCH=i386 LOCALVERSION= -j"${PLEX86_JOBS:-$(nproc)}" \
    KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1 \
    KBUILD_BUILD_USER=plex86 KBUILD_BUILD_HOST=plex86 "$@"
}

fragments() {
  echo "$here/config/plex86.config"
  if [ "$flavour" = reference ]; then echo "$here/config/qemu.config"; fi
}

configure_kernel() {
  local work=$1 config=$1/out/.config
  local -a parts
  mapfile -t parts < <(fragments)
  progress "configuring the kernel"
  if [ -e "$config" ]; then cp -p "$config" "$config.before"; fi
  logged kernel_make "$work" tinyconfig
  cat "${parts[@]}" >>"$config"
  logged kernel_make "$work" olddefconfig
  check_config "$config" "${parts[@]}"
  # With its old date if it is the old one: make builds anew what is older.
  if cmp -s "$config" "$config.before"; then mv "$config.before" "$config"; fi
}

# Every option that the fragments ask for, the last one of a name counting, must be there.
check_config() {
  local config=$1 lost
  shift
  lost=$(awk '
    function name_of(line) { sub(/^# /, "", line); sub(/[= ].*/, "", line); return line }
    /^CONFIG_/ { value = $0; sub(/^[^=]*=/, "", value) }
    /^# CONFIG_.* is not set/ { value = "n" }
    /^CONFIG_/ || /^# CONFIG_.* is not set/ {
      if (FILENAME == ARGV[1]) is[name_of($0)] = value; else asked[name_of($0)] = value
    }
    END {
      for (name in asked)
        if ((name in is ? is[name] : "n") != asked[name])
          printf " %s=%s", name, asked[name]
    }' "$config" "$@")
  [ -z "$lost" ] || fail "these options were asked for and did not survive make olddefconfig:$lost"
}

build_kernel() {
  local work=$1 count=0 line percent=
  local -a targets=(vmlinux)
  if [ "$flavour" = reference ]; then targets=(bzImage); fi
  # A complete count is known for a whole build only.
  if [ ! -e "$work/out/vmlinux.o" ]; then percent=yes; fi
  echo "+ make ${targets[*]}" >>"$log"
  kernel_make "$work" headers "${targets[@]}" 2>&1 | while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log" || exit 1
    case $line in '  '[A-Z]*) count=$((count + 1)) ;; esac
    if [ $((count % 8)) = 0 ]; then
      progress "building the $flavour kernel$(kernel_progress "$percent" "$count"), $(elapsed)"
    fi
  done || fail_logged "the kernel's make"
  clear_progress
}

kernel_progress() {
  local percent=$(($2 * 100 / KERNEL_STEPS))
  if [ -n "$1" ]; then echo ", $((percent > 99 ? 99 : percent)) %"; fi
}
