// melody_rnn_generate: melody-specific flags and entry point.

#include <map>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "data/events/melody/melody.h"
#include "generate/commands/generate_main.h"
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
ABSL_FLAG(int32_t, new_bars, 0,
          "Bars of four quarters to write after the primer, in place of "
          "--num_steps; 0 = --num_steps counts");
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
ABSL_FLAG(double, qpm, 0,
          "Tempo in quarter notes per minute; 0 means 120. The tempo of "
          "--primer_midi comes before it");

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// The notes to continue and their tempo.
struct Primer {
  absl::optional<NoteSequence> notes;  // none: a random note for each output
  double qpm = 120;
};

absl::StatusOr<Primer> PrimerOfFlags() {
  Primer primer;
  CONTINUO_ASSIGN_OR_RETURN(primer.qpm, CheckQpm(absl::GetFlag(FLAGS_qpm)));
  const std::string list = absl::GetFlag(FLAGS_primer_melody);
  const std::string path = ExpandHome(absl::GetFlag(FLAGS_primer_midi));
  if (!list.empty()) {
    if (!path.empty()) {
      LogWarn("--primer_midi is not read: --primer_melody comes before it");
    }
    const absl::StatusOr<Melody> melody = ParseMelodyPrimer(list);
    CONTINUO_RETURN_IF_ERROR(Annotate(melody.status(), "--primer_melody"));
    primer.notes = MelodyToSequence(*melody, {.qpm = primer.qpm});
    return primer;
  }
  if (path.empty()) return primer;
  CONTINUO_ASSIGN_OR_RETURN(
      primer.notes,
      ReadPrimerOfFlags(path, "the outputs begin with a silent step"));
  if (primer.notes->tempos_size() > 0 && primer.notes->tempos(0).qpm() != 0) {
    primer.qpm = primer.notes->tempos(0).qpm();
  }
  return primer;
}

int NumSteps(const Primer& primer, const ModelConfig& config) {
  const int bars = absl::GetFlag(FLAGS_new_bars);
  if (bars == 0) return absl::GetFlag(FLAGS_num_steps);
  return StepsWithBars(primer.notes.value_or(NoteSequence()), primer.qpm,
                       config.steps_per_quarter, bars);
}

absl::StatusOr<std::shared_ptr<const Continuation>> Continue(
    const NoteSequence& notes, double qpm, int num_steps,
    const ModelConfig& config, const SearchOptions& search) {
  CONTINUO_ASSIGN_OR_RETURN(
      const auto request,
      ContinuationRequest(notes, qpm, config.steps_per_quarter, num_steps,
                          search));
  absl::StatusOr<std::unique_ptr<Continuation>> continuation =
      MakeMelodyContinuation(notes, request, config);
  CONTINUO_RETURN_IF_ERROR(WithRemedy(
      continuation.status(), BarsRemedy(notes, qpm, config.steps_per_quarter)));
  return std::shared_ptr<const Continuation>(*std::move(continuation));
}

// What each output continues; equal primers share one object.
absl::StatusOr<Outputs> MakeOutputs(const Primer& primer,
                                    const GenerateJob& job,
                                    const ModelConfig& config) {
  const int num_steps = NumSteps(primer, config);
  if (primer.notes.has_value()) {
    CONTINUO_ASSIGN_OR_RETURN(
        const std::shared_ptr<const Continuation> continuation,
        Continue(*primer.notes, primer.qpm, num_steps, config, job.search));
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
  source.melody_encoder_decoder = absl::GetFlag(FLAGS_melody_encoder_decoder);
  return source;
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::GenerateMain(
      argc, argv,
      {.family = continuo::Family::kMelody,
       .example_flags = "--primer_melody=\"[60, -2, 62, -2, 64, -2]\"",
       .model_source = continuo::GetModelSource,
       .prepare = continuo::Prepare});
}
