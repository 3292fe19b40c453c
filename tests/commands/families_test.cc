// SPDX-License-Identifier: Apache-2.0

// The whole job of every drum and performance configuration, as a user does it
// with the commands: data set, training, evaluation, generation; tiny networks.

#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/notes/midi/midi_reader.h"
#include "gtest/gtest.h"
#include "models/config/config.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;
using testing::ScratchDir;

// The exit status of a shell command; its output is shown if it is not 0.
int Shell(const std::string& command) {
  FILE* pipe = popen(absl::StrCat(command, " 2>&1").c_str(), "r");
  CONTINUO_CHECK(pipe != nullptr);
  std::string text;
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    text.append(buffer, n);
  }
  const int status = pclose(pipe);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code != 0) fprintf(stderr, "%s\n%s", command.c_str(), text.c_str());
  return code;
}

// Where the commands of a family are, its example input and outputs.
struct Paths {
  std::string command;
  std::string input;
  std::string outputs;
};

Paths PathsOf(Family family) {
  const std::string name(FamilyName(family));
  return {.command = testing::ShellCommand(name),
          .input = testing::ShellSource(
              absl::StrCat("tests/golden/pipelines/", name, "/input.tfrecord")),
          .outputs = family == Family::kDrums ? "drum_tracks" : "performances"};
}

// Trains `config` for a few steps in `dir`.
void Train(Family family, const std::string& config, const ScratchDir& dir,
           const std::string& train_flags = "--num_training_steps=2") {
  const Paths paths = PathsOf(family);
  ASSERT_EQ(Shell(absl::StrCat(
                paths.command, "_create_dataset --config=", config,
                " --input=", paths.input, " --output_dir=", dir.Path("data"),
                " --eval_ratio=0.3 --seed=4")),
            0);
  ASSERT_EQ(Shell(absl::StrCat(paths.command, "_train --config=", config,
                               " --run_dir=", dir.Path("run"),
                               " --sequence_example_file=",
                               dir.Path("data/training_"), paths.outputs,
                               ".tfrecord --seed=1 "
                               "--hparams='batch_size=4,rnn_layer_sizes=[8]' ",
                               train_flags)),
            0);
  ASSERT_EQ(Shell(absl::StrCat(
                paths.command, "_train --eval --eval_once ",
                "--run_dir=", dir.Path("run"), " --sequence_example_file=",
                dir.Path("data/training_"), paths.outputs, ".tfrecord")),
            0);
}

std::vector<NoteSequence> Generate(Family family, const ScratchDir& dir,
                                   const std::string& flags) {
  std::vector<NoteSequence> sequences;
  const std::string out = dir.Path("out");
  Shell(absl::StrCat("rm -rf ", out));
  EXPECT_EQ(Shell(absl::StrCat(PathsOf(family).command, "_generate --run_dir=",
                               dir.Path("run"), " --output_dir=", out,
                               " --num_outputs=2 --seed=7 ", flags)),
            0);
  for (const std::string& file : testing::ListFiles(out, ".mid")) {
    auto sequence = ReadMidi(testing::MustRead(JoinPath(out, file)));
    EXPECT_TRUE(sequence.ok()) << sequence.status();
    if (sequence.ok()) sequences.push_back(*std::move(sequence));
  }
  EXPECT_EQ(sequences.size(), 2u);
  return sequences;
}

TEST(FamiliesTest, DrumsFromDataToMidi) {
  for (const ModelConfig& config : Configs(Family::kDrums)) {
    SCOPED_TRACE(config.name);
    const ScratchDir dir;
    ASSERT_NO_FATAL_FAILURE(Train(Family::kDrums, config.name, dir));
    for (const NoteSequence& sequence :
         Generate(Family::kDrums, dir,
                  "--num_steps=32 --primer_drums='[(35, 44), (), (42,)]'")) {
      ASSERT_GT(sequence.notes_size(), 2);
      for (const auto& note : sequence.notes()) EXPECT_TRUE(note.is_drum());
      EXPECT_LE(sequence.total_time(), 32 * 0.5 / config.steps_per_quarter);
    }
    Generate(Family::kDrums, dir, "--num_steps=32 --qpm=90");
  }
}

