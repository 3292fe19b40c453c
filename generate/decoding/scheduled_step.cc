// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/scheduled_step.h"

namespace continuo {

std::vector<int64_t> TeacherForced(const ScheduledStep& step, int64_t heads) {
  if (step.prefixes == 0) return {};
  std::vector<int64_t> labels = step.prefix_labels;
  labels.resize(step.rows * heads, -1);
  return labels;
}

std::vector<double> Uniforms(const ScheduledStep& first, int64_t steps,
                             absl::Span<const EventRequest> requests,
                             int64_t hypotheses, int64_t heads,
                             const UniformSource& uniforms) {
  std::vector<double> u(steps * first.rows * heads, 0.0);
  int64_t slot = 0;
  for (int64_t step = 0; step < steps; ++step) {
    slot += first.prefixes * heads;
    for (size_t i = 0; i < first.requests.size(); ++i) {
      DrawPosition position{.output = requests[first.requests[i]].output,
                            .step = first.search_steps[i] + step};
      for (; position.hypothesis < hypotheses; ++position.hypothesis) {
        for (position.head = 0; position.head < heads; ++position.head) {
          u[slot++] = uniforms.Draw(position);
        }
      }
    }
  }
  return u;
}

}  // namespace continuo
