// SPDX-License-Identifier: Apache-2.0

// Stages and counters shared by the dataset pipelines of several families.

#ifndef CONTINUO_DATA_EVENTS_DATASET_PIPELINE_STAGES_H_
#define CONTINUO_DATA_EVENTS_DATASET_PIPELINE_STAGES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/events/dataset/pipeline.h"
#include "data/events/encoding/event_encoder.h"
#include "data/notes/quantize.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Adds the example of these events to the output; fewer than two hold nothing
// to predict and are counted as dropped.
absl::Status AddExample(const EventEncoder& encoder,
                        absl::Span<const Event> events, PipelineOutput* output);

// Where the counters of one stage go.
struct StageCounters {
  absl::string_view stage;
  DatasetPart part;
  Statistics* statistics;
  PipelineOutput* output;

  // Adds to the statistic `name` of the stage.
  void Count(absl::string_view name, int64_t amount) const;
  // The same for what was dropped: also a reason of the output.
  void Discard(absl::string_view name, int64_t amount) const;
  // The distribution `name` of lengths, with bounds around `min_bars`.
  void CountBars(absl::string_view name, absl::Span<const int64_t> lengths,
                 int min_bars) const;
};

// Drops fields that no stage reads, which bounds the cost of splitting a
// sequence of many time changes into many copies of the rest. Keeps notes,
// total time, time signatures and tempos.
void KeepNotesAndGrid(tensorflow::magenta::NoteSequence* sequence);

// Counts a sequence that quantization refused with `failure` and `message`.
void CountQuantizeFailure(QuantizeFailure failure, absl::string_view message,
                          DatasetPart part, Statistics* statistics,
                          PipelineOutput* output);

// Calls `run` for each piece of `sequence` in one metre and tempo, quantized to
// `steps_per_quarter`. Pieces that cannot be quantized are counted instead.
absl::Status RunMetricPieces(
    const tensorflow::magenta::NoteSequence& sequence, int steps_per_quarter,
    DatasetPart part, Statistics* statistics, PipelineOutput* output,
    absl::FunctionRef<absl::Status(tensorflow::magenta::NoteSequence*)> run);

// Adds `amount` to the pitches of all but drum notes; false, with nothing
// changed, if one would leave 0..127.
bool TransposeNotes(int amount, tensorflow::magenta::NoteSequence* sequence);

// Calls `run` for `piece` with each of `amounts` added to the pitches of all
// but drum notes. Amounts that would move one out of 0..127 are counted
// instead.
absl::Status RunTranspositions(
    absl::Span<const int> amounts, tensorflow::magenta::NoteSequence* piece,
    DatasetPart part, Statistics* statistics, PipelineOutput* output,
    absl::FunctionRef<absl::Status(const tensorflow::magenta::NoteSequence&)>
        run);

// The reason of pieces without a whole number of steps in a bar.
inline constexpr char kNonIntegerStepsPerBar[] = "non_integer_steps_per_bar";

// How to fix the reasons counted here.
std::string StageRemedy(absl::string_view reason, int steps_per_quarter);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_PIPELINE_STAGES_H_
