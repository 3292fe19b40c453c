// SPDX-License-Identifier: Apache-2.0

// performance_rnn_generate: performance-specific flags and entry point.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "data/events/melody/melody.h"
#include "data/events/performance/performance.h"
#include "generate/commands/generate_main.h"
#include "generate/commands/primer_flags.h"
#include "generate/requests/parse_primer.h"
#include "generate/requests/performance_continuation.h"
#include "generate/requests/performance_controls.h"
#include "generate/requests/primer.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/command/flag_checks.h"
#include "runtime/files/file.h"

ABSL_FLAG(std::string, config, "performance",
          "Configuration the model was trained with. Only needed for "
          "Magenta checkpoints, which do not store it");
ABSL_FLAG(int32_t, num_steps, 3000,
          "Length of each in steps of 10 ms, the primer included");
ABSL_FLAG(std::string, primer_pitches, "",
          "Chord of half a second to continue, as a list of pitches 0 to 127: "
          "\"[60, 64, 67]\"");
ABSL_FLAG(std::string, primer_melody, "",
          "Melody to continue, if there are no --primer_pitches, as a list of "
          "events of 0.125 s: pitches 0 to 127, -1 ends a note, -2 holds "
          "it");
ABSL_FLAG(std::string, primer_midi, "",
          "MIDI, MusicXML or ABC file to continue, if there is no other "
          "primer, as scripts/primers/performance_rnn/primer.mid; its notes "
          "must share one program (--primer_instrument picks an instrument). "
          "Without any primer the outputs begin with silence");
ABSL_FLAG(std::string, notes_per_second, "",
          "Notes per second to aim at, for models conditioned on density: a "
          "number, or a list of numbers that divide the time equally");
ABSL_FLAG(std::string, pitch_class_histogram, "",
          "Weights of the pitch classes from C on, for models conditioned on "
          "them: a list of twelve numbers, or a list of such lists that divide "
          "the time equally; \"[2,0,1,0,1,1,0,1,0,1,0,1]\" is mostly C major");
ABSL_FLAG(std::string, disable_conditioning, "",
          "True switches the conditioning off, for models whose conditioning "
          "is optional; or a list of True and False that divide the time "
          "equally");
ABSL_FLAG(
    std::string, control_file, "",
    "JSON file of control values that change at given times, in place of the "
    "flags of the same names: {\"notes_per_second\": [{\"seconds\": 0, "
    "\"value\": 4}, {\"seconds\": 9.5, \"value\": 16}]}, likewise "
    "pitch_class_histogram and disable_conditioning");

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

constexpr double kSecondsPerStep = 1.0 / kPerformanceStepsPerSecond;

absl::StatusOr<NoteSequence> PrimerOfFlags() {
  const std::string pitches = absl::GetFlag(FLAGS_primer_pitches);
  const std::string melody = absl::GetFlag(FLAGS_primer_melody);
  const std::string path = ExpandHome(absl::GetFlag(FLAGS_primer_midi));
  const int given = !pitches.empty() + !melody.empty() + !path.empty();
  if (given > 1) {
    LogWarn(
        "several primers are given: --primer_pitches comes before "
        "--primer_melody and that before --primer_midi");
  }
  if (!pitches.empty()) {
    absl::StatusOr<NoteSequence> chord = ParseChordPrimer(pitches);
    CONTINUO_RETURN_IF_ERROR(Annotate(chord.status(), "--primer_pitches"));
    return chord;
  }
  if (!melody.empty()) {
    const absl::StatusOr<Melody> events = ParseMelodyPrimer(melody);
    CONTINUO_RETURN_IF_ERROR(Annotate(events.status(), "--primer_melody"));
    return MelodyToSequence(*events);
  }
  if (!path.empty()) {
    return ReadPrimerOfFlags(path, "the outputs begin with silence");
  }
  LogInfo("No primer: the outputs begin with silence");
  return NoteSequence();
}

template <typename T>
absl::Status FromFlag(
    absl::string_view flag, const std::string& text,
    absl::StatusOr<RequestedValues<T>> (*parse)(absl::string_view),
    RequestedValues<T>* requested) {
  if (text.empty()) return absl::OkStatus();
  if (requested->given()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " and --control_file both give ", flag,
                     "; leave one of them out"));
  }
  absl::StatusOr<RequestedValues<T>> values = parse(text);
  CONTINUO_RETURN_IF_ERROR(Annotate(values.status(), absl::StrCat("--", flag)));
  *requested = *std::move(values);
  return absl::OkStatus();
}

absl::StatusOr<RequestedControls> ControlsOfFlags() {
  RequestedControls controls;
  const std::string path = ExpandHome(absl::GetFlag(FLAGS_control_file));
  if (!path.empty()) {
    CONTINUO_ASSIGN_OR_RETURN(const std::string text,
                              ReadFile(path, /*max_bytes=*/16 << 20));
    absl::StatusOr<RequestedControls> read = ParseControlFile(text);
    CONTINUO_RETURN_IF_ERROR(
        Annotate(read.status(), absl::StrCat("--control_file=", path)));
    controls = *std::move(read);
  }
  CONTINUO_RETURN_IF_ERROR(
      FromFlag("notes_per_second", absl::GetFlag(FLAGS_notes_per_second),
               ParseNotesPerSecond, &controls.notes_per_second));
  CONTINUO_RETURN_IF_ERROR(FromFlag(
      "pitch_class_histogram", absl::GetFlag(FLAGS_pitch_class_histogram),
      ParsePitchClassHistogram, &controls.pitch_class_histogram));
  CONTINUO_RETURN_IF_ERROR(FromFlag(
      "disable_conditioning", absl::GetFlag(FLAGS_disable_conditioning),
      ParseDisableConditioning, &controls.disable_conditioning));
  return controls;
}

