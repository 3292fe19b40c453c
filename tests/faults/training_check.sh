#!/usr/bin/env bash
# For inject.sh: what must be true of a training in which a system call failed.
#
#   training_check.sh prepare COMMAND...  trains undisturbed, in ../whole
#   training_check.sh check COMMAND...    goes on with the run in run: it ends
#       with the bytes of the undisturbed one, and no step is logged twice

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
what=$1
shift
if [ "$what" = prepare ]; then
  [ -e ../whole ] || "$@" --run_dir=../whole
  exit
fi
"$@" --run_dir=run
for file in ../whole/train/model.ckpt-4.* ../whole/best/model.*; do
  cmp "$file" "run/${file#../whole/}"
done
for log in run/*/log.jsonl; do
  twice=$(grep -o '^{"step":[0-9]*' "$log" | sort | uniq -d)
  [ -z "$twice" ] || { echo "$log: twice: $twice"; exit 1; }
done
