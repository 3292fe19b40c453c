#!/usr/bin/env bash
# install_packages.sh: what it asks of apt-get, and that failures are seen.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
install=$source_dir/scripts/install_packages.sh

expect_exit 0 "$install" --list
expect_text "$dir/out" libabsl-dev
expect_no_text "$dir/out" libgtest-dev
expect_exit 0 "$install" --list --tests --fuzz --launch extra
for name in libgtest-dev libdnnl-dev clang slurm-wlm extra; do
  expect_text "$dir/out" "$name"
done
expect_exit 1 "$install" --no-such-option
expect_text "$dir/err" '--tests'

# All there: apt-get is not called.
tool dpkg-query 'echo install ok installed'
tool apt-get 'echo "$*" >> "$(dirname "$0")/../asked"'
expect_exit 0 "$install"
[ ! -e "$dir/asked" ] || fail 'asked apt-get for what is there'

# Some missing, root.
tool dpkg-query '[ "${@: -1}" = cmake ] || echo install ok installed'
tool id 'echo 0'
expect_exit 0 "$install"
expect_text "$dir/asked" 'update'
expect_text "$dir/asked" 'install -y --no-install-recommends cmake'

# An ordinary user: by sudo.
tool id 'echo 1000'
tool sudo 'echo sudo >> "$(dirname "$0")/../asked"; exec "$@"'
: >"$dir/asked"
expect_exit 0 "$install"
expect_text "$dir/asked" 'sudo'

# Lists that cannot be renewed may do as they are; a package that cannot be
# installed is an error that shows what apt-get said, on either stream.
tool apt-get 'case $* in *update*) echo "no network"; exit 100 ;; esac'
expect_exit 0 "$install"
expect_text "$dir/err" 'no network'
tool apt-get '
case $* in *install*) echo "E: no cmake"; echo "E: held" >&2; exit 100 ;; esac'
expect_exit 1 "$install"
expect_text "$dir/err" 'E: no cmake'
expect_text "$dir/err" 'E: held'
expect_text "$dir/err" 'could not install: cmake'
exit "$failed"
