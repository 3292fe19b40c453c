// SPDX-License-Identifier: Apache-2.0

// Status helpers: the return macros every fallible function uses.
//
// A failure that a user can cause travels as absl::Status with the file, the
// field and the remedy in its message; a broken invariant is CONTINUO_CHECK
// (runtime/base/log.h). There is no other error channel.

#ifndef CONTINUO_RUNTIME_BASE_STATUS_H_
#define CONTINUO_RUNTIME_BASE_STATUS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace continuo {

// Returns `status` with "context: " before its message, payloads kept; OK stays
// OK.
inline absl::Status Annotate(const absl::Status& status,
                             absl::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(),
                         absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

}  // namespace continuo

#define CONTINUO_CONCAT_INNER(a, b) a##b
#define CONTINUO_CONCAT(a, b) CONTINUO_CONCAT_INNER(a, b)

// Returns from the enclosing function if `expr` is not OK.
#define CONTINUO_RETURN_IF_ERROR(expr)                 \
  do {                                                 \
    absl::Status continuo_status = (expr);             \
    if (!continuo_status.ok()) return continuo_status; \
  } while (false)

// CONTINUO_ASSIGN_OR_RETURN(auto x, MakeX()) declares x or returns the error.
#define CONTINUO_ASSIGN_OR_RETURN(lhs, expr) \
  CONTINUO_ASSIGN_OR_RETURN_IMPL(            \
      CONTINUO_CONCAT(continuo_statusor_, __LINE__), lhs, expr)
#define CONTINUO_ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                                   \
  if (!result.ok()) return result.status();               \
  lhs = std::move(result).value()

#endif  // CONTINUO_RUNTIME_BASE_STATUS_H_
