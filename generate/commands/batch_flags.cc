// SPDX-License-Identifier: Apache-2.0

#include "generate/commands/batch_flags.h"

#include "absl/flags/flag.h"
#include "runtime/base/status.h"
#include "runtime/command/flag_checks.h"

ABSL_FLAG(int, batch, 0,
          "Sequences computed at once, beams included; 0 is 32 per thread, "
          "4096 on a GPU. No result depends on it.");

namespace continuo {

absl::StatusOr<int> BatchOfFlags() {
  const int batch = absl::GetFlag(FLAGS_batch);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("batch", batch, 0));
  return batch;
}

}  // namespace continuo
