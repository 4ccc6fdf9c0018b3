# SPDX-License-Identifier: Apache-2.0
# The guest's side of the soak: sh soak.guest.sh SECONDS ROUND_SECONDS
# Rounds of mixed load until SECONDS are over. Lines on stdout, for the host:
#   round N                    a round begins
#   @ KIND CHECKS FAILURES     a worker has ended
#   FAIL ...                   a wrong result
#   tick ...                   see worker.c
#   done N                     all rounds are over
bb=$PWD/busybox
total=$1
length=$2
begin=$($bb date +%s)

# What a shell user does: pack, unpack and compare, with programs other than the workers' own.
files() {
  seed=$1
  until=$(($($bb date +%s) + $2))
  n=0
  bad=0
  dir=files.$seed
  $bb mkdir -p $dir
  while [ "$($bb date +%s)" -lt "$until" ]; do
    seed=$((seed + 1))
    ./worker data $seed 1500000 >$dir/plain
    wanted=$(./worker digest $seed 1500000)
    got=$($bb sha256sum <$dir/plain)
    n=$((n + 1))
    if [ "${got%% *}" != "$wanted" ]; then
      bad=$((bad + 1))
      echo "FAIL files sha256sum: got ${got%% *}, wanted $wanted"
    fi
    $bb gzip -c $dir/plain >$dir/packed
    got=$($bb gunzip -c $dir/packed | $bb sha256sum)
    n=$((n + 1))
    if [ "${got%% *}" != "$wanted" ]; then
      bad=$((bad + 1))
      echo "FAIL files gzip and gunzip: got ${got%% *}, wanted $wanted"
    fi
    $bb mkdir -p $dir/tree/a/b $dir/out
    for part in 00 01 02 03 04 05 06 07 08 09 10 11 12 13 14; do
      $bb dd if=$dir/plain of=$dir/tree/a/b/part.$part bs=100000 skip=$part count=1 2>/dev/null
    done
    $bb tar -C $dir -cf - tree | $bb tar -C $dir/out -xf -
    got=$($bb cat $dir/out/tree/a/b/part.* | $bb sha256sum)
    n=$((n + 1))
    if [ "${got%% *}" != "$wanted" ]; then
      bad=$((bad + 1))
      echo "FAIL files dd, tar, cat: got ${got%% *}, wanted $wanted"
    fi
    $bb rm -rf $dir/tree $dir/out
  done
  $bb rm -rf $dir
  echo "@ files $n $bad"
}

# Many short processes: a shell that forks and execs.
execs() {
  until=$(($($bb date +%s) + $2))
  n=0
  bad=0
  while [ "$($bb date +%s)" -lt "$until" ]; do
    i=0
    while [ $i -lt 50 ]; do
      i=$((i + 1))
      got=$($bb echo $i $1 | $bb cat | $bb tr 0-9 a-j | $bb tr a-j 0-9)
      n=$((n + 1))
      if [ "$got" != "$i $1" ]; then
        bad=$((bad + 1))
        echo "FAIL execs a pipeline: got '$got', wanted '$i $1'"
      fi
    done
  done
  echo "@ execs $n $bad"
}

# KIND SEED SECONDS, in the background; its status must be 0. The pressure
# worker offers itself as the victim when memory runs out, so it may be killed.
start() {
  (
    ./worker "$@"
    status=$?
    if [ $status = 137 ] && [ "$1" = pressure ]; then
      echo "@ pressure-killed 1 0"
    elif [ $status != 0 ]; then
      echo "FAIL $1 ended with status $status"
    fi
  ) &
  pids="$pids $!"
}

./worker ticks 1 "$total" &
ticker=$!
round=0
while [ $(($($bb date +%s) - begin)) -lt "$total" ]; do
  round=$((round + 1))
  seed=$((round * 1000))
  pids=
  echo "round $round"
  for kind in sha256 compress float float float mappings forks pipes; do
    seed=$((seed + 17))
    start $kind $seed "$length"
  done
  files $seed "$length" &
  pids="$pids $!"
  execs $seed "$length" &
  pids="$pids $!"
  # Memory pressure in every other round, so that the rest also runs at full speed.
  [ $((round % 2)) = 0 ] && start pressure $seed "$length"
  wait $pids
  [ $((round % 3)) = 0 ] && pids= && start oom $seed 60 && wait $pids
done
wait $ticker || echo "FAIL ticks ended with status $?"
echo "done $round"
