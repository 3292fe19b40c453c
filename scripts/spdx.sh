#!/usr/bin/env bash
# Gives every source the line that names its licence, or tells which lack it:
# as the first line, in scripts below the comment that explains them.
#
#   scripts/spdx.sh            writes it where it is missing
#   scripts/spdx.sh --check    changes nothing; fails where it is missing

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

name=SPDX-License-Identifier
line="$name: Apache-2.0"
missing=$(find . \
  \( -name 'build*' -type d -o -name .git -o -name quickstart \) -prune -o \
  -type f \( -name '*.cc' -o -name '*.h' -o -name '*.h.in' -o -name '*.cu' \
    -o -name '*.cuh' -o -name '*.proto' -o -name CMakeLists.txt \
    -o -name '*.cmake' -o -name '*.sh' -o -name '*.sbatch' -o -name '*.py' \
    -o -path ./.ci/run \) \
  -exec grep -L "$line" {} + | sort)
[ -n "$missing" ] || exit 0
if $check; then
  printf '%s\n' "no SPDX line (scripts/spdx.sh writes them):" "$missing" >&2
  exit 1
fi
while IFS= read -r file; do
  case $file in
    *.sh | *.sbatch | *.py | */run)
      # Below "#!" and the comments behind it, which usage() prints.
      awk -v line="# $line" '
        !done && (NR == 1 ? !/^#!/ : !/^#/ || /^# shellcheck/) {
          if (NR > 2) print ""
          print line
          if (NR == 1) print ""
          done = 1
        }
        { print }' "$file" >"$file.new" ;;
    *.txt | *.cmake) { printf '# %s\n\n' "$line"; cat "$file"; } >"$file.new" ;;
    *) { printf '// %s\n\n' "$line"; cat "$file"; } >"$file.new" ;;
  esac
  # The content alone, so that modes stay.
  cat "$file.new" >"$file"
  rm "$file.new"
done <<<"$missing"
printf '%s files\n' "$(wc -l <<<"$missing")"
