// SPDX-License-Identifier: Apache-2.0

#include "generate/output/training_preview.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/drums/drums.h"
#include "data/events/encoder_table.h"
#include "data/events/performance/control_source.h"
#include "data/proto/generator.pb.h"
#include "generate/decoding/generator.h"
#include "generate/decoding/uniform_source.h"
#include "generate/pictures/piano_roll.h"
#include "generate/requests/continuation.h"
#include "generate/requests/drums_continuation.h"
#include "generate/requests/melody_continuation.h"
#include "generate/requests/performance_continuation.h"
#include "generate/requests/primer.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

constexpr int kQuarters = 32;  // eight bars of four quarters
constexpr double kQpm = 120;   // the default of the generate commands
constexpr double kPerformanceSeconds = 10;
constexpr int kBassDrum = 36;  // MIDI pitch
constexpr int kPictures = 4;
constexpr int kPictureWidth = 400;  // of the roll and its labels

// What sample `i` continues.
absl::StatusOr<std::unique_ptr<Continuation>> Begin(const ModelConfig& config,
                                                    uint64_t seed, int i) {
  if (config.family == Family::kPerformance) {
    GeneratorOptions options;
    options.add_generate_sections()->set_end_time(kPerformanceSeconds);
    return MakePerformanceContinuation(NoteSequence(), options, config,
                                       kDefaultNotesPerSecond);
  }
  const int num_steps = kQuarters * config.steps_per_quarter;
  if (config.family == Family::kMelody) {
    return BeginMelody(DrawFirstEvent(seed, i, config), kQpm, num_steps,
                       config);
  }
  CONTINUO_ASSIGN_OR_RETURN(const DrumTrack track,
                            DrumTrackFromPitches({{kBassDrum}}));
  const NoteSequence primer = DrumTrackToSequence(track, {.qpm = kQpm});
  CONTINUO_ASSIGN_OR_RETURN(
      const GeneratorOptions options,
      ContinuationRequest(primer, kQpm, config.steps_per_quarter, num_steps,
                          {}));
  return MakeDrumsContinuation(primer, options, config);
}

}  // namespace

absl::StatusOr<std::vector<NoteSequence>> GeneratePreviews(
    const EventRnn& rnn, const ModelConfig& config, uint64_t seed, int count,
    const std::function<bool()>& stop) {
  std::vector<std::unique_ptr<Continuation>> samples;
  std::vector<EventRequest> requests;
  for (int i = 0; i < count; ++i) {
    CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<Continuation> sample,
                              Begin(config, seed, i));
    const Continuation* continuation = sample.get();
    requests.push_back(
        {.primer = sample->primer(),
         .num_events = sample->num_events(),
         .output = static_cast<uint64_t>(i),
         .enough = [continuation, &stop](absl::Span<const Event> events) {
           return continuation->Missing(events) == 0 ||
                  (stop != nullptr && stop());
         }});
    samples.push_back(std::move(sample));
  }
  std::vector<NoteSequence> sequences(count);
  GenerateHooks hooks;
  // A performance whose events did not fill its time is shown as it is.
  hooks.done = [&](int64_t index, EventResult result) -> absl::Status {
    CONTINUO_ASSIGN_OR_RETURN(sequences[index],
                              samples[index]->Finish(std::move(result.events)));
    return absl::OkStatus();
  };
  const std::unique_ptr<EventEncoder> encoder =
      MakeEventEncoder(config.encoding);
  CONTINUO_RETURN_IF_ERROR(GenerateEvents(
      rnn, *encoder, requests, {}, SeededUniformSource(seed), count, hooks));
  return sequences;
}

absl::StatusOr<std::vector<Canvas>> RenderPreviews(
    const EventRnn& rnn, const ModelConfig& config, uint64_t seed,
    const std::function<bool()>& stop) {
  CONTINUO_ASSIGN_OR_RETURN(
      std::vector<NoteSequence> sequences,
      GeneratePreviews(rnn, config, seed, kPictures, stop));
  std::vector<Canvas> pictures;
  for (NoteSequence& sequence : sequences) {
    const PianoRollPanel panel = {
        .title = absl::StrCat("sample ", pictures.size() + 1),
        .sequence = std::move(sequence)};
    pictures.push_back(RenderPianoRolls({panel}, kPictureWidth));
  }
  return pictures;
}

}  // namespace continuo
