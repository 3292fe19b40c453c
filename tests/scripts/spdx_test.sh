#!/usr/bin/env bash
# spdx.sh writes the licence line where it is missing, once, and changes nothing
# else: neither modes nor what a script says of itself.
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
mkdir -p "$dir/checkout/scripts" "$dir/checkout/data" "$dir/checkout/build-x"
cd "$dir/checkout" || exit 1
cp "$source_dir/scripts/spdx.sh" scripts/
line='SPDX-License-Identifier: Apache-2.0'

printf '// What it is.\n\n#include "a.h"\n' >data/a.cc
printf '#pragma once\n' | tee data/a.h >build-x/b.h
printf 'syntax = "proto3";\n' >data/a.proto
printf 'project(a)\n' >CMakeLists.txt
printf '#!/usr/bin/env bash\n# Says.\n#\n#   a.sh\nset -eu\necho\n' >scripts/a.sh
chmod 755 scripts/a.sh
printf '# Sourced.\nset -eu\n' >scripts/b.sh
printf '#!/usr/bin/env python3\n"""Says."""\n' >scripts/a.py

expect_exit 1 scripts/spdx.sh --check
for file in data/a.cc data/a.h data/a.proto CMakeLists.txt scripts/a.sh \
    scripts/b.sh scripts/a.py; do
  expect_text "$dir/err" "./$file"
done
expect_no_text "$dir/err" build-x
expect_exit 0 scripts/spdx.sh
expect_exit 0 scripts/spdx.sh --check
sum=$(cat data/* CMakeLists.txt scripts/* | cksum)
expect_exit 0 scripts/spdx.sh
[ "$sum" = "$(cat data/* CMakeLists.txt scripts/* | cksum)" ] ||
  fail 'wrote it twice'

expect_content() {
  [ "$(cat "$1")" = "$2" ] || fail "$1 is: $(cat "$1")"
}
expect_content data/a.cc "// $line"$'\n\n// What it is.\n\n#include "a.h"'
expect_content data/a.h "// $line"$'\n\n#pragma once'
expect_content CMakeLists.txt "# $line"$'\n\nproject(a)'
expect_content scripts/a.sh \
  $'#!/usr/bin/env bash\n# Says.\n#\n#   a.sh\n\n# '"$line"$'\nset -eu\necho'
expect_content scripts/b.sh "# $line"$'\n\n# Sourced.\nset -eu'
expect_content scripts/a.py \
  $'#!/usr/bin/env python3\n# '"$line"$'\n"""Says."""'
expect_content build-x/b.h '#pragma once'
[ -x scripts/a.sh ] || fail 'a script lost its mode'
exit "$failed"
