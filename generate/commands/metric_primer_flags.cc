// SPDX-License-Identifier: Apache-2.0

#include "generate/commands/metric_primer_flags.h"

#include <utility>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "generate/commands/primer_flags.h"
#include "generate/requests/primer.h"
#include "runtime/base/counted.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/command/flag_checks.h"

ABSL_FLAG(int, new_bars, 0,
          "Bars of four quarters to write after the primer, in place of "
          "--num_steps; 0 = --num_steps counts");
ABSL_FLAG(double, qpm, 0,
          "Tempo in quarter notes per minute; 0 means 120. The tempo of "
          "--primer_midi comes before it");

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr double kDefaultQpm = 120;
constexpr int kDefaultNumSteps = 128;
// 60e6 / qpm microseconds must fit the 24 bits that MIDI has for a tempo.
constexpr double kMinQpm = 3.58;
constexpr double kMaxQpm = 60e6;

absl::StatusOr<double> QpmOfFlags() {
  const double qpm = absl::GetFlag(FLAGS_qpm);
  if (qpm == 0) return kDefaultQpm;
  if (qpm >= kMinQpm && qpm <= kMaxQpm) return qpm;
  return absl::InvalidArgumentError(
      absl::StrCat("--qpm=", qpm, ": must be from ", kMinQpm, " to ", kMaxQpm,
                   ", or 0 for ", kDefaultQpm));
}

absl::Status CheckLength(int num_steps) {
  constexpr int kMaxBars = 1 << 20;
  const int new_bars = absl::GetFlag(FLAGS_new_bars);
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("num_steps", num_steps, 1));
  CONTINUO_RETURN_IF_ERROR(CheckAtLeast("new_bars", new_bars, 0));
  if (new_bars > kMaxBars) {
    return absl::InvalidArgumentError(
        absl::StrCat("--new_bars=", new_bars, ": must be at most ", kMaxBars));
  }
  if (new_bars > 0 && num_steps != kDefaultNumSteps) {
    return absl::InvalidArgumentError(
        absl::StrCat("--num_steps=", num_steps, " and --new_bars=", new_bars,
                     " both say how long the outputs are; give one of them"));
  }
  return absl::OkStatus();
}

// "128 steps at 120 qpm" or "the primer and 8 bars at 120 qpm", for the log.
std::string LengthText(int num_steps, double qpm) {
  const int new_bars = absl::GetFlag(FLAGS_new_bars);
  const std::string length =
      new_bars > 0 ? absl::StrCat("the primer and ", Counted(new_bars, "bar"))
                   : Counted(num_steps, "step");
  return absl::StrCat(length, " at ", qpm, " qpm");
}

// The steps to write, the primer included.
int StepsOfFlags(const MetricPrimer& primer, int num_steps,
                 const ModelConfig& config) {
  const int new_bars = absl::GetFlag(FLAGS_new_bars);
  if (new_bars == 0) return num_steps;
  return StepsWithBars(primer.notes.value_or(NoteSequence()), primer.qpm,
                       config.steps_per_quarter, new_bars);
}

}  // namespace

absl::StatusOr<MetricPrimer> MetricPrimerOfFlags(
    const PrimerFlags& flags,
    absl::FunctionRef<absl::StatusOr<NoteSequence>(absl::string_view, double)>
        parse) {
  MetricPrimer primer;
  CONTINUO_ASSIGN_OR_RETURN(primer.qpm, QpmOfFlags());
  if (!flags.list.empty()) {
    if (!flags.midi.empty()) {
      LogWarn("--primer_midi is not read: --", flags.list_flag,
              " comes before it");
    }
    absl::StatusOr<NoteSequence> notes = parse(flags.list, primer.qpm);
    CONTINUO_RETURN_IF_ERROR(
        Annotate(notes.status(), absl::StrCat("--", flags.list_flag)));
    primer.notes = *std::move(notes);
    return primer;
  }
  if (flags.midi.empty()) return primer;
  CONTINUO_ASSIGN_OR_RETURN(
      primer.notes,
      ReadPrimerOfFlags(flags.midi, "the outputs begin with a silent step"));
  if (primer.notes->tempos_size() > 0 && primer.notes->tempos(0).qpm() != 0) {
    primer.qpm = primer.notes->tempos(0).qpm();
  }
  return primer;
}

absl::StatusOr<PreparedOutputs> PrepareMetricOutputs(
    const GenerateJob& job, int num_steps,
    absl::StatusOr<MetricPrimer> (*primer_of_flags)(),
    absl::StatusOr<Outputs> (*make_outputs)(const MetricPrimer&, int,
                                            const GenerateJob&,
                                            const ModelConfig&)) {
  CONTINUO_RETURN_IF_ERROR(CheckLength(num_steps));
  CONTINUO_ASSIGN_OR_RETURN(const MetricPrimer primer, primer_of_flags());
  return PreparedOutputs{.description = LengthText(num_steps, primer.qpm),
                         .make = [=](LoadedModel* model) {
                           return make_outputs(
                               primer,
                               StepsOfFlags(primer, num_steps, model->config),
                               job, model->config);
                         }};
}

absl::StatusOr<std::shared_ptr<const Continuation>> ContinueNotes(
    const NoteSequence& notes, double qpm, int num_steps,
    const ModelConfig& config, const SearchOptions& search,
    MakeContinuation* make) {
  CONTINUO_ASSIGN_OR_RETURN(
      const auto request,
      ContinuationRequest(notes, qpm, config.steps_per_quarter, num_steps,
                          search));
  absl::StatusOr<std::unique_ptr<Continuation>> continuation =
      make(notes, request, config);
  CONTINUO_RETURN_IF_ERROR(WithRemedy(
      continuation.status(), BarsRemedy(notes, qpm, config.steps_per_quarter)));
  return std::shared_ptr<const Continuation>(*std::move(continuation));
}

}  // namespace continuo
