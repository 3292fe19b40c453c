// SPDX-License-Identifier: Apache-2.0

// What the forms of Collective share: checks of arguments, and the words of
// their errors.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_COLLECTIVE_CALLS_H_
#define CONTINUO_RUNTIME_COLLECTIVE_COLLECTIVE_CALLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "runtime/collective/collective.h"

namespace continuo {

// One array for each rank, and the own parts of one size.
void CheckExchange(const Collective& collective,
                   absl::Span<const absl::Span<const float>> send,
                   absl::Span<const absl::Span<float>> receive);
// size + 1 places that do not go back, from 0 to `count`.
void CheckSlices(const Collective& collective,
                 absl::Span<const int64_t> slice_begin, size_t count);

// What a rank sends itself.
absl::Status CopyOwnPart(const Stream& stream, absl::Span<const float> send,
                         absl::Span<float> receive);

// What the host of this process is called.
std::string LocalHostName();

// "rank 2 (host b)", "ranks 2 (host b) and 3 (host c)"; of many, the first ones
// and a count. A host that is not known is left out.
std::string NameRanks(absl::Span<const int> ranks,
                      absl::Span<const std::string> hosts);

// What a rank is doing: "an exchange of 1.5 MB".
std::string CallText(absl::string_view what, int64_t bytes);

// DeadlineExceeded: `missing` did not come to the call in time.
absl::Status MissingRanks(absl::string_view call, absl::Duration timeout,
                          absl::Span<const int> missing,
                          absl::Span<const std::string> hosts);

// Aborted: what the others are told when a rank gives up.
absl::Status GaveUp(int rank, absl::Span<const std::string> hosts,
                    absl::string_view why);

// Aborted: a rank ended its collective, in good order, while this one still
// waits for it.
absl::Status HasLeft(int rank, absl::Span<const std::string> hosts,
                     absl::string_view call);

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_COLLECTIVE_CALLS_H_
