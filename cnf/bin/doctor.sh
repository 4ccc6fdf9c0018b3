# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of the plex86 script: what of this host helps or hinders. Works before anything is built.

doctor_failed=0

# report ok|warn|fail TEXT
report() {
  printf '%-4s  %s\n' "$1" "$2"
  [[ $1 != fail ]] || doctor_failed=1
}

# first_of FILE: its first word, or nothing
first_of() {
  local word=
  [[ -r $1 ]] && read -r word _ <"$1"
  printf '%s' "$word"
}

has_flag() { [[ " $cpu_flags " == *" $1 "* ]]; }

check_kernel() {
  local release major minor
  release=$(uname -r)
  if [[ $(uname -sm) != 'Linux x86_64' ]]; then
    report fail "system $(uname -sm): needs Linux x86_64; use another host"
    return
  fi
  major=${release%%.*}
  minor=${release#*.}
  minor=${minor%%[!0-9]*}
  if ((major * 1000 + minor >= 5010)); then
    report ok "Linux $release on x86-64"
  elif ((major * 1000 + minor >= 4017)); then
    report warn "Linux $release: older than 5.10, not tested; use a newer kernel if something fails"
  else
    report fail "Linux $release: needs 4.17 or later; use a newer kernel"
  fi
}

# Runs 84 bytes of i386 ELF that exit with 42: what the kernel answers tells whether int 0x80 and 32-bit programs work.
check_ia32() {
  local probe status=0
  probe=$(mktemp "$cache/ia32.XXXXXX")
  printf '\x7fELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0\1\0\0\0\x54\x80\x04\x08\x34\0\0\0\0\0\0\0\0\0\0\0\x34\0\x20\0\1\0\0\0\0\0\0\0' >"$probe"
  printf '\1\0\0\0\0\0\0\0\0\x80\x04\x08\0\x80\x04\x08\x60\0\0\0\x60\0\0\0\5\0\0\0\0\x10\0\0' >>"$probe"
  printf '\x31\xc0\x40\xb3\x2a\xcd\x80\x90\x90\x90\x90\x90' >>"$probe"
  chmod +x "$probe"
  "$probe" >/dev/null 2>&1 || status=$?
  rm -f "$probe"
  if [[ $status -eq 42 ]]; then
    report ok "IA32 emulation: 32-bit programs run"
  else
    report warn "IA32 emulation is off: guests use a slower way that is hardly tested; boot the host with ia32_emulation=on"
  fi
}

check_limits() {
  local value
  value=$(first_of /proc/sys/vm/mmap_min_addr)
  if [[ -z $value ]]; then
    report warn "vm.mmap_min_addr cannot be read"
  elif ((value > 65536)); then
    report fail "vm.mmap_min_addr is $value: the guest maps from 65536 on; run: sudo sysctl vm.mmap_min_addr=65536"
  else
    report ok "vm.mmap_min_addr is $value"
  fi
  value=$(first_of /proc/sys/vm/max_map_count)
  if ((${value:-0} >= 65530)); then
    report ok "vm.max_map_count is $value"
  else
    report warn "vm.max_map_count is ${value:-unknown}: large guests get slow; run: sudo sysctl vm.max_map_count=65530"
  fi
  value=$(first_of /proc/sys/vm/memfd_noexec)
  if [[ ${value:-0} -ge 2 ]]; then
    report fail "vm.memfd_noexec is $value: guest memory cannot be made; run: sudo sysctl vm.memfd_noexec=0"
  else
    report ok "memfd_create is allowed"
  fi
}

check_seccomp() {
  local actions=
  [[ -r /proc/sys/kernel/seccomp/actions_avail ]] && read -r actions </proc/sys/kernel/seccomp/actions_avail
  if [[ " $actions " == *' trap '* && " $actions " == *' errno '* ]]; then
    report ok "seccomp filters are there"
  else
    report fail "the kernel has no seccomp filters, which confine the guest; use a kernel with CONFIG_SECCOMP_FILTER"
  fi
  local key value mode=0
  while read -r key value; do
    [[ $key == Seccomp: ]] && mode=$value
  done </proc/self/status
  if [[ $mode == 0 ]]; then
    report ok "no seccomp filter around this shell"
  else
    report warn "a seccomp filter is around this shell, as in a container: it must let through fork, memfd_create, seccomp, prctl and timer_create"
  fi
}

check_cpu() {
  local flag missing=() line
  cpu_flags=
  while IFS= read -r line; do
    case $line in flags*) cpu_flags=${line#*: } && break ;; esac
  done </proc/cpuinfo
  for flag in fpu tsc cx8 cmov fxsr sse2; do has_flag "$flag" || missing+=("$flag"); done
  if [[ ${#missing[@]} -eq 0 ]]; then
    report ok "processor: all that is indispensable"
  else
    report fail "processor lacks ${missing[*]}; use another host"
  fi
  for flag in xsave fsgsbase; do
    if has_flag "$flag"; then report ok "processor has $flag"; else report warn "processor lacks $flag: a slower way is taken"; fi
  done
  for flag in avx avx512f; do
    if has_flag "$flag"; then report ok "processor has $flag: guests have it too"; else report ok "processor lacks $flag: guests do without it"; fi
  done
  if has_flag la57; then report ok "page tables have 5 levels or 4"; else report ok "page tables have 4 levels"; fi
  if has_flag constant_tsc && has_flag nonstop_tsc; then
    report ok "time stamp counter is constant"
  else
    report warn "time stamp counter is not said to be constant: guest time may drift; on a virtual host, expose invtsc"
  fi
}

check_resources() {
  local key value available=0 cores free
  while read -r key value _; do
    [[ $key == MemAvailable: ]] && available=$((value / 1024))
  done </proc/meminfo
  if ((available >= 512)); then
    report ok "$available MiB of memory available"
  else
    report warn "$available MiB of memory available: little for a guest of 256M; free some, or give --memory 64M"
  fi
  cores=$(nproc)
  if ((cores >= 2)); then
    report ok "$cores processors"
  else
    report warn "1 processor: the guest and its devices take turns; give the host a second one"
  fi
  free=$(df -Pm "$cache" | awk 'NR == 2 { print $4 }')
  if ((free >= 4096)); then
    report ok "$free MiB free for the cache $cache"
  elif [[ -f $jar ]] && ((free >= 256)); then
    report ok "$free MiB free for the cache $cache"
  else
    report warn "$free MiB free for the cache $cache: a first build takes about 4096; free some, or set PLEX86_CACHE"
  fi
}

check_tools() {
  local tool
  if find_jdk; then
    report ok "JDK $jdk_full in $jdk"
  else
    report fail "no JDK of version 17 or later; run: sudo apt-get install openjdk-17-jdk-headless"
  fi
  # flex, bison and bc, where they are missing, guest/build unpacks into the cache
  for tool in mvn:maven gcc:gcc make:make; do
    if [[ -n $(type -P "${tool%:*}") ]]; then
      report ok "${tool%:*} is there"
    else
      report warn "${tool%:*} is not there, a build needs it; run: sudo apt-get install ${tool#*:}"
    fi
  done
  if has_c_library; then
    report ok "the C library's headers are there"
  else
    report warn "the C library's headers are not there, a build needs them; run: sudo apt-get install libc6-dev"
  fi
}

doctor() {
  make_cache
  check_kernel
  check_ia32
  check_limits
  check_seccomp
  check_cpu
  check_resources
  check_tools
  if [[ $doctor_failed -ne 0 ]]; then
    say "something is in the way of a virtual machine; see the lines that begin with 'fail'"
    exit 3
  fi
}
