// drums_rnn_generate: drums-specific flags and entry point.

#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/events/drums/drums.h"
#include "generate/commands/generate_main.h"
#include "generate/requests/drums_continuation.h"
#include "generate/requests/parse_primer.h"
#include "generate/requests/primer.h"
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
ABSL_FLAG(int32_t, new_bars, 0,
          "Bars of four quarters to write after the primer, in place of "
          "--num_steps; 0 = --num_steps counts");
ABSL_FLAG(std::string, primer_drums, "",
          "What to continue, as a list of the drums struck at each sixteenth: "
          "tuples of MIDI pitches, as in \"[(36, 42), (), (42,)]\"");
ABSL_FLAG(std::string, primer_midi, "",
          "MIDI, MusicXML or ABC file to continue, pitched notes as drums, "
          "too (--primer_instrument picks an instrument), as "
          "scripts/primers/drums_rnn/primer.mid; used if there is no "
          "--primer_drums. Without any primer each output begins with a bass "
          "drum");
ABSL_FLAG(double, qpm, 0,
          "Tempo in quarter notes per minute; 0 means 120. The tempo of "
          "--primer_midi comes before it");

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

struct Primer {
  NoteSequence notes;
  double qpm = 120;
};

absl::StatusOr<Primer> PrimerOfFlags() {
  Primer primer;
  CONTINUO_ASSIGN_OR_RETURN(primer.qpm, CheckQpm(absl::GetFlag(FLAGS_qpm)));
  std::string list = absl::GetFlag(FLAGS_primer_drums);
  const std::string path = ExpandHome(absl::GetFlag(FLAGS_primer_midi));
  if (list.empty() && !path.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(
        primer.notes,
        ReadPrimerOfFlags(path, "the outputs begin with a silent step"));
    if (primer.notes.tempos_size() > 0 && primer.notes.tempos(0).qpm() != 0) {
      primer.qpm = primer.notes.tempos(0).qpm();
    }
    return primer;
  }
  if (list.empty()) {
    LogInfo("No primer: each output begins with a bass drum");
    list = "[(36,)]";
  } else if (!path.empty()) {
    LogWarn("--primer_midi is not read: --primer_drums comes before it");
  }
  const absl::StatusOr<DrumTrack> track = ParseDrumsPrimer(list);
  CONTINUO_RETURN_IF_ERROR(Annotate(track.status(), "--primer_drums"));
  primer.notes = DrumTrackToSequence(*track, {.qpm = primer.qpm});
  return primer;
}

absl::StatusOr<Outputs> MakeOutputs(const Primer& primer,
                                    const GenerateJob& job,
                                    const ModelConfig& config) {
  const int new_bars = absl::GetFlag(FLAGS_new_bars);
  const int num_steps = new_bars == 0
                            ? absl::GetFlag(FLAGS_num_steps)
                            : StepsWithBars(primer.notes, primer.qpm,
                                            config.steps_per_quarter, new_bars);
  CONTINUO_ASSIGN_OR_RETURN(
      const auto request,
      ContinuationRequest(primer.notes, primer.qpm, config.steps_per_quarter,
                          num_steps, job.search));
  absl::StatusOr<std::unique_ptr<Continuation>> continuation =
      MakeDrumsContinuation(primer.notes, request, config);
  CONTINUO_RETURN_IF_ERROR(WithRemedy(
      continuation.status(),
      BarsRemedy(primer.notes, primer.qpm, config.steps_per_quarter)));
  return Outputs(job.num_outputs,
                 std::shared_ptr<const Continuation>(*std::move(continuation)));
}

absl::StatusOr<PreparedOutputs> Prepare(const GenerateJob& job) {
  const int num_steps = absl::GetFlag(FLAGS_num_steps);
  const int new_bars = absl::GetFlag(FLAGS_new_bars);
  CONTINUO_RETURN_IF_ERROR(CheckLength(num_steps, new_bars));
  CONTINUO_ASSIGN_OR_RETURN(const Primer primer, PrimerOfFlags());
  return PreparedOutputs{
      .description = LengthText(num_steps, new_bars, primer.qpm),
      .make = [primer, job](LoadedModel* model) {
        return MakeOutputs(primer, job, model->config);
      }};
}

ModelSource GetModelSource() {
  ModelSource source;
  source.config = absl::GetFlag(FLAGS_config);
  source.default_config = "drum_kit";
  return source;
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::GenerateMain(
      argc, argv,
      {.family = continuo::Family::kDrums,
       .example_flags = "--primer_drums=\"[(36, 42), (), (42,)]\"",
       .model_source = continuo::GetModelSource,
       .prepare = continuo::Prepare});
}
