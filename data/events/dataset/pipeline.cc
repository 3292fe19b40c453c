// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/pipeline.h"

#include "absl/strings/str_cat.h"

namespace continuo {

absl::string_view DatasetPartName(DatasetPart part) {
  return part == DatasetPart::kTraining ? "training" : "eval";
}

void PipelineOutput::Discard(absl::string_view reason, int64_t times) {
  if (times > 0) discarded[std::string(reason)] += times;
}

void PipelineOutput::Clear() {
  examples.clear();
  discarded.clear();
  details.clear();
}

std::string StatisticName(absl::string_view stage, DatasetPart part,
                          absl::string_view name) {
  return absl::StrCat("DAGPipeline_", stage, "_", DatasetPartName(part), "_",
                      name);
}

}  // namespace continuo
