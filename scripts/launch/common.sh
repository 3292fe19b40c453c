# What local.sh and mpi.sh share: they read the flags of the command that they
# are to start, and start, watch and end processes together. Sourced.

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

fail() {
  echo "$0: $*" >&2
  exit 1
}

# check_count FLAG VALUE LEAST
check_count() {
  if ! [[ $2 =~ ^(0|[1-9][0-9]{0,5})$ ]] || [ "$2" -lt "$3" ]; then
    fail "$1=$2: expected a number, $3 or more"
  fi
}

# flag NAME COMMAND...: the value of --NAME in the command, or nothing.
flag() {
  local name=$1 value=
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --"$name"=* | -"$name"=*) value=${1#*=} ;;
      --"$name" | -"$name") value=${2-} ;;
    esac
    shift
  done
  printf '%s' "$value"
}

# The folder of logs of a command: beside its run's, or here.
logs_of() {
  local run
  run=$(flag run_dir "$@")
  printf '%s' "${run:-.}/logs"
}

# mpirun in a container, where everybody is root.
[ "$(id -u)" -ne 0 ] ||
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

dry_run=false
grace=30         # seconds that the others have when one process has failed
ask=TERM end=KILL  # the signals that ask a worker to end, and that end it
workers=()       # process ids, each that of a process group
evaluation=      # of the process that evaluates; its failure ends nobody
stopping=false
timer=
code=0
stopped_code=0   # the script's exit code where all ended well, being asked to

# start [VARIABLE=VALUE...] COMMAND...: in a process group of its own, so that
# Ctrl-C comes by `stop` alone. With --dry_run prints it.
start() {
  if $dry_run; then
    local quoted
    quoted=$(printf '%q ' "$@")
    echo "${quoted% }"
  else
    set -m
    env "$@" </dev/null &
    set +m
    workers+=("$!")
  fi
}

start_evaluation() {
  start "$@"
  $dry_run || { evaluation=${workers[-1]}; unset 'workers[-1]'; }
}

# signal NAME PID...: to each, or to the groups of these if they are -PID.
signal() {
  local name=$1
  shift
  [ $# -eq 0 ] || kill -s "$name" -- "$@" 2>/dev/null || true
}

# Asks all to end; called again, ends them.
stop() {
  local groups=("${workers[@]/#/-}")
  # mpirun passes a signal on; its group would get it twice.
  [ "$ask" = TERM ] || groups=("${workers[@]}")
  if ! $stopping; then
    stopping=true
    signal "$ask" "${groups[@]}"
    signal TERM ${evaluation:+"-$evaluation"}
  else
    signal "$end" "${groups[@]}"
    signal KILL ${evaluation:+"-$evaluation"}
  fi
}

# ended PID STATUS: the first worker that fails ends the others.
ended() {
  unset "running[$1]"
  if [ "$1" = "$evaluation" ]; then
    evaluation=
    evaluated=$2
    [ "$2" -eq 0 ] || $stopping ||
      echo "$0: the evaluation has failed (exit code $2)" >&2
  elif [ "$2" -ne 0 ] && [ "$code" -eq 0 ]; then
    code=$2
    echo "$0: a process has failed (exit code $code); all end" >&2
    $stopping || stop
    set -m
    { sleep "$grace" && kill -s ALRM $$; } >/dev/null 2>&1 &
    set +m
    timer=$!
  fi
}

# Waits for all processes. The exit code is that of the first worker that
# failed; where none did, that of the evaluation.
supervise() {
  local pid status evaluated=0
  local -A running=()
  ! $dry_run || return 0
  trap stop INT TERM ALRM
  for pid in "${workers[@]}" $evaluation; do running[$pid]=1; done
  while [ ${#running[@]} -gt 0 ]; do
    pid=
    status=0
    wait -n -p pid "${!running[@]}" || status=$?
    if [ -n "${pid-}" ]; then
      ended "$pid" "$status"
      continue
    fi
    # A signal came; of a process that ended just then, nobody is told.
    for pid in "${!running[@]}"; do
      kill -s 0 "$pid" 2>/dev/null && continue
      status=0
      wait "$pid" || status=$?
      ended "$pid" "$status"
    done
  done
  signal KILL ${timer:+"-$timer"}
  [ "$code" -ne 0 ] || code=$evaluated
  [ "$code" -ne 0 ] || ! $stopping || code=$stopped_code
  return "$code"
}
