#!/usr/bin/env bash
# What log.jsonl says up to a checkpoint is on the disk before the checkpoint is:
# after a power cut a run goes on from there, and nobody would write those lines
# again.
#
#   sync_order_test.sh TRAIN_COMMAND EXAMPLES
#
# Ends with 77 (which ctest shows as skipped) where processes cannot be traced.

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
command=$1 examples=$2
if ! strace -o /dev/null true 2> /dev/null; then
  echo "skipped: strace is missing, or may not trace processes here"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
strace -f -y -qq -s 300 -e trace=write,fsync,rename,renameat2 \
  -o "$scratch/trace" "$command" --config=attention_rnn --seed=5 --threads=2 \
  --hparams=batch_size=4,rnn_layer_sizes=[8],attn_length=3 \
  --run_dir="$scratch/run" --sequence_example_file="$examples" \
  --num_training_steps=5 --summary_frequency=1 --save_checkpoint_steps=2 \
  --eval_every_steps=2 --eval_sequence_example_file="$examples" --log=ERROR
awk '
  match($0, /<[^>]*log\.jsonl>/) {
    file = substr($0, RSTART, RLENGTH)
    if ($0 ~ / write\(/) { dirty[file] = 1; ++lines }
    if ($0 ~ / fsync\(/) delete dirty[file]
  }
  / rename(at2)?\(.*model\.ckpt-[0-9]+\.index"[,)]/ && !/\/best\// {
    ++saves
    for (file in dirty) { print "not synced before: " $0 " " file; bad = 1 }
  }
  END {
    if (lines < 7 || saves < 4) { print lines " lines, " saves " saves"; bad = 1 }
    exit bad
  }' "$scratch/trace"
