// SPDX-License-Identifier: Apache-2.0

// melody_rnn_generate: melody-specific flags and entry point.

#include <map>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "data/events/melody/melody.h"
#include "generate/commands/generate_main.h"
#include "generate/commands/metric_primer_flags.h"
#include "generate/requests/melody_continuation.h"
#include "generate/requests/primer.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, config, "",
          "Configuration the model was trained with. Only needed for "
          "Magenta checkpoints, which do not store it");
ABSL_FLAG(std::string, melody_encoder_decoder, "",
          "onehot, lookback or key: in place of --config");
ABSL_FLAG(int32_t, num_steps, 128,
          "Length of each in steps (sixteenths), the primer included");
ABSL_FLAG(std::string, primer_melody, "",
          "What to continue, as a list: pitches 0 to 127, -1 ends a note, -2 "
          "holds it; e.g. \"[60, -2, 60, -2, 67, -2, 67, -2]\"");
ABSL_FLAG(std::string, primer_midi, "",
          "MIDI, MusicXML or ABC file to continue (one melody; "
          "--primer_instrument picks one), as "
          "scripts/primers/melody_rnn/primer.mid; used if there is no "
          "--primer_melody. Without any primer each output begins as the "
          "melodies that the network was trained on do, or, where the model "
          "does not know, with a note of its range; the seed draws");

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

absl::StatusOr<MetricPrimer> PrimerOfFlags() {
  return MetricPrimerOfFlags(
      {.list_flag = "primer_melody",
       .list = absl::GetFlag(FLAGS_primer_melody),
       .midi = ExpandHome(absl::GetFlag(FLAGS_primer_midi))},
      [](absl::string_view list, double qpm) -> absl::StatusOr<NoteSequence> {
        CONTINUO_ASSIGN_OR_RETURN(const Melody melody, ParseMelodyPrimer(list));
        return MelodyToSequence(melody, {.qpm = qpm});
      });
}

// What each output continues; equal primers share one object.
absl::StatusOr<Outputs> MakeOutputs(const MetricPrimer& primer, int num_steps,
                                    const GenerateJob& job,
                                    const ModelConfig& config) {
  if (primer.notes.has_value()) {
    CONTINUO_ASSIGN_OR_RETURN(
        const std::shared_ptr<const Continuation> continuation,
        ContinueNotes(*primer.notes, primer.qpm, num_steps, config, job.search,
                      MakeMelodyContinuation));
    return Outputs(job.num_outputs, continuation);
  }
  LogInfo("No primer: each output begins with ",
          config.first_events.empty()
              ? "a random note of the model's range (what its training "
                "melodies begin with is not stored with it)"
              : "what the melodies it was trained on begin with",
          "; --primer_melody=\"[60]\" begins with middle C");
  Outputs outputs;
  std::map<Event, std::shared_ptr<const Continuation>> of_event;
  for (int i = 0; i < job.num_outputs; ++i) {
    const Event first = DrawFirstEvent(job.seed, i, config);
    std::shared_ptr<const Continuation>& continuation = of_event[first];
    if (continuation == nullptr) {
      CONTINUO_ASSIGN_OR_RETURN(
          continuation, BeginMelody(first, primer.qpm, num_steps, config));
    }
    outputs.push_back(continuation);
  }
  return outputs;
}

absl::StatusOr<PreparedOutputs> Prepare(const GenerateJob& job) {
  return PrepareMetricOutputs(job, absl::GetFlag(FLAGS_num_steps),
                              PrimerOfFlags, MakeOutputs);
}

void AddConfig(ModelSource* source) {
  source->config = absl::GetFlag(FLAGS_config);
  source->melody_encoder_decoder = absl::GetFlag(FLAGS_melody_encoder_decoder);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::GenerateMain(
      argc, argv,
      {.family = continuo::Family::kMelody,
       .example_flags = "--primer_melody=\"[60, -2, 62, -2, 64, -2]\"",
       .add_config = continuo::AddConfig,
       .prepare = continuo::Prepare});
}
