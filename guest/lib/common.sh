# SPDX-License-Identifier: Apache-2.0
# Messages, progress, log, lock, room on the disk.

# What a build takes in the cache, with a tenth to spare.
SPACE_MB=1100

log=/dev/null

say() { echo "guest: $*" >&2; }

# Status 3: it was said why.
fail() {
  clear_progress
  echo "guest: error: $*" >&2
  exit 3
}

fail_usage() {
  echo "guest: error: $*" >&2
  exit 2
}

# Everything that the tools print goes to the log; how far it is, to the terminal.
start_log() {
  log=$1
  : >"$log" || fail "cannot write $log"
}

free_mb() { df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }'; }

# A folder that has room for this many MB, or one line that says what is missing.
require_space() {
  local folder=$1 needed=$2 free
  mkdir -p "$folder" 2>/dev/null || fail "cannot create $folder; set PLEX86_CACHE to another folder"
  # What is there already of an interrupted build need not fit again.
  needed=$((needed - $(du -sm "$folder" 2>/dev/null | cut -f1)))
  free=$(free_mb "$folder")
  [ "$free" -ge "$needed" ] || fail_space "$folder" "$needed" "$free"
}

fail_space() {
  fail "not enough room in $1: $2 MB are needed, $3 MB are free; make room or set PLEX86_CACHE to a folder on another disk"
}

# Runs a command into the log.  When it fails: the reason in one line.
logged() {
  printf '+ %s\n' "$*" >>"$log"
  "$@" >>"$log" 2>&1 || fail_logged "$1"
}

fail_logged() {
  local free
  free=$(free_mb "$cache")
  [ "$free" -ge 20 ] || fail_space "$cache" "$SPACE_MB" "$free"
  fail "$1 failed: $(tail_of_log); the whole log is $log"
}

# Of what the last command printed, the first line that looks like an error, or the last line.
tail_of_log() {
  awk '/^\+ / { found = ""; next }
    { last = $0 }
    !found && /error|Error|fatal|undefined reference|No such file|can.t |cannot |^E: / { found = $0 }
    END { print substr(found ? found : last, 1, 200) }' "$log"
}

# ---- progress: one line that is rewritten on a terminal, a line now and then elsewhere ----

progress_last=-100

# progress TEXT: SECONDS is bash's own.
progress() {
  if [ -t 2 ]; then
    printf '\r\033[Kguest: %s' "$*" >&2
  elif [ $((SECONDS - progress_last)) -ge 20 ]; then
    progress_last=$SECONDS
    echo "guest: $*" >&2
  fi
}

# with_progress FOLDER TEXT COMMAND...: how much the folder holds, while the command runs.
with_progress() {
  local folder=$1 text=$2 child status=0
  shift 2
  ("$@") &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    progress "$text ($(du -sm "$folder" 2>/dev/null | cut -f1) MB)"
    sleep 0.3
  done
  wait "$child" || status=$?
  return "$status"
}

clear_progress() {
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }

# ---- one build at a time ----

take_lock() {
  mkdir -p "$cache/guest" 2>/dev/null || fail "cannot create $cache/guest; set PLEX86_CACHE to another folder"
  exec 9>>"$cache/guest/lock" || fail "cannot write $cache/guest/lock"
  if ! flock -n 9; then
    say "another build is running; waiting for it"
    flock 9
  fi
}
