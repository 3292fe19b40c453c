// SPDX-License-Identifier: Apache-2.0

// Words of shell command lines in tests.

#ifndef CONTINUO_TESTS_TESTING_SHELL_H_
#define CONTINUO_TESTS_TESTING_SHELL_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace continuo::testing {

// One word of a POSIX shell that means `text`, whatever is in it: the checkout
// and the build may be in folders with blanks in their names.
inline std::string ShellQuote(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

#ifdef CONTINUO_BIN_DIR
// The word for one of the project's commands.
inline std::string ShellCommand(absl::string_view name) {
  return ShellQuote(absl::StrCat(CONTINUO_BIN_DIR, "/", name));
}
#endif

// The word for a file or folder of the checkout.
inline std::string ShellSource(absl::string_view below) {
  return ShellQuote(absl::StrCat(CONTINUO_SOURCE_DIR, "/", below));
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_SHELL_H_
