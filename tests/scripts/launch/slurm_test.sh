#!/usr/bin/env bash
# slurm.sbatch: what it asks srun for. The script under Slurm itself is in
# slurm_cluster_test.sh.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
job=$launch/slurm.sbatch
tool srun '[ "$*" = --mpi=list ] && echo "${PLUGINS-none}"'

expect_exit 0 "$job" --help
expect_text out 'sbatch [SBATCH OPTIONS] scripts/launch/slurm.sbatch'
expect_no_text out '#SBATCH'
expect_exit 1 "$job"
expect_exit 1 "$job" --evil show
expect_text err 'scripts/launch/slurm.sbatch'

# sbatch reads its options before the first command, and no further.
sed '/^set -/q' "$job" | grep -c '^#SBATCH --' >lines
[ "$(cat lines)" = "$(grep -c '^#SBATCH --' "$job")" ] || fail 'late options'

expect_exit 0 "$job" --dry_run --eval=e show --run_dir='a run' --x
expect_text out 'srun --mpi=none '
expect_text out '--output=a\ run/logs/rank-%t.log show --run_dir=a\ run --x'
expect_text out 'show --run_dir=a\ run --x --eval --sequence_example_file=e'
[ ! -e 'a run' ] || fail '--dry_run makes folders'
PLUGINS='pmix pmi2' expect_exit 0 "$job" --dry_run show
expect_text out 'srun --mpi=pmix '
expect_no_text out '--eval'

# A line of a sweep for each task.
printf -- '--seed=1\n--seed=2 --hparams=batch_size=8' >sweep
SLURM_ARRAY_TASK_ID=2 expect_exit 0 "$job" --dry_run --sweep=sweep \
  show --run_dir=runs
expect_text out 'runs/2/logs/rank-%t.log'
expect_text out \
  'show --run_dir=runs --seed=2 --hparams=batch_size=8 --run_dir=runs/2'
SLURM_ARRAY_TASK_ID=3 expect_exit 1 "$job" --dry_run --sweep=sweep \
  show --run_dir=runs
expect_text err '--sweep=sweep: has no line 3'
expect_exit 1 "$job" --dry_run --sweep=sweep show --run_dir=runs
expect_text err 'sbatch --array=1-N'
exit "$failed"
