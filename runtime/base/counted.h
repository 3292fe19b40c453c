// SPDX-License-Identifier: Apache-2.0

// "1 file", "2 files": numbers of things in messages.

#ifndef CONTINUO_RUNTIME_BASE_COUNTED_H_
#define CONTINUO_RUNTIME_BASE_COUNTED_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace continuo {

// The number and the noun, in the plural unless the number is 1.
inline std::string Counted(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_COUNTED_H_
