#!/usr/bin/env bash
# quickstart.sh builds the CUDA forms only where a GPU is, or if it is told to.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
mkdir -p "$dir/checkout"
cp -r "$source_dir/scripts" "$dir/checkout/"
unset CONTINUO_CUDA

tool dpkg-query 'echo install ok installed'
tool nvidia-smi 'exit 9'
tool cmake 'printf "%s\n" "$@" > "$(dirname "$0")/../asked"; exit 7'
# options VARIABLE=VALUE...: what cmake is asked for.
options() {
  expect_exit 7 env OUTPUT="$dir/out put" "$@" \
    "$dir/checkout/scripts/quickstart.sh"
}
if [ ! -e /dev/nvidiactl ]; then
  options
  expect_text "$dir/asked" '-DCONTINUO_CUDA=OFF'
  expect_text "$dir/asked" '-DCONTINUO_WERROR=OFF'
  expect_text "$dir/out" 'no NVIDIA GPU'
  expect_text "$dir/out" 'CONTINUO_CUDA=ON'
fi
options CONTINUO_CUDA=ON
expect_text "$dir/asked" '-DCONTINUO_CUDA=ON'
tool nvidia-smi 'echo "GPU 0: one (UUID: 1)"'
options
expect_text "$dir/asked" '-DCONTINUO_CUDA=AUTO'
options CONTINUO_CUDA=OFF
expect_text "$dir/asked" '-DCONTINUO_CUDA=OFF'

# A build that is there keeps its flags, or all of it would be compiled anew.
mkdir "$dir/checkout/build"
touch "$dir/checkout/build/CMakeCache.txt"
options
expect_no_text "$dir/asked" 'CONTINUO_WERROR'
exit "$failed"
