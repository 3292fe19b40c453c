#!/usr/bin/env bash
# check_all.sh makes the steps it is told to, goes on after one that fails, and
# fails then. fuzz.sh gives each target its seeds and dictionary.
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
mkdir -p "$dir/checkout"
cp -r "$source_dir/scripts" "$dir/checkout/"
checkout=$dir/checkout
tool dpkg-query 'echo install ok installed'
note='printf "%s\n" "$(basename "$0") $*" >> "$(dirname "$0")/../asked"'
tool clang-format "$note"
tool shellcheck "$note; exit \${SHELLCHECK_EXIT:-0}"
tool cmake "$note"

mkdir "$checkout/data" "$checkout/build-x"
touch "$checkout/data/a.cc" "$checkout/data/b c.h" "$checkout/build-x/no.cc"
echo '// SPDX-License-Identifier: Apache-2.0' |
  tee "$checkout/data/a.cc" >"$checkout/data/b c.h"
expect_exit 0 "$checkout/scripts/check_all.sh" shell format
expect_text "$dir/out" '== shell passed'
expect_text "$dir/out" '== format passed'
expect_text "$dir/asked" 'clang-format --dry-run --Werror'
expect_text "$dir/asked" './data/a.cc'
expect_text "$dir/asked" './data/b c.h'
expect_no_text "$dir/asked" 'no.cc'
expect_text "$dir/asked" './scripts/check_all.sh'
expect_no_text "$dir/asked" 'cmake'

SHELLCHECK_EXIT=1 expect_exit 1 "$checkout/scripts/check_all.sh" shell asan
expect_text "$dir/out" '== shell FAILED'
expect_text "$dir/out" '== asan passed'
expect_text "$dir/out" 'FAILED: shell'
expect_text "$dir/asked" 'cmake --workflow --preset asan'

# Every step that the help names is one, and the reverse.
steps=$(sed -n 's/^all=(\(.*\))$/\1/p' "$checkout/scripts/check_all.sh")
for step in $steps; do
  grep -qE "^#   $step  " "$checkout/scripts/check_all.sh" ||
    fail "help lacks $step"
  grep -qF "check_$step() {" "$checkout/scripts/check_all.sh" ||
    fail "there is no check_$step"
done

# A target of each kind: with a dictionary and cases, without both.
mkdir -p "$checkout/tests/fuzz/corpus/abc_fuzz" "$checkout/build-fuzz/bin" \
  "$checkout/tests/fuzz/dictionaries" "$checkout/tests/cases/abc_jumps"
touch "$checkout/tests/abc_fuzz.cc" "$checkout/tests/tar_fuzz.cc" \
  "$checkout/tests/fuzz/dictionaries/abc.dict"
for target in abc_fuzz tar_fuzz; do
  tool "$target" "$note; echo Done 12 runs in 1 seconds; exit \${FUZZ_EXIT:-0}"
  cp "$dir/bin/$target" "$checkout/build-fuzz/bin/"
done
expect_exit 0 "$checkout/scripts/fuzz.sh" --seconds=3
expect_text "$dir/out" 'abc_fuzz: Done 12 runs'
expect_text "$dir/out" 'tar_fuzz: Done 12 runs'
grep -hE '^(abc|tar)_fuzz ' "$checkout/build-fuzz/asked" >"$dir/runs"
expect_text "$dir/runs" '-max_total_time=3'
expect_text "$dir/runs" '-dict=tests/fuzz/dictionaries/abc.dict'
expect_text "$dir/runs" \
  'build-fuzz/corpus/abc_fuzz tests/fuzz/corpus/abc_fuzz tests/cases/abc_jumps'
grep -q '^tar_fuzz .*build-fuzz/corpus/tar_fuzz$' "$dir/runs" ||
  fail 'seeds for a target that has none'
FUZZ_EXIT=77 expect_exit 1 "$checkout/scripts/fuzz.sh" --seconds=3 abc_fuzz
expect_text "$dir/out" 'abc_fuzz FAILED'

# In this tree: seeds and dictionaries belong to targets, all of which have some.
names=$(find "$source_dir/tests" -name '*_fuzz.cc' -printf '%f\n' |
  sed 's/\.cc$//' | sort)
seeded=$(find "$source_dir/tests/fuzz/corpus" -mindepth 2 -type f \
  -printf '%h\n' | sed 's|.*/||' | sort -u)
[ "$names" = "$seeded" ] || fail "targets: $names; with seeds: $seeded"
for dictionary in "$source_dir"/tests/fuzz/dictionaries/*; do
  grep -qxF "$(basename "$dictionary" .dict)_fuzz" <<<"$names" ||
    fail "no target for $dictionary"
  # As libFuzzer reads them.
  grep -vnE '^(#.*|"([^"\\]|\\["\\]|\\x[0-9a-fA-F]{2})+")$' "$dictionary" \
    >"$dir/wrong"
  [ ! -s "$dir/wrong" ] || fail "$dictionary: $(cat "$dir/wrong")"
done
exit "$failed"
