# SPDX-License-Identifier: Apache-2.0

# What tests of scripts/launch share; sourced. Adds to ../testing.sh commands to
# be started: `show`, which says who it is, and `work`, a trainer.
# shellcheck source=../testing.sh shell=bash disable=SC2016
. "$(dirname "${BASH_SOURCE[0]}")/../testing.sh"
# shellcheck disable=SC2034  # for those that source this
launch=$source_dir/scripts/launch
# Whatever started this test is no launcher of what it starts.
for name in $(compgen -e); do
  case $name in
    OMPI_* | PMIX_* | SLURM_* | RANK | WORLD_SIZE | LOCAL_RANK | \
      LOCAL_WORLD_SIZE | CUDA_VISIBLE_DEVICES) unset "$name" ;;
  esac
done
cd "$dir" || exit 1

tool show '
echo "rank ${RANK-${OMPI_COMM_WORLD_RANK-none}}" \
  "of ${WORLD_SIZE-${OMPI_COMM_WORLD_SIZE-none}}" \
  "gpu ${CUDA_VISIBLE_DEVICES-any} on $(nproc) CPUs: $*"'

# work [--dies=RANK]: saves and ends well when it is asked to, as the trainer
# does; `started` counts those that can be asked.
tool work '
rank=${RANK-${OMPI_COMM_WORLD_RANK-eval}}
trap "sleep \"\${SAVE:-0.2}\"; echo saved; exit 0" INT TERM USR1
echo started | tee -a started
for argument in "$@"; do
  [ "$argument" != "--dies=$rank" ] || {
    until [ "$(wc -l <started)" -ge 2 ]; do sleep 0.05; done
    exit 7
  }
done
for ((i = 0; i < 600; ++i)); do sleep 0.1; done
exit 9'

# await COUNT: until so many `work`.
await() {
  for ((i = 0; i < 300; ++i)); do
    [ ! -f started ] || [ "$(wc -l <started)" -lt "$1" ] || return 0
    sleep 0.1
  done
  fail "only $(cat started) of $1"
}
