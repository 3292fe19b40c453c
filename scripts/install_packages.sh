#!/usr/bin/env bash
# Installs the packages that continuo is built from (Debian 12 and 13, Ubuntu
# 24.04: the names are the same). Needs root or sudo, and does nothing where all
# of them are there already.
#
#   scripts/install_packages.sh            what the build needs
#   scripts/install_packages.sh --tests    and what tests and benchmarks need
#   scripts/install_packages.sh --mpi      and Open MPI, which connects processes
#                                          on CPUs (--tests has it)
#   scripts/install_packages.sh --fuzz     and clang with its libFuzzer
#   scripts/install_packages.sh --launch   and Slurm, for the slow tests of
#                                          scripts/launch
#   scripts/install_packages.sh NAME...    and these
#   scripts/install_packages.sh --list     print the names, install nothing

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

packages=(
  cmake ninja-build g++
  libabsl-dev                        # flags, status, strings, containers
  libprotobuf-dev protobuf-compiler  # NoteSequence, bundles, event files
  libleveldb-dev libsnappy-dev       # table files of checkpoints
  libhwy-dev                         # SIMD, dispatched at run time
  libpng-dev                         # piano rolls and curves
  libpugixml-dev libzip-dev          # MusicXML, compressed MusicXML
  nlohmann-json3-dev                 # reports, logs
)
mpi_packages=(libopenmpi-dev openmpi-bin)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev libdnnl-dev pkgconf
  strace python3 "${mpi_packages[@]}")
fuzz_packages=(clang libclang-rt-dev)
launch_packages=(slurm-wlm munge python3-venv)

list=false
for argument in "$@"; do
  case $argument in
    --tests) packages+=("${test_packages[@]}") ;;
    --mpi) packages+=("${mpi_packages[@]}") ;;
    --fuzz) packages+=("${fuzz_packages[@]}") ;;
    --launch) packages+=("${launch_packages[@]}") ;;
    --list) list=true ;;
    --help) usage; exit ;;
    -*) usage >&2; exit 1 ;;
    *) packages+=("$argument") ;;
  esac
done
if $list; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "$0: there is no apt-get: install what these Debian packages hold:" \
    "${packages[*]}" >&2
  exit 1
fi
missing=()
for package in "${packages[@]}"; do
  if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
      grep -q 'install ok installed'; then
    missing+=("$package")
  fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "$0: not root, and there is no sudo; have an administrator install:" \
      "${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

# apt-get is silent unless it fails; then all it said is shown.
said=$(mktemp)
trap 'rm -f "$said"' EXIT
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$said" 2>&1 && return
  cat "$said" >&2
  return 1
}
echo "installing packages: ${missing[*]}"
apt update ||
  echo "$0: apt-get update failed; trying with the lists that are there" >&2
apt install -y --no-install-recommends "${missing[@]}" || {
  echo "$0: apt-get could not install: ${missing[*]}" >&2
  exit 1
}
