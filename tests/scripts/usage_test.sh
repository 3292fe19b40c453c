#!/usr/bin/env bash
# Scripts explain themselves, and do nothing when they do not understand.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
for script in quickstart test install_packages clean_root check_interop \
    check_all format fuzz package spdx launch/local launch/mpi launch/rank; do
  path=$source_dir/scripts/$script.sh
  expect_exit 0 "$path" --help
  expect_text "$dir/out" "scripts/$script.sh"
  expect_no_text "$dir/out" 'set -'
  expect_exit 1 "$path" --no-such-option
  expect_text "$dir/err" "scripts/$script.sh"
done

# A bare system is not promised where there can be none.
expect_exit 1 "$source_dir/scripts/clean_root.sh"
tool id 'echo 1000'
expect_exit 125 "$source_dir/scripts/clean_root.sh" true
expect_text "$dir/err" 'needs root'
tool id 'echo 0'
tool unshare 'exit 1'
expect_exit 125 "$source_dir/scripts/clean_root.sh" true
expect_text "$dir/err" 'mounts are refused'
exit "$failed"
