// SPDX-License-Identifier: Apache-2.0

// The control columns of a conditioned example in runs of equal rows, as
// compact records hold them.

#ifndef CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROL_RUNS_H_
#define CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROL_RUNS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/events/performance/controls.h"
#include "data/proto/compact.pb.h"
#include "data/records/sparse_rows.h"

namespace continuo {

// Takes the columns [0, spec.width()) off the rows of `inputs`: `rest` becomes
// the others, moved to the left. InvalidArgument that names the step whose
// controls AddControls cannot have made.
absl::StatusOr<ControlRuns> TakeControls(const ControlSpec& spec,
                                         const SparseRows& inputs,
                                         SparseRows* rest);

// The reverse: puts the controls in front of the rows of `rest`. DataLoss if
// the runs do not fit these rows.
absl::Status PutControls(const ControlSpec& spec, const ControlRuns& runs,
                         const SparseRows& rest, SparseRows* inputs);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_PERFORMANCE_CONTROL_RUNS_H_
