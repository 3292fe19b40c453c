#!/usr/bin/env bash
# Lets system calls of a command fail, one at a time, and looks at how it ends:
# every run must go on or end with an error, never by a signal, a broken
# invariant or a hang, and leave no temporary file.
#
#   inject.sh [OPTION...] COMMAND [ARGUMENT...]
#
# COMMAND runs in a new, empty folder each time.
#   --calls=A,B    which calls (default: those below)
#   --places=N     of each call, how many of its places are tried, spread over
#                  the run (default: 8; 0 = all)
#   --seconds=N    a run that takes longer hangs (default: 60)
#   --prepare=CMD  a shell command that runs in the folder first
#   --check=CMD    a shell command that runs in the folder after each run and
#                  must succeed, as in: the files are the old or the new ones
#
# Ends with 0 if all runs behave, with 1 and a list if not, and with 77 (which
# ctest shows as skipped) where processes cannot be traced.

# SPDX-License-Identifier: Apache-2.0
set -uo pipefail

# shellcheck disable=SC2054
# call:errors, the errors that the call can give for reasons that are not the
# program's. futex only comes late: a waking that fails is one that is lost,
# which the kernel never does and the C library does not survive.
faults=(
  openat:ENOENT,EACCES,EMFILE,ENOSPC,EIO
  read:EIO,EINTR
  write:ENOSPC,EIO,EINTR
  fsync:EIO,ENOSPC
  rename:ENOSPC,EACCES
  renameat2:ENOSPC,EINVAL
  mmap:ENOMEM
  mremap:ENOMEM
  clone3:EAGAIN,ENOMEM
  clone:EAGAIN
  futex:DELAY
  close:EIO
  newfstatat:EACCES,EIO
  fstat:EIO
  mkdir:EACCES,ENOSPC
  unlink:EACCES
  getrandom:EAGAIN
)

calls='' places=8 seconds=60 prepare='' check=''
while [[ ${1:-} == --* ]]; do
  case $1 in
    --) shift; break ;;
    --calls=*) calls=,${1#*=}, ;;
    --places=*) places=${1#*=} ;;
    --seconds=*) seconds=${1#*=} ;;
    --prepare=*) prepare=${1#*=} ;;
    --check=*) check=${1#*=} ;;
    *) sed -n '2,20s/^# \{0,1\}//p' "$0" >&2; exit 1 ;;
  esac
  shift
done
if [ $# = 0 ]; then
  sed -n '2,20s/^# \{0,1\}//p' "$0" >&2
  exit 1
fi
if ! strace -o /dev/null true 2> /dev/null; then
  echo "skipped: strace is missing, or may not trace processes here"
  exit 77
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# run TRACE_OPTION...: one run in a new folder; its status.
run() {
  rm -rf "$scratch/run"
  mkdir "$scratch/run"
  (
    cd "$scratch/run" || exit 99
    if [ -n "$prepare" ]; then
      eval "$prepare" > "$scratch/prepare" 2>&1 || exit 99
    fi
    exec timeout -k 5 "$seconds" strace -f -q "$@" "${command[@]}"
  ) > "$scratch/out" 2>&1 < /dev/null
}

command=("$@")
if [[ $1 == */* ]]; then command[0]=$(realpath "$1"); fi
if ! run -o "$scratch/trace"; then
  echo "the command fails without any fault:"
  cat "$scratch/prepare" "$scratch/out" 2> /dev/null
  exit 1
fi

# What comes before the first look at the standard descriptors is the loader
# and constructors, which no program can do anything about.
start=$(grep -n -m1 'fcntl(0, F_GETFD)' "$scratch/trace" | cut -d: -f1)
start=${start:-0}

runs=0 ended=0 bad=0
complain() {
  bad=$((bad + 1))
  echo "BAD: $1 of $2: $3"
  tail -n 3 "$scratch/out" | cut -c1-300 | sed 's/^/     /'
}

# try CALL ERROR PLACE
try() {
  local what=error=$2
  if [ "$2" = DELAY ]; then what=delay_enter=100000; fi  # microseconds
  # The shell would tell of signals.
  run -o /dev/null -e trace="$1" -e inject="$1:$what:when=$3" 2> /dev/null
  local status=$?
  runs=$((runs + 1))
  local left
  left=$(find "$scratch/run" -name '.*.tmp' 2> /dev/null | head -1)
  case $status in
    0) ;;
    124 | 137) complain "call $3" "$1 with $2" "hangs" ;;
    1 | 130) ended=$((ended + 1)) ;;
    99) complain "call $3" "$1 with $2" "the preparation fails" ;;
    *) complain "call $3" "$1 with $2" "ends with status $status" ;;
  esac
  # A file whose removal fails stays.
  if [ -n "$left" ] && [ "$1" != unlink ]; then
    complain "call $3" "$1 with $2" "leaves ${left#"$scratch/run/"}"
  fi
  if [ -n "$check" ] &&
    ! (cd "$scratch/run" && eval "$check") > "$scratch/out" 2>&1; then
    complain "call $3" "$1 with $2" "the check fails"
  fi
}

for fault in "${faults[@]}"; do
  call=${fault%%:*}
  [[ -z $calls || $calls == *,$call,* ]] || continue
  # strace counts the calls of each thread by itself; those of the first one are
  # tried, and the same numbers hit the others.
  main=$(sed -n '1s/ .*//p' "$scratch/trace")
  before=$(head -n "$start" "$scratch/trace" | grep -c "^$main *$call(")
  all=$(grep -c "^$main *$call(" "$scratch/trace")
  count=$((all - before))
  [ "$count" -gt 0 ] || continue
  tried=$count
  if [ "$places" -gt 0 ] && [ "$places" -lt "$count" ]; then tried=$places; fi
  IFS=, read -ra errors <<< "${fault#*:}"
  for ((i = 0; i < tried; i++)); do
    # Spread over the run, the first and the last one among them; the errors in
    # turn, or all of them where all places are tried.
    place=$((before + 1 + (tried > 1 ? i * (count - 1) / (tried - 1) : 0)))
    if [ "$places" = 0 ]; then
      for error in "${errors[@]}"; do try "$call" "$error" "$place"; done
    else
      try "$call" "${errors[i % ${#errors[@]}]}" "$place"
    fi
  done
done

echo "$runs faults: $ended runs ended with an error, $((runs - ended - bad))" \
  "went on, $bad are bad"
[ "$runs" -gt 0 ] && [ "$bad" = 0 ]
