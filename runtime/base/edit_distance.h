// SPDX-License-Identifier: Apache-2.0

// The nearest of several names, for messages about a misspelt one.

#ifndef CONTINUO_RUNTIME_BASE_EDIT_DISTANCE_H_
#define CONTINUO_RUNTIME_BASE_EDIT_DISTANCE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace continuo {

// Insertions, deletions and replacements of one character that turn `a` into
// `b`.
int EditDistance(absl::string_view a, absl::string_view b);

// The candidate with the smallest distance, the first of several; empty without
// candidates.
std::string NearestName(absl::string_view name,
                        absl::Span<const std::string> candidates);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_BASE_EDIT_DISTANCE_H_
