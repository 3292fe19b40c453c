#!/usr/bin/env bash
# man_page_test.sh BUILD: man pages hold what help texts hold, as roff.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=../scripts/testing.sh disable=SC2016
. "$(dirname "$0")/../scripts/testing.sh"
build=$1

# Help with what means something to roff.
tool sing '
[ "$*" = --help=all ] || exit 9
cat <<\END
Sings a song. It is long.

  sing --song=a \
      --loud

.dots and \backslashes stay.

Required
  --song=FILE
      What to sing.
  --[no]loud
      Loudly. Default: true.

Everywhere
  --version       version and build

Exit status: 0.

See also: hum, play_it
END'
expect_exit 0 "$source_dir/scripts/install/man_page.sh" "$dir/bin/sing" 1.2.3
for line in '.TH SING 1 "" "continuo 1.2.3" continuo' 'sing \- sings a song' \
    '.SH DESCRIPTION' '  sing \-\-song=a \e' '\&.dots and \ebackslashes stay.' \
    '.SH OPTIONS' '.SS Required' '.B \-\-song=FILE' 'What to sing.' \
    '.B \-\-[no]loud' '.B \-\-version' '.SH EXIT STATUS' '.BR hum (1),' \
    '.BR play_it (1)'; do
  grep -qxF -e "$line" "$dir/out" || fail "the man page lacks: $line"
done

# A command that fails has none.
tool sing 'exit 3'
expect_exit 3 "$source_dir/scripts/install/man_page.sh" "$dir/bin/sing" 1.2.3

# Those of the build name every flag, and mandoc or groff, where there is one,
# has nothing to complain of.
pages=("$build"/man/*.1)
[ ${#pages[@]} -ge 16 ] || fail "only ${#pages[@]} man pages in $build/man"
for page in "${pages[@]}"; do
  command=$(basename "$page" .1)
  "$build/bin/$command" --help=all | sed -n 's/^  \(--[^ ]*\).*/\1/p' \
    >"$dir/flags"
  [ -s "$dir/flags" ] || fail "$command has no flags"
  while IFS= read -r flag; do
    grep -qxF -e ".B ${flag//-/\\-}" "$page" || fail "$page lacks $flag"
  done <"$dir/flags"
  if command -v groff >/dev/null; then
    groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null | grep -v 'cannot' \
      >"$dir/warnings"
    [ ! -s "$dir/warnings" ] || fail "$page: $(cat "$dir/warnings")"
  fi
done
exit "$failed"