TEST(FamiliesTest, PerformancesFromDataToMidi) {
  for (const ModelConfig& config : Configs(Family::kPerformance)) {
    SCOPED_TRACE(config.name);
    const ScratchDir dir;
    ASSERT_NO_FATAL_FAILURE(Train(Family::kPerformance, config.name, dir));
    // An untrained model fills the time it is asked for in several rounds.
    for (const NoteSequence& sequence :
         Generate(Family::kPerformance, dir,
                  "--num_steps=300 --primer_pitches='[60, 64, 67]'")) {
      ASSERT_GE(sequence.notes_size(), 3);
      EXPECT_LE(sequence.total_time(), 3.01);
    }
    Generate(Family::kPerformance, dir,
             "--num_steps=300 --primer_melody='[60, -2, 62, -1]'");
    Generate(Family::kPerformance, dir,
             "--num_steps=200 --beam_size=2 --branch_factor=2 "
             "--notes_per_second='[2, 30]' "
             "--pitch_class_histogram='[1,0,0,0,1,0,0,1,0,0,0,0]' "
             "--disable_conditioning=False");
  }
}

TEST(FamiliesTest, ControlFilesAreHeard) {
  const ScratchDir dir;
  ASSERT_NO_FATAL_FAILURE(
      Train(Family::kPerformance,
            "optional_multiconditioned_performance_with_dynamics", dir,
            // Long and fast enough for the inputs to matter.
            "--num_training_steps=15 --hparams='batch_size=4,"
            "rnn_layer_sizes=[8],learning_rate=0.1'"));
  const std::string file = dir.Path("controls.json");
  const auto write = [&](const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(file, text).ok());
  };
  const std::string flags =
      absl::StrCat("--num_steps=400 --control_file=", file);
  write(R"({"disable_conditioning": [{"seconds": 0, "value": true}]})");
  const auto off = Generate(Family::kPerformance, dir, flags);
  write(R"({"notes_per_second": [{"seconds": 0, "value": 1},
                                 {"seconds": 2, "value": 60}]})");
  const auto on = Generate(Family::kPerformance, dir, flags);
  const auto again = Generate(Family::kPerformance, dir, flags);
  ASSERT_EQ(on.size(), 2u);
  EXPECT_EQ(on[0].SerializeAsString(), again[0].SerializeAsString());
  EXPECT_NE(on[0].SerializeAsString(), off[0].SerializeAsString());
  // Both ways of saying the same thing are one too many.
  EXPECT_EQ(Shell(absl::StrCat(PathsOf(Family::kPerformance).command,
                               "_generate --run_dir=", dir.Path("run"),
                               " --output_dir=", dir.Path("none"), " ", flags,
                               " --notes_per_second=3")),
            1);
  EXPECT_FALSE(FileExists(dir.Path("none")));
}

TEST(FamiliesTest, ARunKnowsItsConfiguration) {
  const ScratchDir dir;
  // Not the default; --config is not repeated anywhere.
  ASSERT_NO_FATAL_FAILURE(Train(Family::kDrums, "one_drum", dir));
  const Paths paths = PathsOf(Family::kDrums);
  const std::string train =
      absl::StrCat(paths.command, "_train --run_dir=", dir.Path("run"),
                   " --sequence_example_file=",
                   dir.Path("data/training_drum_tracks.tfrecord "));
  EXPECT_EQ(Shell(train + "--num_training_steps=3"), 0);
  EXPECT_EQ(Shell(absl::StrCat(PathsOf(Family::kPerformance).command,
                               "_generate --run_dir=", dir.Path("run"),
                               " --output_dir=", dir.Path("none"))),
            1);
}

}  // namespace
}  // namespace continuo
