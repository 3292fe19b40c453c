// SPDX-License-Identifier: Apache-2.0

// A folder for the files of one test, removed afterwards.

#ifndef CONTINUO_TESTS_TESTING_SCRATCH_H_
#define CONTINUO_TESTS_TESTING_SCRATCH_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/string_view.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"

namespace continuo::testing {

class ScratchDir {
 public:
  ScratchDir() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "continuo_XXXXXX").string();
    CONTINUO_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  // The folder, or a path in it.
  std::string Path(absl::string_view below = "") const {
    return JoinPath(path_, below);
  }

 private:
  std::string path_;
};

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_SCRATCH_H_
