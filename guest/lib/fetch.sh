# SPDX-License-Identifier: Apache-2.0
# Debian packages, fetched and unpacked into the cache.  No foreign architecture, no package
# and no list is added to the system: apt works on states of its own in the cache, with the
# system's sources and keys.  One state an architecture: apt drops a whole source when the
# index of one of its architectures does not answer.

# private_apt ARCHITECTURE ARGUMENT...
private_apt() {
  local architecture=$1 state=$cache/packages/apt/$1
  shift
  if [ ! -e "$state/status" ]; then
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
  fi
  apt-get -qq -o "Dir::State=$state" -o "Dir::State::Lists=$state/lists" \
    -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" \
    -o "APT::Architecture=$architecture" -o "APT::Architectures::=$architecture" \
    -o "APT::Sandbox::User=$(id -un)" -o "Acquire::Languages=none" -o "Acquire::Retries=3" "$@"
}

updated=

# An index that does not answer is no failure yet: what counts is whether the package is found.
update_lists() {
  case $updated in *" $1 "*) return 0 ;; esac
  progress "reading package lists of $1"
  echo "+ apt-get update ($1)" >>"$log"
  private_apt "$1" update >>"$log" 2>&1 || true
  updated+=" $1 "
}

# fetch PACKAGE[=VERSION]: the unpacked package, in $cache/packages/NAME.  Half-done work
# never has that name.
fetch() {
  local package=$1 folder part architecture
  folder=$cache/packages/$(folder_of "$package")
  [ ! -d "$folder" ] || return 0
  case $package in
    *:i386*) architecture=i386 ;;
    *) architecture=$(dpkg --print-architecture) ;;
  esac
  update_lists "$architecture"
  progress "fetching $package"
  part=$folder.part
  rm -rf "$part"
  mkdir -p "$part/deb"
  echo "+ apt-get download $package ($architecture)" >>"$log"
  with_progress "$part/deb" "fetching $package" download_into "$part/deb" "$architecture" "$package" || return 1
  logged dpkg-deb --extract "$part"/deb/*.deb "$part/root"
  dpkg-deb --field "$part"/deb/*.deb Version >"$part/version"
  rm -r "$part/deb"
  mv "$part" "$folder"
}

download_into() { cd "$1" && private_apt "$2" download "$3" >>"$log" 2>&1; }

# Colons and the like do not belong into PATH-like variables.
folder_of() { tr -c 'A-Za-z0-9.\n-' _ <<<"$1"; }

# unpacked PACKAGE: the folder that fetch_packages took for it.
unpacked() { cat "$cache/packages/$(folder_of "$1").chosen"; }

# fetch_packages [LIST [TAKEN]]: what the list (guest/versions) asks for; or else what there is, with
# a remark.  TAKEN gets what was taken.
fetch_packages() {
  local list=${1:-$here/versions} taken=${2:-$cache/packages/versions} package version folder
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "apt-get and dpkg-deb are needed to fetch the kernel's source: use a Debian 12 system, or a container of it"
  mkdir -p "$cache/packages"
  : >"$taken"
  while read -r package version; do
    folder=$cache/packages/$(folder_of "$package=$version")
    if ! fetch "$package=$version"; then
      fetch "$package" ||
        fail "cannot fetch $package: $(apt_reason); is the network up, and Debian 12 (bookworm) among apt's sources? The whole log is $log"
      folder=$cache/packages/$(folder_of "$package")
      say "$package $version has gone from the archive; took $(cat "$folder/version")"
    fi
    echo "$folder" >"$cache/packages/$(folder_of "$package").chosen"
    echo "$package $(cat "$folder/version")" >>"$taken"
  done < <(grep -v '^#' "$list")
}

apt_reason() { grep -E '^E: ' "$log" | tail -n 1 | cut -c4-200; }

# ---- tools ----

# Those of the system that cannot do without being installed.
REQUIRED="gcc make ld patch xz perl"
# Those that also run from where they were unpacked, with the packages they take.
PORTABLE="flex bison bc"
portable_packages() {
  case $1 in
    flex) echo flex m4 ;;
    bison) echo bison m4 ;;
    bc) echo bc libreadline8 libtinfo6 ;;
  esac
}

package_of() {
  case $1 in
    ld) echo binutils ;;
    xz) echo xz-utils ;;
    *) echo "$1" ;;
  esac
}

prepare_tools() {
  local tool missing=
  for tool in $REQUIRED; do
    command -v "$tool" >/dev/null || missing+=" $(package_of "$tool")"
  done
  # gcc alone brings no headers of the C library
  gcc -E -x c -o /dev/null - <<<'#include <sys/types.h>' 2>/dev/null || missing+=" libc6-dev"
  [ -z "$missing" ] || install_packages "$missing"
  PATH=$cache/packages/bin:$PATH
  for tool in $PORTABLE; do
    command -v "$tool" >/dev/null || unpack_tool "$tool"
  done
}

install_packages() {
  if [ "$(id -u)" = 0 ]; then
    progress "installing$1"
    apt-get -qq update >>"$log" 2>&1 || true # the lists of a small system may be empty
    # shellcheck disable=SC2086  # a list of names
    logged env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $1
  else
    fail "missing:$1; install with: sudo apt-get install -y$1"
  fi
}

# A wrapper in $cache/packages/bin that runs the unpacked tool with what it needs around it.
unpack_tool() {
  local tool=$1 package libraries= bin=$cache/packages/bin
  for package in $(portable_packages "$tool"); do
    fetch "$package" ||
      fail "cannot fetch $package: $(apt_reason); install $tool, with: sudo apt-get install -y $tool"
    libraries+=$(find "$cache/packages/$package/root" -name '*.so.*' -printf '%h:')
  done
  mkdir -p "$bin"
  cat >"$bin/$tool.part" <<EOF
#!/bin/sh
export M4="$cache/packages/m4/root/usr/bin/m4"
export BISON_PKGDATADIR="$cache/packages/bison/root/usr/share/bison"
export LD_LIBRARY_PATH="$libraries"
exec "$cache/packages/$tool/root/usr/bin/$tool" "\$@"
EOF
  chmod +x "$bin/$tool.part"
  mv "$bin/$tool.part" "$bin/$tool"
}
