# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of the plex86 script: finds the JDK, installs what is missing, builds what is stale. Uses $root and $cache.

readonly launcher=$root/org.plex86.launcher/target
readonly jar=$launcher/plex86.jar
# touched before a build that then succeeded: what is newer has not been built
readonly stamp=$launcher/plex86.stamp

say() { printf 'plex86: %s\n' "$1" >&2; }

# die STATUS TEXT
die() {
  say "$2"
  exit "$1"
}

# jdk_version HOME: the feature version, such as 17, from the file that every JDK has; empty where there is none
jdk_version() {
  local line
  jdk_feature=
  jdk_full=
  [[ -r $1/release && -x $1/bin/java ]] || return 0
  while IFS= read -r line; do
    case $line in
      JAVA_VERSION=*)
        jdk_feature=${line#*=\"}
        jdk_feature=${jdk_feature#1.}
        jdk_feature=${jdk_feature%%[!0-9]*}
        ;;
      JAVA_RUNTIME_VERSION=*)
        jdk_full=${line#*=\"}
        jdk_full=${jdk_full%\"*}
        ;;
    esac
  done <"$1/release"
}

# Sets $jdk to the home of a JDK of version 17 or later, and $jdk_full to its full version; false where there is none.
find_jdk() {
  local candidate java
  java=$(type -P java || true)
  [[ -n $java ]] && java=$(readlink -f -- "$java")
  for candidate in "${JAVA_HOME:-}" "${java%/bin/java}" /usr/lib/jvm/*; do
    [[ -n $candidate ]] || continue
    jdk_version "$candidate"
    if [[ -n $jdk_feature && $jdk_feature -ge 17 && -x $candidate/bin/javac ]]; then
      jdk=$candidate
      return 0
    fi
  done
  return 1
}

# need_packages PACKAGE... : installs Debian packages when that can be done without asking, else says how
need_packages() {
  local command="apt-get install $*"
  [[ $# -gt 0 ]] || return 0
  if [[ $(id -u) -eq 0 && -n $(type -P apt-get) ]]; then
    say "installing $*"
    # an index that does not answer is no failure yet: what counts is whether the packages are found
    if ! { apt-get -qq update || true
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"; } \
      >"$cache/install.log" 2>&1 </dev/null; then
      die 3 "cannot install $* (see $cache/install.log); run: $command"
    fi
  elif [[ -n $(type -P apt-get) ]]; then
    die 3 "missing on this host: $*; run: sudo $command"
  else
    die 3 "missing on this host: a JDK of version 17 or later, Maven, gcc, make or the C library for development (Debian calls them: $*); install them"
  fi
}

# gcc alone brings no headers of the C library, which the kernel's own tools need
has_c_library() {
  gcc -E -x c -o /dev/null - <<<'#include <sys/types.h>' 2>/dev/null
}

# What a build cannot do without.
need_build_tools() {
  local missing=()
  find_jdk || missing+=(openjdk-17-jdk-headless)
  [[ -n $(type -P mvn) ]] || missing+=(maven)
  [[ -n $(type -P gcc) ]] || missing+=(gcc)
  has_c_library || missing+=(libc6-dev)
  [[ -n $(type -P make) ]] || missing+=(make)
  if [[ ${#missing[@]} -gt 0 ]]; then
    need_packages "${missing[@]}"
    find_jdk || die 3 "no JDK of version 17 or later was found after the installation; set JAVA_HOME to one"
  fi
}

make_cache() {
  mkdir -p -- "$cache" 2>/dev/null || die 3 "cannot create the cache $cache; set PLEX86_CACHE to a folder that can be written"
  [[ -w $cache ]] || die 3 "this user may not write to the cache $cache; set PLEX86_CACHE to a folder that can be written"
}

# What a build makes goes beside the sources.
need_tree() {
  mkdir -p -- "$launcher" 2>/dev/null && [[ -w $launcher && -w $root ]] ||
    die 3 "something is to be built, but this user may not write in $root; build as the one who may, or in a copy of your own"
}

# is_stale: is there a source that is newer than what was built
is_stale() {
  [[ -f $jar && -f $stamp ]] || return 0
  local newer
  # what is in the modules' folders, not these themselves: the build makes their target, which is a change of theirs
  newer=$(find "$root/pom.xml" "$root/bnd.bnd" "$root/cnf" "$root/.mvn" "$root/guest" "$root"/org.plex86.*/* \
    -name target -prune -o -path '*/src/test' -prune -o -path '*.itest' -prune -o -newer "$stamp" ! -path "$root/cnf/bin/*" \
    -print -quit 2>/dev/null)
  [[ -n $newer ]]
}

# guest_image: makes the guest's kernel and initial RAM disk where that was not done; quick when it was
guest_image() {
  [[ -x $root/guest/build ]] || die 3 "guest/build is missing; check the working tree out again"
  local status=0
  "$root/guest/build" || status=$?
  case $status in
    0) ;;
    # which it has said why
    3) exit 3 ;;
    *)
      if [[ $(df -Pm -- "$cache" | awk 'NR == 2 { print $4 }') -lt 20 ]]; then
        die 3 "the disk of $cache is full; free some space and run the same command again"
      fi
      die 3 "the guest image was not built (guest/build ended with status $status); run the same command again"
      ;;
  esac
}