// Drops what the model is not conditioned on.
template <typename T>
void KeepIf(bool conditioned, absl::string_view name, const ModelConfig& config,
            RequestedValues<T>* requested) {
  if (conditioned || !requested->given()) return;
  LogWarn(name, " is ignored: ", config.name, " is not conditioned on it");
  *requested = RequestedValues<T>();
}

// "optional_multiconditioned_... has that switch": the configurations whose
// controls can be switched off.
std::string ConfigsWithSwitch() {
  std::string names;
  for (const ModelConfig& config : Configs(Family::kPerformance)) {
    if (!config.encoding.controls.optional) continue;
    absl::StrAppend(&names, names.empty() ? "" : " or ", config.name);
  }
  return absl::StrCat(names, " has that switch");
}

// Drops a switch that the model does not have.
void KeepSwitchIf(const ControlSpec& spec, const ModelConfig& config,
                  RequestedValues<bool>* requested) {
  if (!spec.any() || spec.optional || !requested->given()) {
    KeepIf(spec.optional, "disable_conditioning", config, requested);
    return;
  }
  LogWarn("disable_conditioning is ignored: ", config.name,
          " has controls, but they cannot be switched off; ",
          ConfigsWithSwitch());
  *requested = RequestedValues<bool>();
}

// How to ask for enough steps after a primer.
std::string SecondsRemedy(const NoteSequence& primer) {
  constexpr int kSeconds = 30;
  const double steps =
      std::ceil(primer.total_time() * kPerformanceStepsPerSecond);
  return absl::StrCat("--num_steps=",
                      static_cast<int64_t>(std::min(1e9, steps)) +
                          int64_t{kSeconds} * kPerformanceStepsPerSecond,
                      " writes ", kSeconds, " seconds after it");
}

absl::StatusOr<Outputs> MakeOutputs(const NoteSequence& primer,
                                    RequestedControls controls,
                                    const GenerateJob& job,
                                    LoadedModel* model) {
  const ModelConfig& config = model->config;
  const ControlSpec& spec = config.encoding.controls;
  KeepIf(spec.density, "notes_per_second", config, &controls.notes_per_second);
  KeepIf(spec.histogram, "pitch_class_histogram", config,
         &controls.pitch_class_histogram);
  KeepSwitchIf(spec, config, &controls.disable_conditioning);

  // The order of these operations is Magenta's.
  const int num_steps = absl::GetFlag(FLAGS_num_steps);
  GeneratorOptions options;
  auto* section = options.add_generate_sections();
  section->set_start_time(primer.total_time());
  section->set_end_time(num_steps * kSecondsPerStep);
  if (section->start_time() >= section->end_time()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the primer ends at ", section->start_time(),
        " s, and --num_steps=", num_steps, " ends at ", section->end_time(),
        " s with the primer included: nothing is left to generate; ",
        SecondsRemedy(primer)));
  }
  absl::StatusOr<std::unique_ptr<PerformanceContinuation>> continuation =
      MakePerformanceContinuation(primer, options, config,
                                  MeanDensity(controls));
  CONTINUO_RETURN_IF_ERROR(
      WithRemedy(continuation.status(), SecondsRemedy(primer)));
  model->encoder = MakeEventEncoder(
      config.encoding, std::make_shared<ControlSchedule>(MakeControlSchedule(
                           controls, (*continuation)->total_steps())));
  return Outputs(job.num_outputs,
                 std::shared_ptr<const Continuation>(*std::move(continuation)));
}

absl::StatusOr<PreparedOutputs> Prepare(const GenerateJob& job) {
  CONTINUO_RETURN_IF_ERROR(
      CheckAtLeast("num_steps", absl::GetFlag(FLAGS_num_steps), 1));
  CONTINUO_ASSIGN_OR_RETURN(const NoteSequence primer, PrimerOfFlags());
  CONTINUO_ASSIGN_OR_RETURN(const RequestedControls controls,
                            ControlsOfFlags());
  return PreparedOutputs{
      .description = absl::StrCat(
          absl::GetFlag(FLAGS_num_steps) * kSecondsPerStep, " seconds"),
      .make = [primer, controls, job](LoadedModel* model) {
        return MakeOutputs(primer, controls, job, model);
      }};
}

void AddConfig(ModelSource* source) {
  source->config = absl::GetFlag(FLAGS_config);
  source->default_config = "performance";
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  return continuo::GenerateMain(
      argc, argv,
      {.family = continuo::Family::kPerformance,
       .example_flags = "--primer_pitches=\"[60, 64, 67]\"",
       .add_config = continuo::AddConfig,
       .prepare = continuo::Prepare});
}
