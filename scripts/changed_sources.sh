#!/usr/bin/env bash
# changed_sources.sh COMMIT [FOLDER...]: the C++ sources that changed since a
# commit, one a line, of these folders or all. For a header that is the source
# beside it.

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."
commit=$1
shift
patterns=()
for folder in "${@:-.}"; do
  patterns+=(":(glob)$folder/**/*.cc" ":(glob)$folder/**/*.h")
done
git diff --name-only --diff-filter=d "$commit" -- "${patterns[@]}" |
  sed 's/\.h$/.cc/' | sort -u
