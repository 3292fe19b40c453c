#!/usr/bin/env bash
# Trains on several hosts, whose processes mpirun starts and connects, on GPUs
# or on CPUs. Needs Open MPI, and this folder, the command, the data and the run
# folder under the same paths on all hosts.
#
#   scripts/launch/mpi.sh --hosts=FILE [OPTIONS] COMMAND [FLAGS]
#
#   --hosts=FILE   a host on each line, "name slots=8": a process for each slot,
#                  on the GPU of its number, and on its part of the CPUs
#   --eval=FILES   a process on this machine that evaluates the checkpoints on
#                  FILES; it ends when there was no new one for
#                  --eval_timeout_secs
#   --logs=FOLDER  one file for each process (default: logs in the --run_dir)
#   --dry_run      print what would be started, and start nothing
#
#   scripts/launch/mpi.sh --hosts=hosts --eval=data/eval_melodies.tfrecord \
#     build/bin/melody_rnn_train --config=attention_rnn --run_dir=/shared/run \
#     --sequence_example_file=data/training_melodies.tfrecord
#
# Ctrl-C and SIGTERM make the trainer save and end; the second time all end at
# once. A process that fails ends all others; its exit code is this script's.
# mpirun's own settings (networks, the way to other hosts) come from the
# environment, as OMPI_MCA_btl_tcp_if_include=10.0.0.0/8.

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
folder=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=common.sh
. "$folder/common.sh"

hosts=
eval_files=
logs=
while [ $# -gt 0 ]; do
  case $1 in
    --hosts=?*) hosts=${1#*=} ;;
    --eval=?*) eval_files=${1#*=} ;;
    --logs=?*) logs=${1#*=} ;;
    --dry_run) dry_run=true ;;
    --help) usage; exit ;;
    -*) usage >&2; exit 1 ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { usage >&2; exit 1; }
[ -n "$hosts" ] || fail '--hosts is missing: give a file of hosts and slots'
[ -r "$hosts" ] || fail "--hosts=$hosts: cannot be read"
grep -qE '^[^#[:space:]]' "$hosts" || fail "--hosts=$hosts: names no host"
logs=${logs:-$(logs_of "$@")}

# mpirun passes SIGUSR1 on, and answers SIGTERM by ending all within a second.
# shellcheck disable=SC2034  # common.sh reads them
ask=USR1 end=TERM
# Whether a silent host is still there mpirun asks after five minutes; so, within
# a quarter of one. It must know before the ranks end: with a message to that
# host under way it does not ask, and hangs.
alive=(--mca oob_tcp_keepalive_time 10 --mca oob_tcp_keepalive_intvl 2
  --mca oob_tcp_keepalive_probes 3)
start mpirun --hostfile "$hosts" --map-by slot --bind-to none "${alive[@]}" \
  --wdir "$PWD" \
  "$folder/rank.sh" "$logs" "$@"
[ -z "$eval_files" ] ||
  start_evaluation "$folder/rank.sh" --name=eval "$logs" "$@" \
    --eval --sequence_example_file="$eval_files"
supervise
