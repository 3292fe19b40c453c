// SPDX-License-Identifier: Apache-2.0

// The flags of primers in bars and quarter notes: what melody_rnn_generate and
// drums_rnn_generate share.

#ifndef CONTINUO_GENERATE_COMMANDS_METRIC_PRIMER_FLAGS_H_
#define CONTINUO_GENERATE_COMMANDS_METRIC_PRIMER_FLAGS_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/proto/generator.pb.h"
#include "data/proto/music.pb.h"
#include "generate/commands/generate_main.h"
#include "generate/decoding/generator.h"
#include "generate/requests/continuation.h"
#include "models/config/config.h"

namespace continuo {

// The notes to continue and their tempo.
struct MetricPrimer {
  std::optional<tensorflow::magenta::NoteSequence> notes;  // none is given
  double qpm = 120;
};

// The values of the flags in which a primer can be given.
struct PrimerFlags {
  absl::string_view list_flag;  // "primer_melody"
  std::string list;
  std::string midi;  // of --primer_midi
};

// The primer of the list, else that of the file, else none. The tempo is the
// file's, else that of --qpm. `parse` reads the list; errors name the flag.
absl::StatusOr<MetricPrimer> MetricPrimerOfFlags(
    const PrimerFlags& flags,
    absl::FunctionRef<absl::StatusOr<tensorflow::magenta::NoteSequence>(
        absl::string_view list, double qpm)>
        parse);

// The outputs of a command, which `make_outputs` makes once there is a model:
// of the primer, up to the steps of --new_bars if it is given, else
// `num_steps`, the value of --num_steps; the primer counts. InvalidArgument
// unless that is 1 or more, and --new_bars 0 or the only one of the two that is
// given, and the errors of `primer_of_flags`.
absl::StatusOr<PreparedOutputs> PrepareMetricOutputs(
    const GenerateJob& job, int num_steps,
    absl::StatusOr<MetricPrimer> (*primer_of_flags)(),
    absl::StatusOr<Outputs> (*make_outputs)(const MetricPrimer& primer,
                                            int num_steps,
                                            const GenerateJob& job,
                                            const ModelConfig& config));

// The request to continue `notes` at `qpm` up to `num_steps`, made by `make`
// (MakeMelodyContinuation). An error of a primer that is too long says what
// would be enough.
using MakeContinuation = absl::StatusOr<std::unique_ptr<Continuation>>(
    const tensorflow::magenta::NoteSequence&,
    const tensorflow::magenta::GeneratorOptions&, const ModelConfig&);
absl::StatusOr<std::shared_ptr<const Continuation>> ContinueNotes(
    const tensorflow::magenta::NoteSequence& notes, double qpm, int num_steps,
    const ModelConfig& config, const SearchOptions& search,
    MakeContinuation* make);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_COMMANDS_METRIC_PRIMER_FLAGS_H_