# maven LOG ARG... : runs Maven with its output in a log, and shows which module it is at
maven() {
  local log=$1 line status=0
  shift
  mkdir -p -- "${log%/*}"
  {
    JAVA_HOME=$jdk mvn -B -ntp -Dstyle.color=never -f "$root/pom.xml" "$@" 2>&1 </dev/null || status=$?
    # on a line of its own, whatever Maven ended with
    printf '\nplex86-status %s\n' "$status"
  } | tee "$log" | while IFS= read -r line; do
    case $line in
      *'] Building '*' ['*']')
        line=${line#*Building }
        say "building ${line% [0-9]*.[0-9]* *} [${line##*'['}"
        ;;
      'plex86-status '*) exit "${line#* }" ;;
    esac
  done || status=$?
  return "$status"
}

# first_error LOG : the line of Maven's output that says most
first_error() {
  grep -m 1 -E '^\[ERROR\] .*(\.java|\.[chS]):|^\[ERROR\] Failed to execute' "$1" | cut -c 9-300 || true
}

build() {
  local log=$root/target/build.log
  need_tree
  need_build_tools
  exec 9>"$cache/build.lock"
  flock -n 9 || {
    say "waiting for another build to end"
    flock 9
  }
  if is_stale; then
    touch "$stamp.new"
    guest_image
    if ! maven "$log" package -DskipTests -pl org.plex86.launcher -am; then
      if grep -q 'No space left on device' "$log"; then
        die 3 "the disk is full; free some space and run the same command again"
      fi
      die 3 "the build failed: $(first_error "$log") (all of it is in $log)"
    fi
    rm -f "$launcher"/plex86-*.jsa
    mv "$stamp.new" "$stamp"
  fi
  exec 9>&-
}

# Flags for a short start: one quick compiler, the plain collector, no files for other JVMs, nothing on standard output.
java_flags() {
  flags=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xms32m -Xmn16m -XX:-UsePerfData -Xshare:auto -Xlog:disable -Xlog:all=error:stderr
    -Djna.nosys=false -Djna.nounpack=true)
  # Felix uses it; from 24 on the JVM says so on stderr unless told that we know (JEP 498)
  if [[ $jdk_feature -ge 23 ]]; then flags+=(--sun-misc-unsafe-memory-access=allow); fi
  # for the JVM's view of arguments: outside of UTF-8 it loses all but ASCII
  case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *UTF-8 | *utf8 | *UTF8 | *utf-8) ;;
    *) export LC_ALL=C.UTF-8 ;;
  esac
}

# An archive of loaded classes halves the start. It fits one jar and one JVM only, and is made by a run of the real thing.
# Where that run fails the archive is left out: the user's own run will say why.
class_archive() {
  local name=plex86-${jdk_full//[^A-Za-z0-9.+-]/_}.jsa
  archive=$launcher/$name
  [[ $archive -nt $jar ]] && return 0
  if [[ ! -w $launcher ]]; then
    # somebody else's tree
    archive=$cache/run/${root//\//_}-$name
    [[ $archive -nt $jar ]] && return 0
    mkdir -p -- "${archive%/*}"
  fi
  local part=$archive.$$ flags
  java_flags
  "$jdk/bin/java" "${flags[@]}" -XX:ArchiveClassesAtExit="$part" -jar "$jar" run --name class-archive --timeout 30 \
    --exec true </dev/null >/dev/null 2>&1 || true
  # an empty file, where there is none, keeps the next start from trying again
  [[ -f $part ]] || : >"$part"
  mv -- "$part" "$archive"
}

# Builds what is missing or stale; sets what run_java needs.
ensure_built() {
  make_cache
  # set inside of a build, whose tests run what it has just made
  if [[ -z ${PLEX86_BUILT:-} ]] && is_stale; then build; fi
  find_jdk || need_build_tools
  [[ -f $jar ]] || die 3 "the product was not built; run: ./plex86 build"
  class_archive
}

# run_java ARG... : becomes the JVM
run_java() {
  local flags
  java_flags
  [[ -s $archive ]] && flags+=(-XX:SharedArchiveFile="$archive")
  exec "$jdk/bin/java" "${flags[@]}" -jar "$jar" "$@"
}
