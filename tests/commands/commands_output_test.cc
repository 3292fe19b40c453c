// SPDX-License-Identifier: Apache-2.0

// Every output flag of every command: a plain file, a link, a new folder, a
// named pipe and standard output get the same bytes, and stay what they are.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/fifo.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;
using ::continuo::testing::FifoReader;
using ::continuo::testing::FifoWriter;
using ::continuo::testing::MakeFifo;
using ::continuo::testing::MustRead;
using ::continuo::testing::ScratchDir;

struct OutputFlag {
  const char* name;
  // OUT is the path that is tried, BIN, TUNES, BUNDLE and NOTES are inputs, TMP
  // a folder.
  const char* command;
  const char* ending;
  bool takes_dash = true;
  bool same_bytes = true;  // from run to run
};

constexpr OutputFlag kFlags[] = {
    {"ConvertOutput",
     "BIN/convert_dir_to_note_sequences --input_dir=TUNES --output_file=OUT",
     ".tfrecord"},
    {"ConvertReport",
     "BIN/convert_dir_to_note_sequences --input_dir=TUNES "
     "--output_file=TMP/o.tfrecord --report=OUT",
     ".jsonl"},
    {"DatasetReport",
     "BIN/melody_rnn_create_dataset --config=basic_rnn --input=NOTES --seed=1 "
     "--output_dir=TMP/d --report=OUT",
     ".jsonl"},
    {"GenerateReport",
     "BIN/melody_rnn_generate --bundle_file=BUNDLE --output_dir=TMP/g "
     "--num_outputs=2 --num_steps=16 --seed=1 --report=OUT",
     ".jsonl", true, false},
    {"GenerateBundle",
     "BIN/melody_rnn_generate --checkpoint_file=MODEL --bundle_file=OUT "
     "--save_generator_bundle --bundle_description=x",
     ".mag", true, false},
    {"ScoreOutput",
     "BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES --output=OUT",
     ".jsonl"},
    {"ScoreSummary",
     "BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES "
     "--output=TMP/o.jsonl --summary=OUT",
     ".json"},
    {"ScoreReport",
     "BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES "
     "--output=TMP/o.jsonl --report=OUT",
     ".jsonl"},
    {"Export", "BIN/export_safetensors --bundle_file=BUNDLE --output=OUT",
     ".safetensors"},
    {"Render", "BIN/continuo_render --midi=MIDI --output=OUT", ".png"},
    {"Unpack", "BIN/unpack_bundle --bundle_path=BUNDLE --checkpoint_path=OUT",
     ".ckpt", false},
};

// What the commands need, made once.
class Inputs {
 public:
  static const Inputs& Get() {
    static const auto* const inputs = new Inputs;
    return *inputs;
  }
  // The command with paths in the place of the names.
  std::string Fill(absl::string_view command, absl::string_view out = "",
                   absl::string_view folder = "") const {
    const auto quoted = [](absl::string_view path) {
      return absl::StrCat("'", path, "'");
    };
    return absl::StrReplaceAll(command,
                               {{"BIN", quoted(CONTINUO_BIN_DIR)},
                                {"TUNES", quoted(Path("tunes"))},
                                {"MIDI", quoted(Path("tunes/a.mid"))},
                                {"NOTES", quoted(Path("notes.tfrecord"))},
                                {"MODEL", quoted(Path("model.safetensors"))},
                                {"BUNDLE", quoted(Path("bundle.mag"))},
                                {"OUT", quoted(out)},
                                {"TMP", quoted(folder)}});
  }
  std::string Path(const std::string& below) const { return dir_.Path(below); }

 private:
  Inputs() {
    fs::create_directories(dir_.Path("tunes"));
    const std::string drums = CONTINUO_SOURCE_DIR "/scripts/drums";
    std::string midi;
    for (const auto& entry : fs::directory_iterator(drums)) {
      if (entry.path().extension() == ".mid" &&
          (midi.empty() || entry.path().string() < midi)) {
        midi = entry.path().string();
      }
    }
    fs::copy_file(midi, dir_.Path("tunes/a.mid"));
    fs::copy_file(CONTINUO_SOURCE_DIR "/scripts/tunes/songs_and_airs.abc",
                  dir_.Path("tunes/b.abc"));
    fs::copy_file(CONTINUO_SOURCE_DIR "/tests/golden/bundles/attention_rnn.mag",
                  dir_.Path("bundle.mag"));
    Must(
        "BIN/convert_dir_to_note_sequences --input_dir=TUNES "
        "--output_file=NOTES");
    Must("BIN/export_safetensors --bundle_file=BUNDLE --output=MODEL");
  }
  void Must(const char* command) const {
    CONTINUO_CHECK(
        std::system(absl::StrCat(Fill(command), " 2>/dev/null").c_str()) == 0);
  }
  const ScratchDir dir_;
};

