#!/usr/bin/env bash
# Every check that the project knows, one after another, each with what it needs
# installed. All of them take hours; CI (.ci/run) makes some.
#
#   scripts/check_all.sh             all, in this order
#   scripts/check_all.sh STEP...     these
#
#   format   clang-format and licence lines, all sources
#   shell    ShellCheck, all scripts
#   tests    scripts/test.sh --slow
#   tidy     clang-tidy: what .clang-tidy has on is an error
#   asan     fast tests under the address and undefined-behaviour sanitizers
#   tsan     tests of what has threads, under the thread sanitizer
#   fuzz     every fuzz target for 60 seconds
#   presets  the other presets: build, and test where there are tests
#   package  the Debian packages, installed in a bare system
#
#   --since=COMMIT   tidy looks at sources that changed since
#   --files='A B'    tidy looks at these

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

all=(format shell tests tidy asan tsan fuzz presets package)
steps=()
files=
for argument in "$@"; do
  case $argument in
    --since=?*)
      files=$("$(dirname "$0")/changed_sources.sh" "${argument#--since=}" |
        tr '\n' ' ')
      [ -n "$files" ] || files=none ;;
    --files=*) files=${argument#--files=} ;;
    --help) usage; exit ;;
    -*) usage >&2; exit 1 ;;
    *) case " ${all[*]} " in
         *" $argument "*) steps+=("$argument") ;;
         *) usage >&2; exit 1 ;;
       esac ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=("${all[@]}")
cd "$(dirname "$0")/.."
jobs=$(nproc)

check_format() {
  scripts/format.sh --check
  scripts/spdx.sh --check
}

check_shell() {
  scripts/install_packages.sh shellcheck
  find . \( -name 'build*' -type d -o -name .git -o -name quickstart \) -prune \
    -o -type f \( -name '*.sh' -o -name '*.sbatch' -o -path './.ci/run' \) \
      -print0 |
    xargs -0 shellcheck
}

check_tests() {
  scripts/test.sh --slow
}

# As clang compiles it, without precompiled headers; of the build, only what
# generated headers need.
check_tidy() {
  scripts/install_packages.sh --tests --fuzz clang-tidy
  cmake -S . -B build-tidy -G Ninja -DCMAKE_CXX_COMPILER=clang++ \
    -DCONTINUO_CUDA=OFF -DCONTINUO_WERROR=OFF \
    -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
  cmake --build build-tidy -j "$jobs" --target continuo_data_proto
  local file known=()
  while IFS= read -r file; do
    file=${file#"$PWD/"}
    case " $files " in
      '  ' | *" $file "*) known+=("$file") ;;
    esac
  done < <(sed -n 's/^ *"file": "\(.*\)".*/\1/p' \
    build-tidy/compile_commands.json | grep -v '/build-tidy/' | sort -u)
  echo "clang-tidy: ${#known[@]} sources"
  [ ${#known[@]} -eq 0 ] ||
    printf '%s\0' "${known[@]}" | xargs -0 -n 4 -P "$jobs" \
      clang-tidy -p build-tidy --quiet 2>/dev/null
}

check_asan() {
  scripts/install_packages.sh --tests
  cmake --workflow --preset asan
}

check_tsan() {
  scripts/install_packages.sh --tests
  cmake --workflow --preset tsan
}

check_fuzz() {
  scripts/fuzz.sh
}

check_presets() {
  scripts/install_packages.sh --tests
  cmake --workflow --preset cpu
  cmake --workflow --preset bench
  if command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]; then
    cmake --workflow --preset cuda
  else
    echo 'the preset cuda is left out: there is no CUDA toolkit'
  fi
}

check_package() {
  local code=0
  scripts/package.sh --check || code=$?
  [ "$code" -ne 125 ] || { echo 'left out: no bare system'; code=0; }
  return "$code"
}

# All steps are made, also after one that fails.
failed=()
for step in "${steps[@]}"; do
  printf '\n== %s\n' "$step"
  started=$SECONDS
  set +e  # for an `if` would turn it off inside, too
  (set -e; "check_$step")
  code=$?
  set -e
  outcome=passed
  [ "$code" -eq 0 ] || { outcome=FAILED; failed+=("$step"); }
  printf '== %s %s after %d s\n' "$step" "$outcome" $((SECONDS - started))
done
[ ${#failed[@]} -eq 0 ] || { echo "FAILED: ${failed[*]}"; exit 1; }
