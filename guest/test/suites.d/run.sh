#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In the guest: run.sh SUITE SECONDS [PATTERN...]
#   RESULT SUITE NAME passed|skipped|failed [STATUS]   for each test, with its output before it if it failed
#   END SUITE                                          when all have run
suite=$1 seconds=$2
shift 2

wanted() {
  [ $# -gt 1 ] || return 0
  name=$1
  shift
  for pattern; do
    # shellcheck disable=SC2254
    case $name in $pattern) return 0 ;; esac
  done
  return 1
}

# result NAME STATUS SKIPPED: the statuses that mean that it was not run
result() {
  outcome=failed
  [ "$2" != 0 ] || outcome=passed
  case " $3 " in *" $2 "*) outcome=skipped ;; esac
  [ "$outcome" = passed ] || tail -n 15 /tmp/output | sed 's/^/    /'
  echo "RESULT $suite $1 $outcome $2"
}

mkdir -p /tmp/work
cd /tmp/work || exit 1

# Those that do nothing without.
arguments_of() {
  case $1 in
    vm.userfaultfd) echo anon 20 16 ;;
    timers.leap-a-day) echo -i 2 ;;
  esac
}

kselftest() {
  for program in /suite/kselftest/*; do
    name=${program##*/}
    wanted "$name" "$@" || continue
    # shellcheck disable=SC2046
    timeout -s KILL 150 "$program" $(arguments_of "$name") >/tmp/output 2>&1 </dev/null
    result "$name" $? 4
  done
}

stress_ng() {
  [ -e /lib ] || ln -s /suite/lib /lib
  [ -e /etc/mtab ] || ln -s /proc/mounts /etc/mtab
  for name in $(/suite/stress-ng --stressors); do
    wanted "$name" "$@" || continue
    timeout -s KILL $((seconds + 40)) /suite/stress-ng "--$name" 1 --timeout "$seconds" --verify --temp-path /tmp/work \
      >/tmp/output 2>&1 </dev/null
    result "$name" $? "3 4"
    rm -rf /tmp/work/* 2>/dev/null
  done
}

case $suite in
  kselftest) kselftest "$@" ;;
  stress-ng) stress_ng "$@" ;;
esac
echo "END $suite"
