// SPDX-License-Identifier: Apache-2.0

// Golden cases: found by listing the folder that CONTINUO_GOLDEN_DIR names
// (default tests/golden of the source tree), never by a list in code.

#ifndef CONTINUO_TESTS_TESTING_GOLDEN_H_
#define CONTINUO_TESTS_TESTING_GOLDEN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace continuo::testing {

// The golden folder, or a path below it.
std::string GoldenDir(absl::string_view below = "");

// True if the golden folder is another one than the repository's own: it may
// lack families, and their tests then skip instead of failing.
bool GoldenDirIsForeign();

// tests/cases of the source tree, or a path below it: small inputs with what
// they should give beside them, in folders per subject.
std::string CasesDir(absl::string_view below = "");

// Sorted names of the folders in `dir` (a full path), or of the files whose
// names end in `suffix`. Empty if `dir` does not exist.
std::vector<std::string> ListFolders(const std::string& dir);
std::vector<std::string> ListFiles(const std::string& dir,
                                   absl::string_view suffix);

// Whole file; fails the program with the path if it cannot be read.
std::string MustRead(const std::string& path);
nlohmann::json MustReadJson(const std::string& path);

// A number of golden JSON, where not-a-number and infinities are strings.
double JsonNumber(const nlohmann::json& value);

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_GOLDEN_H_
