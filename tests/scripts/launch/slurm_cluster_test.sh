#!/usr/bin/env bash
# slurm.sbatch under a real Slurm with two nodes: ranks, logs, evaluation, and
# jobs that give way to another or come to the end of their time and go on; and a
# training.
#
#   slurm_cluster_test.sh [FOLDER]     of melody_rnn_train, built with MPI

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016,SC2317
. "$(dirname "$0")/testing.sh"
bin=${1-}
# shellcheck source=slurm_cluster.sh
. "$source_dir/tests/scripts/launch/slurm_cluster.sh"

# train --run_dir=FOLDER [--steps=N]: counts to N in FOLDER/count, a step each
# 0.1 s, and goes on from there; asked to end it saves and ends well.
tool train '
trap "stop=1" USR1 TERM
steps=20 stop=
for argument in "$@"; do
  case $argument in
    --run_dir=*) run=${argument#*=} ;;
    --steps=*) steps=${argument#*=} ;;
    --eval) rank=eval ;;
  esac
done
# What a batch script starts has a rank, too, and is none.
[ -n "${rank-}" ] || rank=$SLURM_PROCID
count=$(cat "$run/count" 2>/dev/null || echo 0)
echo "rank $rank of $SLURM_NTASKS on $SLURMD_NODENAME from $count"
[ "$rank" != eval ] || while [ -z "$stop" ]; do sleep 0.1; done
while [ "$count" -lt "$steps" ] && [ -z "$stop" ]; do
  sleep 0.1
  count=$((count + 1))
done
[ "$rank" != 0 ] || echo "$count" >"$run/count"
echo "rank $rank ends at $count"
[ "$steps" -ne 13 ] || [ "$rank" != 1 ] || exit 3'

# submit OPTIONS...: of sbatch and of the script.
submit() {
  sbatch --parsable --output="$dir/%j.log" --nodes=2 --ntasks-per-node=1 \
    --gpus-per-task=0 --exclusive "$@"
}
started() { grep -q "rank 0 of 2 on n0 from $2" "$1/logs/rank-0.log"; }
expect_done() {  # expect_done JOB STATE
  until_true "${3:-30}" is "$1" "$2" || {
    fail "job $1 is $(state "$1") instead of $2: $(cat "$1.log")"
    tail -n 20 "$cluster"/log/* >&2
    exit 1  # what follows would wait for it
  }
}

# Two ranks on two nodes, and an evaluation that ends with them.
job=$(submit "$launch/slurm.sbatch" --eval=e train --run_dir="$dir/a run")
expect_done "$job" COMPLETED
expect_text 'a run/logs/rank-0.log' 'rank 0 of 2 on n0 from 0'
expect_text 'a run/logs/rank-1.log' 'rank 1 of 2 on n1 from 0'
expect_text 'a run/logs/eval.log' 'rank eval'
expect_text 'a run/logs/eval.log' 'rank eval ends'
expect_text 'a run/count' 20

# A rank that fails is the job's failure.
job=$(submit "$launch/slurm.sbatch" train --run_dir="$dir/bad" --steps=13)
expect_done "$job" FAILED
scontrol show job "$job" >shown
expect_text shown 'ExitCode=3:0'

# goes_on JOB RUN: what was asked to end was saved, is queued again, and ends.
goes_on() {
  expect_done "$1" PENDING
  expect_text "$1.log" 'asked to end; queued again'
  local count
  count=$(cat "$2/count")
  case $count in [1-9] | [1-5]?) ;; *) fail "$2: $count steps" ;; esac
  # Otherwise in two minutes; nodes refuse what they ended in the same second.
  scontrol update "jobid=$1" starttime=now+3seconds
  expect_done "$1" COMPLETED
  expect_text "$2/logs/rank-0.log" "rank 0 of 2 on n0 from $count"
  expect_text "$2/count" 60
}

# A job of the other partition takes the place of one.
job=$(submit "$launch/slurm.sbatch" train --run_dir="$dir/low" --steps=60)
until_true 60 started low 0 || { fail 'low does not start'; exit 1; }
other=$(sbatch --parsable --output="$dir/%j.log" --partition=high --nodes=2 \
  --exclusive --wrap='echo took the place')
expect_done "$other" COMPLETED
goes_on "$job" low

# Its time comes to an end.
job=$(submit "$launch/slurm.sbatch" train --run_dir="$dir/late" --steps=60)
until_true 60 started late 0 || { fail 'late does not start'; exit 1; }
scancel --batch --signal=USR1 "$job"  # as --signal=B:USR1@120 does
goes_on "$job" late

# An array, a line each.
printf -- '--steps=2\n--steps=4\n' >sweep
submit --array=1-2 "$launch/slurm.sbatch" --sweep="$dir/sweep" \
  train --run_dir="$dir/runs" >/dev/null
until_true 60 nobody_waits || fail "array: $(squeue)"
expect_text runs/1/count 2
expect_text runs/2/count 4

# Two ranks that srun connects give the bits of one process.
if [ -n "$bin" ]; then
  examples=$source_dir/tests/golden/tensorboard/attention_rnn/examples.tfrecord
  train=("$bin/melody_rnn_train" --config=attention_rnn --seed=5 --log=WARN
    --sequence_example_file="$examples" --num_training_steps=8
    --micro_batches=2
    --hparams="batch_size=4,rnn_layer_sizes=[8],attn_length=3")
  expect_exit 0 "${train[@]}" --run_dir=one
  job=$(submit "$launch/slurm.sbatch" "${train[@]}" --run_dir="$dir/two")
  expect_done "$job" COMPLETED
  cmp one/train/model.ckpt-8.data-00000-of-00001 \
    two/train/model.ckpt-8.data-00000-of-00001 ||
    fail "other bits under Slurm: $(cat "$job.log" two/logs/*)"
fi
exit "$failed"
