#!/usr/bin/env bash
# One of the processes that local.sh and mpi.sh start: on its share of the GPUs
# and CPUs of the host, with its output in a file, and on standard output with
# its name in front of each line.
#
#   scripts/launch/rank.sh [OPTIONS] LOGS COMMAND [FLAGS]
#
#   LOGS          the folder; the file is LOGS/rank-N.log, or LOGS/NAME.log
#   --name=NAME   a process that is no rank, as eval
#
# Rank N is what torchrun's or Open MPI's variables say. Where a host has
# several ranks, a rank sees one GPU, that of its local rank, and its part of the
# CPUs. Exit code: the command's.

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

name=
while [ $# -gt 0 ]; do
  case $1 in
    --name=?*) name=${1#*=} ;;
    --help) usage; exit ;;
    -*) usage >&2; exit 1 ;;
    *) break ;;
  esac
  shift
done
[ $# -ge 2 ] || { usage >&2; exit 1; }
logs=$1
shift

bind=()
if [ -n "$name" ]; then
  # What started the launcher, as a pod, says nothing of this process.
  unset RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE JOB_COMPLETION_INDEX
else
  rank=${RANK:-${OMPI_COMM_WORLD_RANK:?no launcher has set it, nor RANK}}
  local_rank=${LOCAL_RANK:-${OMPI_COMM_WORLD_LOCAL_RANK:-0}}
  local_size=${LOCAL_WORLD_SIZE:-${OMPI_COMM_WORLD_LOCAL_SIZE:-1}}
  name=rank-$rank

  # Of the GPUs that all may see, or of all there are. The local rank that the
  # command knows stays: of one visible GPU it takes that.
  if [ "$local_size" -gt 1 ]; then
    IFS=, read -ra gpus <<<"${CUDA_VISIBLE_DEVICES-}"
    if [ ${#gpus[@]} -gt "$local_rank" ]; then
      export CUDA_VISIBLE_DEVICES=${gpus[$local_rank]}
    elif [ -z "${CUDA_VISIBLE_DEVICES+set}" ]; then
      export CUDA_VISIBLE_DEVICES=$local_rank
    fi
  fi

  # The CPUs that this process may use, "0-3,8", one by one; each rank has as
  # many. Where there are fewer than ranks, all share all.
  IFS=, read -ra ranges < <(taskset -cp $$ | sed 's/.*: //')
  cpus=()
  for range in "${ranges[@]}"; do
    for ((cpu = ${range%-*}; cpu <= ${range#*-}; ++cpu)); do
      cpus+=("$cpu")
    done
  done
  share=$((${#cpus[@]} / local_size))
  if [ "$share" -gt 0 ]; then
    mine=("${cpus[@]:local_rank * share:share}")
    bind=(taskset -c "$(IFS=,; echo "${mine[*]}")")
  fi
fi

# Signals go to all processes of the group. This shell waits until the command
# has answered them, and what writes the log until there is nothing more.
trap : HUP INT TERM USR1
mkdir -p "$logs"
set +e
"${bind[@]}" "$@" </dev/null 2>&1 | (
  trap '' HUP INT TERM USR1
  tee -a "$logs/$name.log" | sed -u "s/^/[$name] /"
)
exit "${PIPESTATUS[0]}"
