// SPDX-License-Identifier: Apache-2.0

// A data set that all processes of a job open, and one reads.

#ifndef CONTINUO_DATA_RECORDS_OPEN_TOGETHER_H_
#define CONTINUO_DATA_RECORDS_OPEN_TOGETHER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/records/dataset.h"
#include "runtime/collective/collective.h"

namespace continuo {

// Dataset::Open. Of several ranks (`collective` null = one process), the first
// one reads the files, or their indexes, and gives the others what it found;
// they wait as long as it takes and check a few records of what they see
// themselves. One that sees other files reads those; whether that matters is
// for the caller to say, by Dataset::digest. An error of the first one is
// everybody's.
absl::StatusOr<std::unique_ptr<Dataset>> OpenTogether(
    absl::string_view spec, const ExampleFormat& format, ThreadPool* pool,
    Collective* collective, const OpenDatasetOptions& options = {});

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_OPEN_TOGETHER_H_
