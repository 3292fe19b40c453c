#!/usr/bin/env bash
# Real trainings by local.sh and mpi.sh, on CPUs: two processes give the bits of
# one, also if they are asked to end or one is killed, and start again.
#
#   train_test.sh FOLDER     of melody_rnn_train

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016,SC2154,SC2317
. "$(dirname "$0")/testing.sh"
bin=$1
if ! command -v mpirun >/dev/null; then
  echo 'no mpirun: scripts/install_packages.sh --mpi'
  exit 77
fi
examples=$source_dir/tests/golden/tensorboard/attention_rnn/examples.tfrecord
train=("$bin/melody_rnn_train" --config=attention_rnn --seed=5 --log=WARN
  --sequence_example_file="$examples" --micro_batches=2
  --hparams="batch_size=4,rnn_layer_sizes=[8],attn_length=3")
same() {  # same RUN STEP
  for part in data-00000-of-00001 index; do
    cmp "one/train/model.ckpt-$2.$part" "$1/train/model.ckpt-$2.$part" ||
      fail "$1 has other bits"
  done
}

expect_exit 0 "${train[@]}" --run_dir=one --num_training_steps=8
expect_exit 0 "$launch/local.sh" --cpu=2 --eval="$examples" "${train[@]}" \
  --run_dir=two --num_training_steps=8 --eval_interval_secs=0 \
  --eval_timeout_secs=3
same two 8
[ -f two/logs/rank-1.log ] || fail 'no log'
[ -s two/eval/log.jsonl ] || fail 'nothing was evaluated'
echo 'localhost slots=2' >here
expect_exit 0 "$launch/mpi.sh" --hosts=here "${train[@]}" --run_dir=hosts \
  --num_training_steps=8
same hosts 8

# Endless, until `end`; then on to step N, to which one process goes, too.
reached() {  # reached RUN: a step after the first
  [ -s "$1/train/log.jsonl" ] && [ "$(wc -l <"$1/train/log.jsonl")" -ge 2 ]
}
newest() { sed -n 's/^model_checkpoint_path: .*ckpt-\([0-9]*\)"$/\1/p' \
  "$1/train/checkpoint"; }
interrupt() {  # interrupt RUN COMMAND...: exit code of the launcher
  local run=$1 job code=0
  shift
  "$launch/local.sh" --cpu=2 "${train[@]}" --run_dir="$run" \
    --summary_frequency=5 --save_checkpoint_steps=5 >out 2>err &
  job=$!
  for ((i = 0; i < 300; ++i)); do reached "$run" && break; sleep 0.1; done
  "$@" "$job"
  wait "$job" || code=$?
  echo "$code"
}
goes_on() {  # goes_on RUN
  local step=$(($(newest "$1") + 3))
  expect_exit 0 "$launch/local.sh" --cpu=2 "${train[@]}" --run_dir="$1" \
    --num_training_steps="$step"
  rm -rf one
  expect_exit 0 "${train[@]}" --run_dir=one --num_training_steps="$step"
  same "$1" "$step"
}

code=$(interrupt asked kill -s TERM)
[ "$code" -eq 0 ] || fail "$code after SIGTERM: $(cat out err)"
goes_on asked

# What rank.sh has started, which mpirun has, which local.sh has.
kill_a_rank() {
  local pid=$1 children
  for _ in mpirun rank.sh train; do
    read -ra children < <(cat "/proc/$pid"/task/*/children)
    pid=${children[0]-$1}
  done
  kill -KILL "$pid"
}
code=$(interrupt killed kill_a_rank)
[ "$code" -ne 0 ] || fail '0 after a rank was killed'
goes_on killed
exit "$failed"
