// SPDX-License-Identifier: Apache-2.0

// NoteSequence bytes from outside through the dataset pipelines of drums and
// performances, and as primers.

#include <cstdint>

#include "data/events/dataset/drums_pipeline.h"
#include "data/events/dataset/performance_pipeline.h"
#include "data/events/drums/drums_extract.h"
#include "data/events/performance/performance_extract.h"
#include "data/notes/quantize.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

void Run(const DatasetPipeline& pipeline, NoteSequence sequence) {
  Statistics statistics;
  PipelineOutput output;
  CONTINUO_CHECK(
      pipeline.Run(DatasetPart::kTraining, &sequence, &statistics, &output)
          .ok());
  CONTINUO_CHECK(!output.examples.empty() || !output.discarded.empty());
}

void FuzzOne(const uint8_t* data, size_t size) {
  NoteSequence sequence;
  if (!sequence.ParseFromArray(data, static_cast<int>(size))) return;
  NoteSequence primer = sequence;
  if (QuantizeMetric(2, &primer).ok()) {
    (void)ExtractDrumTracks(primer, PrimingDrumsOptions());
  }
  static const auto& drums =
      *MakeDrumsPipeline({.encoding = {.encoding = Encoding::kDrumKit},
                          .all_are_drums = true})
           .release();
  Run(drums, sequence);
  static const auto& tuples =
      *MakePerformancePipeline({.encoding = {.encoding = Encoding::kNoteTuples,
                                             .num_velocity_bins = 32},
                                .stretch_factors = {1.05},
                                .transpositions = {-3, 2}})
           .release();
  Run(tuples, sequence);
  static const auto& conditioned =
      *MakePerformancePipeline({.encoding = {.encoding = Encoding::kPerformance,
                                             .num_velocity_bins = 32,
                                             .controls = {.density = true,
                                                          .histogram = true,
                                                          .optional = true}},
                                .stretch_factors = {1},
                                .transpositions = {0}})
           .release();
  Run(conditioned, sequence);
}

}  // namespace
}  // namespace continuo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  continuo::FuzzOne(data, size);
  return 0;
}
