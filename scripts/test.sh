#!/usr/bin/env bash
# Builds everything with warnings as errors and runs the tests; installs the
# packages that are missing. Tests of the CUDA forms run on the machine's GPU,
# and skip where there is none.
#
#   scripts/test.sh           all tests but those labelled slow
#   scripts/test.sh --slow    these too
#   scripts/test.sh --asan    before them, those of readers of files and of what
#                             these are made of under the address and
#                             undefined-behaviour sanitizers
#   scripts/test.sh --gpusim=DIR  builds the simulator in DIR, and runs the
#                             tests of the CUDA forms on that instead of a GPU
#   BUILD_DIR=dir             build there instead of build/
#   GPUSIM_SEEDS=n            orders of deferred work to try there (default: 3)
#   CONTINUO_CUDA=ON|OFF      with or without the CUDA forms (default: AUTO, where
#                             the CUDA toolkit is)

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

selection=(-LE slow)
packages=(--tests)
asan=false
gpusim=
for argument in "$@"; do
  case $argument in
    --slow) selection=() packages+=(--launch) ;;
    --gpusim=?*) gpusim=${argument#--gpusim=} ;;
    --asan) asan=true ;;
    --help) usage; exit ;;
    *) usage >&2; exit 1 ;;
  esac
done
cd "$(dirname "$0")/.."

scripts/install_packages.sh "${packages[@]}"
build=${BUILD_DIR:-build}
jobs=$(nproc)
if $asan; then
  cmake --preset asan
  cmake --build --preset asan -j "$jobs" --target parser_tests
  ctest --test-dir build-asan -j "$jobs" --output-on-failure -L parser -LE slow
fi
# Changed in a build that is there, it would recompile all of it.
unity=()
[ -f "$build/CMakeCache.txt" ] || unity=(-DCMAKE_UNITY_BUILD=ON)
configure() {
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "${unity[@]}" \
    -DCONTINUO_WERROR=ON -DCONTINUO_TESTS=ON -DCONTINUO_BENCH=ON \
    -DCONTINUO_CUDA="${CONTINUO_CUDA:-AUTO}" "$@"
}
configure
if [ -n "$gpusim" ]; then
  if grep -q '^CONTINUO_HAS_CUDA:INTERNAL=ON' "$build/CMakeCache.txt"; then
    # Ninja is there; make need not be.
    CMAKE_GENERATOR=Ninja "$gpusim/build.sh" "$build/gpusim"
    configure -DCONTINUO_CUDA_LIBS="$(cd "$build/gpusim/lib" && pwd)" \
      -DCONTINUO_GPUSIM_SEEDS="${GPUSIM_SEEDS:-3}" > /dev/null
  else
    echo "$0: this build has no CUDA forms to simulate; --gpusim is ignored"
  fi
fi
cmake --build "$build" -j "$jobs"
ctest --test-dir "$build" -j "$jobs" --output-on-failure "${selection[@]}"
