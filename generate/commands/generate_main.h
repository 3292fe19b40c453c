// The common part of the *_generate commands. Each has its own main file
// (melody_generate_main.cc etc.) with its specific flags.

#ifndef CONTINUO_GENERATE_COMMANDS_GENERATE_MAIN_H_
#define CONTINUO_GENERATE_COMMANDS_GENERATE_MAIN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/proto/music.pb.h"
#include "generate/decoding/generator.h"
#include "generate/model/load_model.h"
#include "generate/requests/continuation.h"

namespace continuo {

// The common flags.
struct GenerateJob {
  uint64_t seed = 0;
  int num_outputs = 1;
  SearchOptions search;
};

using Outputs = std::vector<std::shared_ptr<const Continuation>>;

// Outputs with validated flags, before the model is loaded.
struct PreparedOutputs {
  std::string description;  // "128 steps at 120 qpm", for the log
  // What each output continues. May give the model another encoder.
  std::function<absl::StatusOr<Outputs>(LoadedModel*)> make;
};

// Where one command differs. The functions are called once the flags are
// parsed.
struct GenerateCommand {
  Family family = Family::kMelody;
  std::string example_flags;  // one line of flags, for the help text
  // The model as the command's own flags describe it: its configuration.
  ModelSource (*model_source)();
  absl::StatusOr<PreparedOutputs> (*prepare)(const GenerateJob& job);
};

// The whole command; returns the exit status.
int GenerateMain(int argc, char** argv, const GenerateCommand& command);

// The pieces that several commands need.

// The tempo of --qpm: 0 stands for 120. InvalidArgument names the flag.
absl::StatusOr<double> CheckQpm(double qpm);

// The notes of the file --primer_midi, those of --primer_instrument alone if
// that is given (ReadPrimerFile).
absl::StatusOr<tensorflow::magenta::NoteSequence> ReadPrimerOfFlags(
    const std::string& path, absl::string_view then);

// InvalidArgument unless --num_steps is 1 or more, and --new_bars, where a
// command has it, 0 or the only one of the two that is given.
absl::Status CheckLength(int num_steps, int new_bars = 0);

// "128 steps at 120 qpm" or "the primer and 8 bars at 120 qpm", for the log.
std::string LengthText(int num_steps, int new_bars, double qpm);

// `status` with a remedy if the primer was too long (OutOfRange).
absl::Status WithRemedy(const absl::Status& status, absl::string_view remedy);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_COMMANDS_GENERATE_MAIN_H_
