#!/usr/bin/env bash
# local.sh: who the processes are, their logs, and how all of them end.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
local=$launch/local.sh
tool nvidia-smi 'printf "GPU %d: one (UUID: 1)\n" 0 1 2'
cpus=$(nproc)
half=$((cpus > 1 ? cpus / 2 : 1))

# All GPUs, and a process that evaluates and shares the first.
expect_exit 0 "$local" --dry_run --eval='e*' show --run_dir='a run'
[ "$(wc -l <out)" -eq 4 ] || fail "$(cat out)"
expect_text out "RANK=2 WORLD_SIZE=3 LOCAL_RANK=2 LOCAL_WORLD_SIZE=3 "
expect_text out "/rank.sh a\\ run/logs show --run_dir=a\\ run"
expect_text out "CUDA_VISIBLE_DEVICES=0 "
expect_text out "--run_dir=a\\ run --eval --sequence_example_file=e\\*"
[ ! -e 'a run' ] || fail '--dry_run makes folders'

# The next GPU is spare; the second host of two evaluates nothing.
expect_exit 0 "$local" --dry_run --gpus=2 --eval=e show
expect_text out 'CUDA_VISIBLE_DEVICES=2 '
expect_exit 0 "$local" --dry_run --gpus=2 --hosts=2 --host=1 --eval=e show
expect_text out 'RANK=3 WORLD_SIZE=4 LOCAL_RANK=1 '
expect_no_text out ' --eval '
expect_exit 0 "$local" --dry_run --cpu 2 show
expect_text out 'mpirun '
expect_text out ' -np 2 '

# Wrong flags start nothing.
expect_exit 1 "$local" --gpus=2
expect_exit 1 "$local" --gpu=2 show
expect_text err 'scripts/launch/local.sh'
expect_exit 1 "$local" --gpus=0x show
expect_text err '--gpus=0x: expected a number'
expect_exit 1 "$local" --hosts=2 --host=2 show
expect_exit 1 "$local" --gpus=2 --cpu=2 show
tool nvidia-smi 'exit 9'
expect_exit 1 "$local" show
expect_text err '--cpu=N'

# Each its own GPU and CPUs, in one log and in a file of its own, added to.
echo before >>run.log
mkdir logs
cp run.log logs/rank-1.log
WORLD_SIZE=9 expect_exit 0 "$local" --gpus=2 --eval=e show --x
expect_text out "[rank-0] rank 0 of 2 gpu 0 on $half CPUs: --x"
expect_text out "[rank-1] rank 1 of 2 gpu 1 on $half CPUs: --x"
expect_text out '[eval] rank none of none gpu 0'
expect_text logs/rank-1.log before
expect_text logs/rank-1.log 'rank 1 of 2'
expect_no_text logs/rank-0.log 'rank 1'
expect_text logs/eval.log '--x --eval --sequence_example_file=e'
CUDA_VISIBLE_DEVICES=5,7 expect_exit 0 "$local" --gpus=2 show
expect_text out 'rank 1 of 2 gpu 7'

# end SIGNAL...: the exit code of the launcher that gets them.
end() {
  local job code=0 name
  rm -f started
  env --default-signal=INT "$local" "${how[@]}" --eval=e work >out 2>err &
  job=$!
  await 3
  for name in "$@"; do
    kill -s "$name" "$job"
    sleep 0.1
  done
  wait "$job" || code=$?
  echo "$code"
}

forms=(--gpus=2)
if command -v mpirun >/dev/null; then
  forms+=(--cpu=2)
  expect_exit 0 "$local" --cpu=2 show
  expect_text out "[rank-1] rank 1 of 2 gpu  on $half CPUs"
else
  echo 'without mpirun: --cpu is left out'
fi
for form in "${forms[@]}"; do
  how=("$form")
  # A process that dies ends the others; its code is ours.
  rm -f started
  expect_exit 7 "$local" "$form" --eval=e work --dies=1
  expect_text err 'a process has failed (exit code 7)'
  # Asked once, all save.
  for name in INT TERM; do
    code=$(end "$name")
    [ "$code" -eq 0 ] || fail "$form: $code after SIG$name: $(cat out err)"
    for who in rank-0 rank-1 eval; do expect_text out "[$who] saved"; done
  done
  how+=(--stopped_code=75)
  code=$(end TERM)
  [ "$code" -eq 75 ] || fail "$form: $code instead of --stopped_code"
  # Asked twice, all end.
  code=$(SAVE=20 end INT INT)
  [ "$code" -ne 0 ] || fail "$form: 0 after two signals"
  expect_no_text out '[rank-0] saved'
done

# An evaluation that fails ends nobody, and is seen at the end.
tool show 'case $* in *--eval*) exit 3 ;; esac; sleep 0.3; echo trained'
expect_exit 3 "$local" --gpus=2 --eval=e show
expect_text out '[rank-1] trained'
expect_text err 'the evaluation has failed (exit code 3)'
exit "$failed"
