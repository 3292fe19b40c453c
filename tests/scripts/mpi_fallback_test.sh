#!/usr/bin/env bash
# An MPI that is not Open MPI is a reason to build without, which is said, and an
# error where it was asked for.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016,SC2317
. "$(dirname "$0")/testing.sh"
tool mpicxx.openmpi 'exit 1'
tool mpirun.openmpi 'exit 1'
mkdir "$dir/project"
printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' \
  'project(fallback LANGUAGES NONE)' \
  "include(\"$source_dir/scripts/mpi.cmake\")" \
  'message(STATUS "it has ${CONTINUO_HAS_MPI}")' >"$dir/project/CMakeLists.txt"

configure() {
  cmake -G Ninja -S "$dir/project" -B "$dir/build $1" -DCONTINUO_MPI="$1"
}
expect_exit 0 configure AUTO
expect_text "$dir/out" 'MPI is left out: '
expect_text "$dir/out" 'mpicxx.openmpi is not that of Open MPI'
expect_exit 1 configure ON
expect_text "$dir/err" 'CONTINUO_MPI=ON: '
expect_exit 0 configure OFF
expect_text "$dir/out" 'it has OFF'
exit "$failed"
