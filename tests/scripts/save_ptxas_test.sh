#!/usr/bin/env bash
# The launcher of nvcc saves what the assembler says and hides nothing else,
# with and without a compiler cache, in folders with blanks.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
launcher=$source_dir/scripts/save_ptxas.sh

tool nvcc '
[ $# -eq 4 ] || { echo "$# arguments: $*" >&2; exit 9; }
echo "ptxas info    : Compiling entry function '\''f'\'' for '\''sm_90'\''" >&2
echo "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" >&2
echo "a warning" >&2
echo "$4" >> "$(dirname "$0")/../compiled"
exit "${NVCC_EXIT:-0}"'
tool cache 'echo cache >> "$(dirname "$0")/../compiled"; exec "$@"'
compile=(nvcc -c "$dir/a b.cu" -o "$dir/a b.cu.o")
saved="$dir/ptxas out/a b.cu.txt"

for cache in '' cache; do
  rm -rf "$dir/ptxas out" "$dir/compiled"
  # No word at all where there is no cache, as the build does it.
  expect_exit 0 "$launcher" "$dir/ptxas out" ${cache:+"$cache"} "${compile[@]}"
  expect_text "$saved" "entry function 'f'"
  expect_text "$saved" '0 bytes stack frame'
  expect_text "$dir/err" 'a warning'
  expect_no_text "$dir/err" 'ptxas info'
  expect_text "$dir/compiled" "$dir/a b.cu.o"
  [ -z "$cache" ] || expect_text "$dir/compiled" cache
done

rm "$saved"
NVCC_EXIT=3 expect_exit 3 "$launcher" "$dir/ptxas out" "${compile[@]}"
[ ! -e "$saved" ] || fail 'saved what a failed compilation said'
exit "$failed"
