// SPDX-License-Identifier: Apache-2.0

// drums_rnn_generate: drums-specific flags and entry point.

#include <string>

#include "absl/flags/flag.h"
#include "data/events/drums/drums.h"
#include "generate/commands/generate_main.h"
#include "generate/commands/metric_primer_flags.h"
#include "generate/requests/drums_continuation.h"
#include "generate/requests/parse_primer.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, config, "drum_kit",
          "Configuration the model was trained with: one_drum or drum_kit. "
          "Only needed for Magenta checkpoints, which do not "
          "store it");
ABSL_FLAG(int32_t, num_steps, 128,
          "Length of each in steps (sixteenths, with one_drum eighths), the "
          "primer included");
ABSL_FLAG(std::string, primer_drums, "",
          "What to continue, as a list of the drums struck at each sixteenth: "
          "tuples of MIDI pitches, as in \"[(36, 42), (), (42,)]\"");
ABSL_FLAG(std::string, primer_midi, "",
          "MIDI, MusicXML or ABC file to continue, pitched notes as drums, "
          "too (--primer_instrument picks an instrument), as "
          "scripts/primers/drums_rnn/primer.mid; used if there is no "
          "--primer_drums. Without any primer each output begins with a bass "
          "drum");

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

absl::StatusOr<NoteSequence> ParseList(absl::string_view list, double qpm) {
  CONTINUO_ASSIGN_OR_RETURN(const DrumTrack track, ParseDrumsPrimer(list));
  return DrumTrackToSequence(track, {.qpm = qpm});
}

absl::StatusOr<MetricPrimer> PrimerOfFlags() {
  CONTINUO_ASSIGN_OR_RETURN(
      MetricPrimer primer,
      MetricPrimerOfFlags(
          {.list_flag = "primer_drums",
           .list = absl::GetFlag(FLAGS_primer_drums),
           .midi = ExpandHome(absl::GetFlag(FLAGS_primer_midi))},
          ParseList));
  if (primer.notes.has_value()) return primer;
  LogInfo("No primer: each output begins with a bass drum");
  CONTINUO_ASSIGN_OR_RETURN(primer.notes, ParseList("[(36,)]", primer.qpm));
  return primer;
}

absl::StatusOr<Outputs> MakeOutputs(const MetricPrimer& primer, int num_steps,
                                    const GenerateJob& job,
                                    const ModelConfig& config) {
  CONTINUO_ASSIGN_OR_RETURN(
      const std::shared_ptr<const Continuation> continuation,
      ContinueNotes(*primer.notes, primer.qpm, num_steps, config, job.search,
                    MakeDrumsContinuation));
  return Outputs(job.num_outputs, continuation);
}

absl::StatusOr<PreparedOutputs> Prepare(const GenerateJob& job) {
  return PrepareMetricOutputs(job, absl::GetFlag(FLAGS_num_steps),
                              PrimerOfFlags, MakeOutputs);
}

void AddConfig(ModelSource* source) {
  source->config = absl::GetFlag(FLAGS_config);
  source->default_config = "drum_kit";
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::GenerateMain(
      argc, argv,
      {.family = continuo::Family::kDrums,
       .example_flags = "--primer_drums=\"[(36, 42), (), (42,)]\"",
       .add_config = continuo::AddConfig,
       .prepare = continuo::Prepare});
}
