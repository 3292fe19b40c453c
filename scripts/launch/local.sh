#!/usr/bin/env bash
# Trains on all GPUs of this machine, one process for each, or on its CPUs.
#
#   scripts/launch/local.sh [OPTIONS] COMMAND [FLAGS]
#
#   --gpus=N       on the first N GPUs (default: all that there are)
#   --cpu=N        N processes on the CPUs instead, which share the cores; by
#                  mpirun
#   --eval=FILES   a process beside them that evaluates checkpoints on FILES;
#                  it has the next GPU, or shares the first, and ends when there
#                  was no new checkpoint for --eval_timeout_secs
#   --logs=FOLDER  one file for each process (default: logs in the --run_dir)
#   --hosts=N --host=I   this machine is the I-th, from 0, of N with as many
#                  GPUs, on each of which this is called, with one run folder
#   --stopped_code=0  exit code where all have saved because they were asked to,
#                  for those who start again what has not ended with 0
#   --dry_run      print what would be started, and start nothing
#
#   scripts/launch/local.sh --eval=data/eval_melodies.tfrecord \
#     build/bin/melody_rnn_train --config=attention_rnn --run_dir=run \
#     --sequence_example_file=data/training_melodies.tfrecord
#
# Ctrl-C and SIGTERM make the trainer save and end; the second time all end at
# once. A process that fails ends all others; its exit code is this script's.

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
folder=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh
. "$folder/common.sh"

gpus=
cpu=
eval_files=
logs=
hosts=1
host=0
while [ $# -gt 0 ]; do
  case $1 in
    --gpus=?*) gpus=${1#*=} ;;
    --cpu=?*) cpu=${1#*=} ;;
    --cpu) cpu=${2-}; shift ;;
    --eval=?*) eval_files=${1#*=} ;;
    --logs=?*) logs=${1#*=} ;;
    --hosts=?*) hosts=${1#*=} ;;
    --host=?*) host=${1#*=} ;;
    --stopped_code=?*) stopped_code=${1#*=} ;;
    --dry_run) dry_run=true ;;
    --help) usage; exit ;;
    -*) usage >&2; exit 1 ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { usage >&2; exit 1; }
logs=${logs:-$(logs_of "$@")}
check_count --hosts "$hosts" 1
check_count --host "$host" 0
check_count --stopped_code "$stopped_code" 0
[ "$host" -lt "$hosts" ] || fail "--host=$host: must be below --hosts=$hosts"

if [ -n "$cpu" ]; then
  check_count --cpu "$cpu" 1
  [ -z "$gpus" ] || fail '--gpus beside --cpu: leave one of them out'
  [ "$hosts" -eq 1 ] || fail '--hosts is for GPUs: on CPUs, use mpi.sh'
  # mpirun passes SIGUSR1 on, and answers SIGTERM by ending all within a second.
  ask=USR1 end=TERM
  export CUDA_VISIBLE_DEVICES=  # --device=auto finds none
  start mpirun --mca plm isolated --host "localhost:$cpu" -np "$cpu" \
    --bind-to none "$folder/rank.sh" "$logs" "$@"
else
  there=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU' || true)
  gpus=${gpus:-$there}
  [ "$gpus" != 0 ] || fail 'there is no GPU here: --cpu=N trains on the CPUs'
  check_count --gpus "$gpus" 1
  for ((i = 0; i < gpus; ++i)); do
    start RANK=$((host * gpus + i)) WORLD_SIZE=$((hosts * gpus)) \
      LOCAL_RANK=$i LOCAL_WORLD_SIZE="$gpus" "$folder/rank.sh" "$logs" "$@"
  done
fi

if [ -n "$eval_files" ] && [ "$host" -eq 0 ]; then
  spare=()
  [ -z "$gpus" ] || [ -n "${CUDA_VISIBLE_DEVICES-}" ] ||
    spare=("CUDA_VISIBLE_DEVICES=$((there > gpus ? gpus : 0))")
  start_evaluation "${spare[@]}" "$folder/rank.sh" --name=eval "$logs" "$@" \
    --eval --sequence_example_file="$eval_files"
fi
supervise
