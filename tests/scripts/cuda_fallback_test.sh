#!/usr/bin/env bash
# An nvcc that does not work here is a reason to build for the CPU, which is
# said, and an error where the CUDA forms were asked for.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016,SC2317
. "$(dirname "$0")/testing.sh"
tool nvcc '
echo "In file included from x.h:82," >&2
echo "x.h:143:2: error: #error -- unsupported GNU version!" >&2
exit 1'
mkdir "$dir/project"
printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' \
  'project(fallback LANGUAGES NONE)' \
  "include(\"$source_dir/scripts/cuda.cmake\")" >"$dir/project/CMakeLists.txt"

configure() {
  cmake -G Ninja -S "$dir/project" -B "$dir/build $1" -DCONTINUO_CUDA="$1" \
    -DCMAKE_CUDA_COMPILER="$dir/bin/nvcc"
}
expect_exit 0 configure AUTO
expect_text "$dir/out" 'CUDA forms are left out'
expect_text "$dir/out" 'unsupported GNU version'
expect_text "$dir/build AUTO/CMakeCache.txt" 'CONTINUO_HAS_CUDA:INTERNAL=OFF'
expect_exit 1 configure ON
expect_text "$dir/err" 'unsupported GNU version'
expect_exit 0 configure OFF
exit "$failed"
