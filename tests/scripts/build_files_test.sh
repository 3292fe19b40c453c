#!/usr/bin/env bash
# The build takes no tool because it happens to be installed: compiler caches
# and linkers are the user's to name, in CMake's own variables.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"

# Programs are looked for by options alone: nvcc for CONTINUO_CUDA, Open MPI's
# for CONTINUO_MPI.
find "$source_dir" -path "$source_dir/build*" -prune -o \
  \( -name CMakeLists.txt -o -name '*.cmake' -o -name CMakePresets.json \) \
  -not -path '*/tests/scripts/*' -print >"$dir/files"
[ "$(wc -l <"$dir/files")" -gt 5 ] || fail 'no build files found'
xargs -d '\n' grep -nE 'find_program *\(' <"$dir/files" |
  grep -vE 'CONTINUO_(NVCC|MPICXX|MPIRUN)' >"$dir/found"
xargs -d '\n' grep -niE '\<(s?ccache|distcc|icecc|mold|lld)\>' \
  <"$dir/files" >>"$dir/found"
[ ! -s "$dir/found" ] || fail "tools that happen to be there: $(cat "$dir/found")"

# What only benchmarks need is required nowhere.
xargs -d '\n' grep -nE 'find_package *\((benchmark|dnnl) .*REQUIRED' \
  <"$dir/files" >"$dir/found"
[ ! -s "$dir/found" ] || fail "required: $(cat "$dir/found")"
exit "$failed"
