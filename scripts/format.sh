#!/usr/bin/env bash
# Formats all C++ and CUDA sources as .clang-format says, or tells which are not.
# Version 14 of clang-format decides, that of Debian 12: others break some lines
# elsewhere.
#
#   scripts/format.sh            formats
#   scripts/format.sh --check    changes nothing; fails where something would be
#   CLANG_FORMAT=clang-format-14 scripts/format.sh    by this program

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

mode=(-i)
for argument in "$@"; do
  case $argument in
    --check) mode=(--dry-run --Werror) ;;
    --help) usage; exit ;;
    *) usage >&2; exit 1 ;;
  esac
done
cd "$(dirname "$0")/.."

program=${CLANG_FORMAT:-clang-format}
if ! command -v "$program" >/dev/null; then
  [ -z "${CLANG_FORMAT:-}" ] || { echo "$0: no $program" >&2; exit 1; }
  scripts/install_packages.sh clang-format
fi
# All sources of the tree: what is no source lies in build folders, and
# what begins with a dot is not ours.
find . \( -name 'build*' -type d -o -name '.?*' -o -name quickstart \) -prune \
  -o -type f \( -name '*.cc' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) \
  -print0 |
  xargs -0 -n 40 -P "$(nproc)" "$program" "${mode[@]}"
