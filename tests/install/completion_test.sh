#!/usr/bin/env bash
# completion_test.sh BUILD: what bash completes on the command line of a command.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=../scripts/testing.sh disable=SC2016
. "$(dirname "$0")/../scripts/testing.sh"
build=$1
# shellcheck source=/dev/null
. "$build/completion.bash"

# completes LINE WORD...: the words that LINE, with the cursor at its end, can
# go on with.
completes() {
  local line=$1
  shift
  COMP_LINE=$line
  COMP_POINT=${#line}
  COMPREPLY=()
  _continuo "${line%% *}"
  local got
  got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')
  local want
  want=$(printf '%s\n' "$@" | sort | tr '\n' ' ')
  [ "$got" = "$want" ] || fail "'$line' goes on with '$got', not '$want'"
}

tool sing '
[ "$*" = --help=all ] || exit 9
cat <<\END
Sings.

Required
  --song=FILE
      The --song to sing.
  --song_dir=FOLDER
  --voice=alto|bass|cuda:N|tenor_2
  --[no]loud
  --help=WORD     what it does
  --log=LEVEL
END'
mkdir -p "$dir/songs/folder" && touch "$dir/songs/file"
cd "$dir/songs" || exit 1
completes 'sing --so' --song= --song_dir=
completes 'sing -so' --song= --song_dir=
completes 'sing --song=x --l' --loud --log=
completes 'sing --n' --noloud
completes 'sing --voice=' alto bass tenor_2
completes 'sing --voice=b' bass
completes 'sing --log=' DEBUG ERROR FATAL INFO WARN
completes 'sing --song=f' file folder
completes 'sing --song_dir=f' folder
completes 'sing word' ''
completes 'sing --none' ''
completes 'no_such_command --s' ''
(
  COMP_WORDBREAKS=' '
  completes 'sing --voice=b' --voice=bass
  exit "$failed"
) || failed=1

# A command of the build, whose path may have blanks; registered for all of them.
PATH=$build/bin:$PATH
completes 'melody_rnn_generate --bundle_f' --bundle_file=
completes 'melody_rnn_generate --rnn_form=' auto persistent stepwise
for command in "$build"/man/*.1; do
  complete -p "$(basename "$command" .1)" >/dev/null ||
    fail "nothing is completed for $command"
done
exit "$failed"
