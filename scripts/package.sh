#!/usr/bin/env bash
# Builds Debian packages for this release of Debian or Ubuntu: continuo, with the
# commands, and libcontinuo-dev, with libraries and headers; with the CUDA forms
# they are called continuo-cuda and libcontinuo-cuda-dev. Installs the packages
# that it needs.
#
#   scripts/package.sh          the packages, in build-package/packages
#   scripts/package.sh --check  and installs them in a bare system of the same
#                               release, generates there, and removes them
#                               (needs root; scripts/clean_root.sh)
#   BUILD_DIR=dir               build there instead; a build of another kind that
#                               is there already is packed as it is
#   CONTINUO_CUDA=ON|OFF        with or without the CUDA forms (default: OFF)

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

check=false
for argument in "$@"; do
  case $argument in
    --check) check=true ;;
    --help) usage; exit ;;
    *) usage >&2; exit 1 ;;
  esac
done
cd "$(dirname "$0")/.."

scripts/install_packages.sh --mpi dpkg-dev file
build=${BUILD_DIR:-build-package}
if [ ! -f "$build/CPackConfig.cmake" ]; then
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_INSTALL_PREFIX=/usr \
    -DCONTINUO_CUDA="${CONTINUO_CUDA:-OFF}" -DCONTINUO_TESTS=OFF \
    -DCONTINUO_BENCH=OFF -DCONTINUO_WERROR=OFF
fi
cmake --build "$build" -j "$(nproc)"
rm -rf "$build/packages"
cpack --config "$build/CPackConfig.cmake" -B "$build/packages"
rm -rf "$build/packages/_CPack_Packages"
ls -l "$build"/packages/*.deb
$check || exit 0

# In the bare system: by apt-get, which takes what the packages depend on.
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
cp tests/golden/bundles/attention_rnn.mag "$build/packages/"
# shellcheck disable=SC2016
scripts/clean_root.sh --suite="$suite" --beside="$build/packages" \
  bash -euxc '
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update
    apt-get -q install -y --no-install-recommends \
      /src/packages/continuo*.deb
    cd /tmp
    melody_rnn_generate --version
    melody_rnn_generate --bundle_file=/src/packages/attention_rnn.mag \
      --primer_midi=/usr/share/continuo/primers/melody_rnn/primer.mid \
      --num_outputs=2 --num_steps=64 --seed=1 --output_dir=melodies
    [ "$(find melodies -name "*.mid" -size +100c | wc -l)" -eq 2 ]
    continuo_inspect melodies/*_1.mid
    dpkg -L $(dpkg-query -W -f "\${Package} " "continuo*") >files
    grep -q /man1/melody_rnn_generate.1 files
    grep -q /completions/melody_rnn_generate files
    apt-get -q --simulate install /src/packages/libcontinuo*.deb
    apt-get -q purge -y "continuo*"
    [ ! -e /usr/bin/melody_rnn_generate ]
    [ ! -e /usr/share/continuo ]' </dev/null
