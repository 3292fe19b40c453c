#!/usr/bin/env bash
# consumer_test.sh BUILD: installs a build, moves that elsewhere, and builds a
# program of another project on it, by CMake and by pkg-config.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=../scripts/testing.sh disable=SC2016
. "$(dirname "$0")/../scripts/testing.sh"
build=$1
bundle=$source_dir/tests/golden/bundles/attention_rnn.mag

expect_exit 0 cmake --install "$build" --prefix "$dir/installed"
prefix=$dir/moved\ here
mv "$dir/installed" "$prefix"
for file in bin/melody_rnn_generate share/man/man1/melody_rnn_generate.1 \
    share/bash-completion/completions/melody_rnn_generate \
    share/continuo/primers/melody_rnn/primer.mid \
    share/continuo/launch/local.sh; do
  [ -s "$prefix/$file" ] || fail "not installed: $file"
done

# Whatever an installed header includes of the project is installed, too.
include=$prefix/include/continuo
(cd "$include" && grep -rhoE --include='*.h' \
  '^#include "(runtime|kernels|data|models|train|generate)/[^"]*' .) |
  sed 's/.*"//' | sort -u >"$dir/included"
[ "$(wc -l <"$dir/included")" -gt 50 ] || fail 'no headers found'
while IFS= read -r header; do
  [ -f "$include/$header" ] || fail "included, but not installed: $header"
done <"$dir/included"
# Nothing of the machine that built it.
grep -rlF -e "$source_dir" -e "$build" "$prefix/include" "$prefix"/lib*/cmake \
  "$prefix"/lib*/pkgconfig >"$dir/found" 2>/dev/null
[ ! -s "$dir/found" ] || fail "name the build: $(cat "$dir/found")"

expect_melody() {
  expect_exit 0 "$1" "$bundle"
  version=$(sed -n 's/^project(continuo VERSION \([^ ]*\).*/\1/p' \
    "$source_dir/CMakeLists.txt")
  expect_text "$dir/out" "$version: attention_rnn, "
  expect_no_text "$dir/out" ' 0 notes'
}

mkdir "$dir/project"
cp "$source_dir/tests/install/consumer.cc" "$dir/project/"
cat >"$dir/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(continuo 0.2 REQUIRED)
add_library(part OBJECT consumer.cc)
set_target_properties(part PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_link_libraries(part PUBLIC continuo::generate_output)
add_executable(consumer)
target_link_libraries(consumer PRIVATE part)
# As a Python module would be.
add_library(plugin SHARED)
target_link_libraries(plugin PRIVATE part)
END
expect_exit 0 cmake -G Ninja -S "$dir/project" -B "$dir/project/build" \
  -DCMAKE_PREFIX_PATH="$prefix"
expect_exit 0 cmake --build "$dir/project/build"
expect_melody "$dir/project/build/consumer"

command -v pkg-config >/dev/null || {
  echo 'no pkg-config' >&2
  exit $((failed ? 1 : 77))
}
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name continuo.pc)")
export PKG_CONFIG_PATH
# Quoted for a shell, as the path has a blank.
flags=$(pkg-config --cflags --libs continuo) || fail 'pkg-config'
# shellcheck disable=SC2086
expect_exit 0 bash -c "exec '$CXX' $CXXFLAGS -std=c++20 -o '$dir/by_pkg_config' \
  '$dir/project/consumer.cc' $flags $LDFLAGS"
expect_melody "$dir/by_pkg_config"
exit "$failed"
