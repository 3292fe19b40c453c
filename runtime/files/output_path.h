// SPDX-License-Identifier: Apache-2.0

// What the paths that a user gives for outputs stand for.

#ifndef CONTINUO_RUNTIME_FILES_OUTPUT_PATH_H_
#define CONTINUO_RUNTIME_FILES_OUTPUT_PATH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace continuo {

// As an output, standard output; as an input, standard input.
inline constexpr absl::string_view kStandardStream = "-";

struct OutputTarget {
  enum class Kind {
    kReplaced,    // a regular file, or none yet: `path`, links followed
    kThrough,     // a device, a named pipe: `path` is opened and written to
    kDescriptor,  // "-", /dev/stdout, /dev/fd/63: open already, `descriptor`
  };
  Kind kind = Kind::kReplaced;
  std::string path;
  int descriptor = -1;
};

// InvalidArgument if `path` is empty or names a folder; the system's error if
// it cannot be looked at.
absl::StatusOr<OutputTarget> ResolveOutput(const std::string& path);

// A path and the field that it comes from, as in {"report", "r.jsonl"}. An
// empty path is an output that is not wanted.
struct FieldPath {
  std::string field;
  std::string path;
};

// InvalidArgument if two outputs would be written to one place, or an output
// over an input: both fields are named. Paths are compared after following
// links. Devices such as /dev/null take any number of outputs.
absl::Status CheckDistinctPaths(absl::Span<const FieldPath> outputs,
                                absl::Span<const FieldPath> inputs = {});

// InvalidArgument if the name of an output ends in none of `endings` (in any
// case, the dot included) and would become a file: the format follows from the
// field, and a wrong ending would lie about it. `format` says what is written,
// as in "a PNG picture".
absl::Status CheckEnding(const FieldPath& output, absl::string_view format,
                         const std::vector<absl::string_view>& endings);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_FILES_OUTPUT_PATH_H_
