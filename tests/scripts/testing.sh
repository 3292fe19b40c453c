# SPDX-License-Identifier: Apache-2.0

# What tests of scripts share; sourced. Makes $dir, a folder with a blank in its
# name that is removed at the end, and $dir/bin, which is first in PATH.
# shellcheck shell=bash disable=SC2034
set -uo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
dir=$scratch/my\ folder
mkdir -p "$dir/bin"
PATH=$dir/bin:$PATH
failed=0

# tool NAME BODY: a program in PATH.
tool() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$dir/bin/$1"
  chmod +x "$dir/bin/$1"
}

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

# expect_exit CODE COMMAND...: leaves what it says in $dir/out and $dir/err.
expect_exit() {
  local expected=$1 code=0
  shift
  "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
  [ "$code" -eq "$expected" ] || {
    fail "exit code $code instead of $expected: $*"
    cat "$dir/out" "$dir/err" >&2
  }
}

# expect_text FILE TEXT: TEXT is in FILE; expect_no_text: it is not.
expect_text() {
  grep -qF -e "$2" "$1" || {
    fail "$(basename "$1") lacks: $2"
    cat "$1" >&2
  }
}
expect_no_text() {
  ! grep -qF -e "$2" "$1" || fail "$(basename "$1") has: $2"
}
