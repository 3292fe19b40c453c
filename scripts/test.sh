#!/usr/bin/env bash
# Builds everything with warnings as errors and runs the tests; installs the
# packages that are missing.
#
#   scripts/test.sh           all tests but those labelled slow
#   scripts/test.sh --slow    these too
#   BUILD_DIR=dir             build there instead of build/
set -euo pipefail
cd "$(dirname "$0")/.."

selection=(-LE slow)
for argument in "$@"; do
  case $argument in
    --slow) selection=() ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 1 ;;
  esac
done

scripts/install_packages.sh --tests
build=${BUILD_DIR:-build}
jobs=$(nproc)
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCONTINUO_WERROR=ON -DCONTINUO_TESTS=ON -DCONTINUO_BENCH=ON
cmake --build "$build" -j "$jobs"
ctest --test-dir "$build" -j "$jobs" --output-on-failure "${selection[@]}"
