#!/usr/bin/env bash
# Runs the fuzz targets (libFuzzer, under the address and undefined-behaviour
# sanitizers), several at once, from the seeds in tests/fuzz/corpus and those of
# tests/cases that are about the same format. Installs the packages that are
# missing. An input that breaks something is kept in build-fuzz/found.
#
#   scripts/fuzz.sh                   every target for 60 seconds
#   scripts/fuzz.sh --seconds=600 abc_fuzz midi_fuzz    these

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

seconds=60
targets=()
for argument in "$@"; do
  case $argument in
    --seconds=?*) seconds=${argument#--seconds=} ;;
    --help) usage; exit ;;
    -*) usage >&2; exit 1 ;;
    *) targets+=("$argument") ;;
  esac
done
cd "$(dirname "$0")/.."
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(find tests -name '*_fuzz.cc' -printf '%f\n' |
    sed 's/\.cc$//' | sort)
fi

scripts/install_packages.sh --tests --fuzz
cmake --preset fuzz >/dev/null
cmake --build build-fuzz -j "$(nproc)" --target "${targets[@]}"

# fuzz TARGET: silent unless it finds something.
fuzz() {
  local target=$1 corpus=build-fuzz/corpus/$1 log=build-fuzz/found/$1.log
  local options=(-max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048
    -artifact_prefix="build-fuzz/found/$target-")
  local dictionary=tests/fuzz/dictionaries/${target%_fuzz}.dict
  [ ! -f "$dictionary" ] || options+=(-dict="$dictionary")
  mkdir -p "$corpus"
  local seeds=() folder
  for folder in "tests/fuzz/corpus/$target" "tests/cases/${target%_fuzz}"_*; do
    [ ! -d "$folder" ] || seeds+=("$folder")
  done
  if "build-fuzz/bin/$target" "${options[@]}" "$corpus" "${seeds[@]}" \
      >"$log" 2>&1; then
    echo "$target: $(grep -oE 'Done [0-9]+ runs' "$log" || echo 'no runs')"
    rm "$log"
  else
    echo "$target FAILED; $log begins:"
    grep -nE 'ERROR|SUMMARY|runtime error|Check failed|Test unit' "$log" |
      head -n 10
    return 1
  fi
}
export -f fuzz
export seconds
mkdir -p build-fuzz/found
# shellcheck disable=SC2016
printf '%s\n' "${targets[@]}" |
  xargs -P "$(nproc)" -I{} bash -c 'fuzz "$1"' - {} || {
  echo "$0: inputs that break a target are in build-fuzz/found" >&2
  exit 1
}