class CommandsOutputTest : public ::testing::Test {
 protected:
  // Exit status, or 128 + signal, as a shell sees it.
  int Run(absl::string_view command, const std::string& out = "",
          absl::string_view redirections = "") {
    const std::string filled =
        Inputs::Get().Fill(command, out, dir_.Path("tmp"));
    const int status = std::system(
        absl::StrCat("timeout 60 ", filled, " >'", dir_.Path("stdout"), "' 2>'",
                     dir_.Path("stderr"), "' ", redirections)
            .c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string Stdout() { return MustRead(dir_.Path("stdout")); }
  std::string Stderr() { return MustRead(dir_.Path("stderr")); }

  const ScratchDir dir_;
};

class OutputFlagTest : public CommandsOutputTest,
                       public ::testing::WithParamInterface<OutputFlag> {
 protected:
  void ExpectSame(const std::string& bytes, const std::string& expected) {
    if (GetParam().same_bytes) {
      EXPECT_TRUE(bytes == expected) << bytes.size() << " bytes";
    } else {
      EXPECT_EQ(bytes.size(), expected.size());
    }
  }
};

TEST_P(OutputFlagTest, GivesTheSameBytesWhereverTheyGo) {
  const OutputFlag& flag = GetParam();
  const auto path = [&](absl::string_view below) {
    return dir_.Path(absl::StrCat(below, flag.ending));
  };
  ASSERT_EQ(Run(flag.command, path("plain")), 0) << Stderr();
  const std::string expected = MustRead(path("plain"));
  ASSERT_FALSE(expected.empty());

  ASSERT_EQ(Run(flag.command, path("new/folder/x")), 0) << Stderr();
  ExpectSame(MustRead(path("new/folder/x")), expected);

  fs::create_directories(dir_.Path("disk"));
  ASSERT_TRUE(WriteFileAtomically(path("disk/target"), "old").ok());
  fs::create_symlink(path("disk/target"), path("link"));
  ASSERT_EQ(Run(flag.command, path("link")), 0) << Stderr();
  EXPECT_TRUE(fs::is_symlink(path("link")));
  ExpectSame(MustRead(path("disk/target")), expected);
  // Nothing but the target: no temporary file is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_.Path("disk")), {}), 1);

  MakeFifo(path("pipe"));
  FifoReader reader(path("pipe"));
  ASSERT_EQ(Run(flag.command, path("pipe")), 0) << Stderr();
  ExpectSame(reader.Bytes(), expected);
  EXPECT_TRUE(fs::is_fifo(path("pipe")));

  if (!flag.takes_dash) {
    EXPECT_EQ(Run(flag.command, "-"), 1);
    EXPECT_TRUE(absl::StrContains(Stderr(), "standard output")) << Stderr();
    return;
  }
  for (const char* out : {"-", "/dev/stdout", "/proc/self/fd/1"}) {
    ASSERT_EQ(Run(flag.command, out), 0) << Stderr();
    ExpectSame(Stdout(), expected);
  }
}

TEST_P(OutputFlagTest, AFolderIsAnErrorThatNamesIt) {
  const std::string folder =
      dir_.Path(absl::StrCat("folder", GetParam().ending));
  fs::create_directories(folder);
  EXPECT_EQ(Run(GetParam().command, folder), 1);
  EXPECT_TRUE(absl::StrContains(Stderr(), folder)) << Stderr();
  EXPECT_TRUE(absl::StrContains(Stderr(), "is a folder")) << Stderr();
  EXPECT_FALSE(absl::StrContains(Stderr(), ".tmp")) << Stderr();
}

INSTANTIATE_TEST_SUITE_P(All, OutputFlagTest, ::testing::ValuesIn(kFlags),
                         [](const auto& info) { return info.param.name; });

TEST_F(CommandsOutputTest, TwoOutputsInOnePlaceAreAnError) {
  for (const char* command :
       {"BIN/convert_dir_to_note_sequences --input_dir=TUNES "
        "--output_file=OUT --report=OUT",
        "BIN/melody_rnn_create_dataset --config=basic_rnn --input=NOTES "
        "--output_dir=TMP --report=TMP/eval_melodies.tfrecord",
        "BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES --output=OUT "
        "--summary=OUT",
        "BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES --report=-"}) {
    EXPECT_EQ(Run(command, dir_.Path("one")), 1) << command;
    EXPECT_TRUE(absl::StrContains(Stderr(), "are the same file")) << Stderr();
    EXPECT_FALSE(FileExists(dir_.Path("one")));
  }
}

TEST_F(CommandsOutputTest, AnOutputOverAnInputIsAnError) {
  const std::string notes = Inputs::Get().Path("notes.tfrecord");
  const std::string before = MustRead(notes);
  for (const char* command :
       {"BIN/convert_dir_to_note_sequences --input_dir=TUNES --report=MIDI "
        "--output_file=TMP/o",
        "BIN/melody_rnn_create_dataset --config=basic_rnn --input=NOTES "
        "--output_dir=TMP --report=NOTES",
        "BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES "
        "--output=NOTES",
        "BIN/melody_rnn_generate --bundle_file=BUNDLE --output_dir=TMP "
        "--primer_midi=MIDI --report=MIDI",
        "BIN/export_safetensors --checkpoint_file=MODEL --output=MODEL",
        "BIN/unpack_bundle --bundle_path=BUNDLE --checkpoint_path=BUNDLE"}) {
    EXPECT_EQ(Run(command), 1) << command;
    EXPECT_TRUE(absl::StrContains(Stderr(), "over the input")) << Stderr();
  }
  EXPECT_TRUE(MustRead(notes) == before);
}

TEST_F(CommandsOutputTest, AWrongEndingIsAnErrorWithTheRightOne) {
  struct Case {
    const char* command;
    const char* right;
  };
  for (const Case& c :
       {Case{"BIN/continuo_render --midi=MIDI --output=OUT", ".png"},
        Case{"BIN/export_safetensors --bundle_file=BUNDLE --output=OUT",
             ".safetensors"},
        Case{"BIN/melody_rnn_generate --checkpoint_file=MODEL "
             "--save_generator_bundle --bundle_file=OUT",
             ".mag"}}) {
    EXPECT_EQ(Run(c.command, dir_.Path("x.npz")), 1);
    EXPECT_TRUE(absl::StrContains(Stderr(), c.right)) << Stderr();
    EXPECT_FALSE(FileExists(dir_.Path("x.npz")));
  }
}

TEST_F(CommandsOutputTest, InputsThatArePipesAreRead) {
  struct Case {
    const char* input;
    const char* command;
  };
  int number = 0;
  for (const Case& c :
       {Case{"notes.tfrecord",
             "BIN/melody_rnn_create_dataset --config=basic_rnn --input=OUT "
             "--output_dir=TMP"},
        Case{"notes.tfrecord",
             "BIN/melody_rnn_score --bundle_file=BUNDLE --input=OUT"},
        Case{"notes.tfrecord", "BIN/continuo_inspect OUT"},
        Case{"tunes/a.mid", "BIN/continuo_inspect OUT"},
        Case{"bundle.mag", "BIN/continuo_inspect OUT"},
        Case{"model.safetensors", "BIN/continuo_inspect OUT"},
        Case{"bundle.mag",
             "BIN/melody_rnn_generate --bundle_file=OUT --num_outputs=1 "
             "--num_steps=8 --output_dir=TMP"},
        Case{"model.safetensors",
             "BIN/melody_rnn_generate --checkpoint_file=OUT --num_outputs=1 "
             "--num_steps=8 --output_dir=TMP"},
        Case{"bundle.mag",
             "BIN/export_safetensors --bundle_file=OUT "
             "--output=TMP/m.safetensors"},
        Case{"bundle.mag",
             "BIN/unpack_bundle --bundle_path=OUT --checkpoint_path=TMP/m"}}) {
    const std::string input = Inputs::Get().Path(c.input);
    const std::string pipe = dir_.Path(absl::StrCat("pipe", ++number));
    MakeFifo(pipe);
    {
      const FifoWriter writer(pipe, MustRead(input));
      EXPECT_EQ(Run(c.command, pipe), 0) << c.command << ": " << Stderr();
    }
    const std::string dash = absl::StrCat("< '", input, "'");
    EXPECT_EQ(Run(c.command, "-", dash), 0) << c.command << ": " << Stderr();
  }
}

TEST_F(CommandsOutputTest, AClosedStandardErrorIsNotTheOutput) {
  const std::string path = dir_.Path("o.tfrecord");
  ASSERT_EQ(Run("BIN/convert_dir_to_note_sequences --input_dir=TUNES "
                "--output_file=OUT",
                path, "<&- >&- 2>&-"),
            0);
  EXPECT_TRUE(MustRead(path) == MustRead(Inputs::Get().Path("notes.tfrecord")));
}

TEST_F(CommandsOutputTest, DataForAClosedStandardOutputIsAnError) {
  EXPECT_EQ(
      Run("BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES", "", ">&-"),
      1);
  EXPECT_TRUE(absl::StrContains(Stderr(), "standard output: cannot"))
      << Stderr();
}

TEST_F(CommandsOutputTest, AStandardOutputWithoutAReaderEndsQuietly) {
  for (const char* command :
       {"BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES --log=ERROR",
        "BIN/continuo_inspect NOTES"}) {
    const std::string script = absl::StrCat(
        "( ", Inputs::Get().Fill(command), " 2>'", dir_.Path("stderr"),
        "'; echo $? >'", dir_.Path("code"), "' ) | true");
    ASSERT_EQ(std::system(script.c_str()), 0);
    EXPECT_EQ(MustRead(dir_.Path("code")), "141\n") << command;
    EXPECT_EQ(Stderr(), "");
  }
}

TEST_F(CommandsOutputTest, AnErrorLogWithoutAReaderIsNoHindrance) {
  const std::string script =
      absl::StrCat("( sleep 0.1; ",
                   Inputs::Get().Fill("BIN/convert_dir_to_note_sequences "
                                      "--input_dir=TUNES --output_file=OUT",
                                      dir_.Path("o.tfrecord")),
                   "; echo $? >'", dir_.Path("code"), "' ) 2>&1 | true");
  ASSERT_EQ(std::system(script.c_str()), 0);
  EXPECT_EQ(MustRead(dir_.Path("code")), "0\n");
  EXPECT_TRUE(FileExists(dir_.Path("o.tfrecord")));
}

TEST_F(CommandsOutputTest, AFileOfHolesIsSkipped) {
  fs::create_directories(dir_.Path("in"));
  fs::copy_file(Inputs::Get().Path("tunes/a.mid"), dir_.Path("in/a.mid"));
  ASSERT_TRUE(WriteFileAtomically(dir_.Path("in/huge.mid"), "MThd").ok());
  if (truncate(dir_.Path("in/huge.mid").c_str(), int64_t{1} << 40) != 0) {
    GTEST_SKIP() << "no files of 1 TB here";
  }
  EXPECT_EQ(Run(absl::StrCat("BIN/convert_dir_to_note_sequences --input_dir=",
                             dir_.Path("in"), " --output_file=OUT"),
                dir_.Path("o.tfrecord")),
            0)
      << Stderr();
  EXPECT_TRUE(absl::StrContains(Stderr(), "Skipped huge.mid: ")) << Stderr();
  EXPECT_TRUE(absl::StrContains(Stderr(), "larger than the limit"));
  for (const char* command :
       {"BIN/continuo_inspect OUT",
        "BIN/continuo_render --midi=OUT "
        "--output=TMP/x.png",
        "BIN/melody_rnn_score --bundle_file=BUNDLE --input=OUT",
        "BIN/melody_rnn_generate --bundle_file=BUNDLE --primer_midi=OUT",
        "BIN/melody_rnn_generate --bundle_file=OUT",
        "BIN/melody_rnn_generate --checkpoint_file=OUT --config=basic_rnn",
        "BIN/melody_rnn_create_dataset --config=basic_rnn --input=OUT "
        "--output_dir=TMP"}) {
    EXPECT_EQ(Run(command, dir_.Path("in/huge.mid")), 1) << command;
    EXPECT_TRUE(absl::StrContains(Stderr(), "huge.mid")) << Stderr();
  }
}

TEST_F(CommandsOutputTest, ALimitOnFileSizesIsAnErrorThatLeavesNothing) {
  fs::create_directories(dir_.Path("out"));
  EXPECT_EQ(Run("sh -c \"ulimit -f 8; exec BIN/export_safetensors "
                "--bundle_file=BUNDLE --output=OUT\"",
                dir_.Path("out/m.safetensors")),
            1);
  EXPECT_TRUE(absl::StrContains(Stderr(), "File too large")) << Stderr();
  EXPECT_TRUE(fs::is_empty(dir_.Path("out")));
}

TEST_F(CommandsOutputTest, TooManyThreadsAreAnErrorEverywhere) {
  for (const char* command :
       {"BIN/convert_dir_to_note_sequences --input_dir=TUNES "
        "--output_file=TMP/o",
        "BIN/melody_rnn_create_dataset --config=basic_rnn --input=NOTES "
        "--output_dir=TMP",
        "BIN/melody_rnn_score --bundle_file=BUNDLE --input=NOTES",
        "BIN/melody_rnn_generate --bundle_file=BUNDLE --output_dir=TMP",
        "BIN/melody_rnn_train --config=basic_rnn --run_dir=TMP "
        "--sequence_example_file=NOTES"}) {
    EXPECT_EQ(Run(absl::StrCat(command, " --threads=1000000")), 1);
    EXPECT_TRUE(absl::StrContains(Stderr(), "must be in 0..1024")) << Stderr();
  }
}

}  // namespace
}  // namespace continuo
