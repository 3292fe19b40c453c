// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/compute_options.h"

#include "runtime/base/status.h"

namespace continuo {

absl::StatusOr<ComputeOptions> ParseComputeOptions(absl::string_view precision,
                                                   absl::string_view form,
                                                   absl::string_view backend) {
  ComputeOptions options;
  CONTINUO_ASSIGN_OR_RETURN(options.precision, ParsePrecision(precision));
  CONTINUO_ASSIGN_OR_RETURN(options.form, ParseRecurrentForm(form));
  CONTINUO_ASSIGN_OR_RETURN(options.backend, ParseRnnBackend(backend));
  return options;
}

}  // namespace continuo
