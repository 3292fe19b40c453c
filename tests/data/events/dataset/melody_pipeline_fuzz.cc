// SPDX-License-Identifier: Apache-2.0

// NoteSequence bytes from outside through the dataset pipeline of melodies,
// and as a primer.

#include <cstdint>

#include "data/events/dataset/melody_pipeline.h"
#include "data/events/melody/melody_extract.h"
#include "data/notes/quantize.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

void FuzzOne(const uint8_t* data, size_t size) {
  tensorflow::magenta::NoteSequence sequence;
  if (!sequence.ParseFromArray(data, static_cast<int>(size))) return;
  auto primer = sequence;
  if (QuantizeMetric(4, &primer).ok()) {
    (void)ExtractMelodies(primer, PrimingMelodyOptions());
  }
  static const auto& pipeline =
      *MakeMelodyPipeline(
           {.encoding = {.encoding = Encoding::kKeyMelody,
                         .min_note = 48,
                         .max_note = 84,
                         .transpose_to_key = 0},
            .extract = {.ignore_polyphonic_notes = size % 2 == 0},
            .transpositions = {-5, 0, 6}})
           .release();
  Statistics statistics;
  PipelineOutput output;
  CONTINUO_CHECK(
      pipeline.Run(DatasetPart::kTraining, &sequence, &statistics, &output)
          .ok());
  CONTINUO_CHECK(!output.examples.empty() || !output.discarded.empty());
}

}  // namespace
}  // namespace continuo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  continuo::FuzzOne(data, size);
  return 0;
}
