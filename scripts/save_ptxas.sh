#!/usr/bin/env bash
# save_ptxas.sh FOLDER COMMAND...: runs a compile command of nvcc and saves what
# `ptxas -v` says of its kernels (registers, spills, for each architecture) as
# FOLDER/SOURCE.txt instead of printing it. The build's launcher for CUDA.

# SPDX-License-Identifier: Apache-2.0
set -uo pipefail
folder=$1
shift

object=
previous=
for argument in "$@"; do
  [ "$previous" != -o ] || object=$argument
  previous=$argument
done
[ -n "$object" ] || exec "$@"

mkdir -p "$folder"
said=$folder/$(basename "${object%.o}").txt
"$@" 2> "$said.new"
status=$?
about_kernels='^(ptxas info|    [0-9]+ bytes stack frame)'
grep -vE "$about_kernels" "$said.new" >&2
if [ $status -eq 0 ]; then
  grep -E "$about_kernels" "$said.new" > "$said"
fi
rm -f "$said.new"
exit $status
