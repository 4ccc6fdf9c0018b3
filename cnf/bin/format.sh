# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of the plex86 script: the formatters. Java's comes with Maven; C's is a Debian package of a fixed version, as
# another version formats otherwise. Where it is not installed it is unpacked into the cache, which takes no root.

readonly clang_format_version=14

# clang_format_packages : the formatter and the libraries that a small system may lack
clang_format_packages() {
  echo clang-format-14 libclang-cpp14 libllvm14 libedit2 libbsd0 libmd0 libxml2 libicu72 libz3-4
}

# Sets $clang_format to the command; false where it cannot be had.
find_clang_format() {
  local folder=$cache/tools/clang-format-$clang_format_version part
  clang_format=(clang-format-$clang_format_version)
  [[ -z $(type -P "${clang_format[0]}") ]] || return 0
  clang_format=(env "LD_LIBRARY_PATH=$folder/usr/lib/x86_64-linux-gnu:$folder/usr/lib/llvm-14/lib"
    "$folder/usr/bin/clang-format-$clang_format_version")
  [[ ! -d $folder ]] || return 0
  say "fetching clang-format $clang_format_version"
  part=$folder.part
  rm -rf "$part"
  mkdir -p "$part/state/lists/partial" "$part/cache/archives/partial" "$part/debs"
  : >"$part/state/status"
  (
    cd "$part/debs"
    # Lists and caches of its own: the system's are not touched, and need not be there. Of one architecture: apt drops a
    # whole source when the index of one of its architectures does not answer.
    architecture=$(dpkg --print-architecture)
    apt=(apt-get -qq -o "Dir::State=$part/state" -o "Dir::State::status=$part/state/status" -o "Dir::Cache=$part/cache"
      -o "APT::Architecture=$architecture" -o "APT::Architectures::=$architecture" -o Acquire::Languages=none
      -o Acquire::Retries=3 -o APT::Sandbox::User=root -o "Debug::NoLocking=1")
    "${apt[@]}" update || true # an index that does not answer is no failure yet
    "${apt[@]}" download $(clang_format_packages) && for deb in *.deb; do dpkg -x "$deb" "$part"; done
  ) >"$cache/clang-format.log" 2>&1 || {
    rm -rf "$part"
    return 1
  }
  rm -rf "$part/state" "$part/cache" "$part/debs"
  mv "$part" "$folder"
}

c_sources() {
  # guest_abi.h is left as it is: the formatter takes the parameter of its macro for a cast
  find "$root/org.plex86.monitor/src/main/native" "$root/org.plex86.itest/src/test/native" \
    "$root/org.plex86.launcher.itest/src/test/native" "$root/guest" "$root/bench" \
    \( -name target -o -name patches \) -prune -o -name '*.[ch]' ! -name guest_abi.h -print 2>/dev/null
}

# format_c [--check]
format_c() {
  local files flags=(-i)
  [[ ${1:-} != --check ]] || flags=(--dry-run -Werror)
  mapfile -t files < <(c_sources)
  [[ ${#files[@]} -gt 0 ]] || return 0
  if ! find_clang_format; then
    say "clang-format-$clang_format_version cannot be had (see $cache/clang-format.log); run: sudo apt-get install clang-format-$clang_format_version"
    return 1
  fi
  if ! "${clang_format[@]}" --style=file "${flags[@]}" "${files[@]}"; then
    say "the C sources are not formatted; run: ./plex86 format"
    return 1
  fi
}

format() {
  local status=0 goal=apply
  case ${1:-} in
    '') ;;
    --check) goal=check ;;
    *) usage_error "format takes no '$1'; known is --check" ;;
  esac
  make_cache
  need_build_tools
  JAVA_HOME=$jdk mvn -q -B -ntp -f "$root/pom.xml" "spotless:$goal" </dev/null || status=1
  format_c "$@" || status=1
  return "$status"
}
