#!/usr/bin/env bash
# mpi.sh: what it asks mpirun for, and, where that is, two processes here.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
mpi=$launch/mpi.sh
printf '%s\n' '# ours' 'a slots=8' 'b slots=8' >'the hosts'

expect_exit 0 "$mpi" --dry_run --hosts='the hosts' --eval=e show --run_dir=/run
expect_text out 'mpirun --hostfile the\ hosts --map-by slot '
expect_text out ' --mca oob_tcp_keepalive_time 10 '
expect_text out "--wdir $(printf %q "$PWD") "
expect_text out '/rank.sh /run/logs show --run_dir=/run'
expect_text out '--name=eval /run/logs show --run_dir=/run --eval'
expect_exit 0 "$mpi" --dry_run --hosts='the hosts' --logs=l show
expect_text out '/rank.sh l show'
[ ! -e l ] || fail '--dry_run makes folders'

expect_exit 1 "$mpi" show
expect_text err '--hosts is missing'
expect_exit 1 "$mpi" --hosts=none show
expect_text err '--hosts=none: cannot be read'
echo '# nobody' >none
expect_exit 1 "$mpi" --hosts=none show
expect_text err '--hosts=none: names no host'
expect_exit 1 "$mpi" --hosts='the hosts'

command -v mpirun >/dev/null || {
  echo 'without mpirun: no process is started'
  exit "$failed"
}
echo 'localhost slots=2' >here
expect_exit 0 "$mpi" --hosts=here show --x
expect_text out '[rank-0] rank 0 of 2 gpu 0 '
expect_text out '[rank-1] rank 1 of 2 gpu 1 '
expect_text logs/rank-1.log '--x'
expect_exit 7 "$mpi" --hosts=here work --dies=0
exit "$failed"
