#!/usr/bin/env bash
# man_page.sh COMMAND VERSION: prints the man page of a command, made from what
# its --help=all prints.

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
command=$1
version=$2
help=$("$command" --help=all)

# Blocks of the help text are parted by empty lines: what the command does, with
# examples indented; groups of flags, "  --name=VALUE" and below it six blanks
# and the description; "Exit status: ..." and "See also: a, b".
awk -v name="$(basename "$command")" -v version="$version" '
function quote(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  if (text ~ /^[.\x27]/) text = "\\&" text
  return text
}
function first_sentence(text) {
  sub(/[.]( .*)?$/, "", text)
  return tolower(substr(text, 1, 1)) substr(text, 2)
}
function section(title) { if (title != last) print ".SH " title; last = title }
function example(on) {
  if (on && !in_example) print ".PP\n.EX"
  if (!on && in_example) print ".EE"
  in_example = on
}
function text_block(  i) {
  section(seen_flags ? "NOTES" : "DESCRIPTION")
  if (!(lines[1] ~ /^ /)) print ".PP"
  for (i = 1; i <= count; i++) {
    example(lines[i] ~ /^ /)
    print quote(lines[i])
  }
  example(0)
}
function flag_block(  i, text) {
  section("OPTIONS")
  seen_flags = 1
  print ".SS " quote(lines[1])
  for (i = 2; i <= count; i++) {
    text = lines[i]
    if (text ~ /^  --/) {
      # "  --version       what it prints" is both in one line.
      match(text, /^  --[^ ]+/)
      print ".TP\n.B " quote(substr(text, 3, RLENGTH - 2))
      text = substr(text, RLENGTH + 1)
    }
    sub(/^ +/, "", text)
    if (text != "") print quote(text)
  }
}
function see_also(  i, text, names, n) {
  section("SEE ALSO")
  for (i = 1; i <= count; i++) text = text " " lines[i]
  sub(/^ *See also: */, "", text)
  n = split(text, names, /, */)
  for (i = 1; i <= n; i++) {
    print ".BR " quote(names[i]) " (1)" (i < n ? "," : "")
  }
}
function block(  i) {
  if (count == 0) return
  if (!begun) {
    begun = 1
    print ".TH " toupper(name) " 1 \"\" \"continuo " version "\" continuo"
    print ".SH NAME\n" quote(name) " \\- " quote(first_sentence(lines[1] \
        (count > 1 && lines[2] !~ /^ / ? " " lines[2] : "")))
    print ".SH SYNOPSIS\n.B " quote(name) "\n.RI [\\-\\- flag = value ]..."
    last = ""
    text_block()
  } else if (count > 1 && lines[2] ~ /^  --/) {
    flag_block()
  } else if (lines[1] ~ /^Exit status: /) {
    section("EXIT STATUS")
    sub(/^Exit status: /, "", lines[1])
    for (i = 1; i <= count; i++) print quote(lines[i])
  } else if (lines[1] ~ /^See also: /) {
    see_also()
  } else {
    text_block()
  }
  count = 0
}
/^$/ { block(); next }
{ lines[++count] = $0 }
END { block() }' <<<"$help"
