// SPDX-License-Identifier: Apache-2.0

// melody_rnn_generate as a user runs it, on a tiny bundle of Magenta.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/notes/midi/midi_reader.h"
#include "data/notes/midi/midi_writer.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "nlohmann/json.hpp"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

struct Outcome {
  int code = -1;
  std::string text;  // stdout and stderr
};

class GenerateCommandTest : public ::testing::Test {
 protected:
  GenerateCommandTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    dir_ =
        absl::StrCat(::testing::TempDir(), "/generate_command_", test->name());
    std::filesystem::remove_all(dir_);
    bundle_ = testing::ShellSource("tests/golden/bundles/attention_rnn.mag");
  }

  // Runs the command with `flags` (shell words).
  static Outcome Command(const std::string& flags) {
    const std::string line = absl::StrCat(
        testing::ShellCommand("melody_rnn_generate"), " ", flags, " 2>&1");
    Outcome outcome;
    FILE* pipe = popen(line.c_str(), "r");
    CONTINUO_CHECK(pipe != nullptr);
    char buffer[4096];
    for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
      outcome.text.append(buffer, n);
    }
    const int status = pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

  // The same with the bundle and output folder `name`.
  Outcome Generate(const std::string& name, const std::string& flags) {
    return Command(absl::StrCat("--bundle_file=", bundle_,
                                " --output_dir=", dir_, "/", name, " ", flags));
  }

  // Contents of the files by number.
  std::map<int, std::string> Files(const std::string& name) {
    std::map<int, std::string> files;
    const std::string dir = absl::StrCat(dir_, "/", name);
    for (const std::string& file : testing::ListFiles(dir, ".mid")) {
      // 2026-01-31_235959_01.mid
      EXPECT_EQ(file.find('_', 11), 17) << file;
      files[std::atoi(file.substr(18).c_str())] =
          testing::MustRead(JoinPath(dir, file));
    }
    return files;
  }

  static NoteSequence Notes(const std::string& midi) {
    const auto sequence = ReadMidi(midi);
    EXPECT_TRUE(sequence.ok()) << sequence.status();
    return *sequence;
  }

  std::string dir_;
  std::string bundle_;
};

TEST_F(GenerateCommandTest, WritesTheFilesAskedForWithTheirLikelihoods) {
  const Outcome good = Generate(
      "out", absl::StrCat("--num_outputs=10 --num_steps=32 --seed=5 --report=",
                          dir_, "/new/report.jsonl"));
  EXPECT_EQ(good.code, 0) << good.text;
  EXPECT_EQ(Files("out").size(), 10);
  const std::vector<std::string> names =
      testing::ListFiles(dir_ + "/out", ".mid");
  EXPECT_EQ(names[0].substr(17), "_01.mid");
  EXPECT_EQ(names[9].substr(17), "_10.mid");
  EXPECT_NE(good.text.find("--seed=5"), std::string::npos);
  const std::string report = testing::MustRead(dir_ + "/new/report.jsonl");
  const auto first = nlohmann::json::parse(report.substr(0, report.find('\n')),
                                           nullptr, false);
  EXPECT_EQ(first["output"], 1);
  EXPECT_EQ(first["seed"], 5);
  EXPECT_EQ(first["events"], 32);
  EXPECT_LT(first["log_likelihood"], 0);
}

TEST_F(GenerateCommandTest, CtrlCKeepsWhatIsWrittenAndExitsWith130) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string command = CONTINUO_BIN_DIR "/melody_rnn_generate";
  const std::string bundle =
      absl::StrCat("--bundle_file=", CONTINUO_SOURCE_DIR,
                   "/tests/golden/bundles/attention_rnn.mag");
  const std::string output = absl::StrCat("--output_dir=", dir_, "/out");
  // More than the test waits for, one output after the other.
  const char* const argv[] = {
      command.c_str(),  bundle.c_str(), output.c_str(), "--num_outputs=20000",
      "--num_steps=32", "--batch=1",    "--threads=1",  nullptr};
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv(argv[0], const_cast<char**>(argv));
    _exit(99);
  }
  close(ends[1]);
  std::string log;
  bool interrupted = false;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    log.append(buffer, static_cast<size_t>(n));
    if (!interrupted && log.find("_00001.mid") != std::string::npos) {
      ASSERT_EQ(kill(pid, SIGINT), 0);
      interrupted = true;
    }
  }
  close(ends[0]);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status)) << log;
  EXPECT_EQ(WEXITSTATUS(status), 130) << log;
  EXPECT_NE(log.find("interrupted before the last "), std::string::npos) << log;
  EXPECT_GE(Files("out").size(), 1);
}

TEST_F(GenerateCommandTest, SeedDecidesTheBytesAndNothingElse) {
  const std::string flags =
      "--num_steps=40 --beam_size=2 --branch_factor=2 --seed=17 ";
  ASSERT_EQ(Generate("a", flags + "--num_outputs=5 --threads=1").code, 0);
  ASSERT_EQ(Generate("b", flags + "--num_outputs=5 --threads=3").code, 0);
  ASSERT_EQ(Generate("c", flags + "--num_outputs=5 --batch=1").code, 0);
  ASSERT_EQ(Generate("d", flags + "--num_outputs=50 --batch=64").code, 0);
  ASSERT_EQ(Generate("e",
                     "--num_steps=40 --beam_size=2 --branch_factor=2 "
                     "--num_outputs=5 --seed=18")
                .code,
            0);
  const auto a = Files("a");
  ASSERT_EQ(a.size(), 5);
  EXPECT_EQ(a, Files("b"));
  EXPECT_EQ(a, Files("c"));
  const auto d = Files("d");
  ASSERT_EQ(d.size(), 50);
  for (const auto& [number, bytes] : a) EXPECT_EQ(bytes, d.at(number));
  EXPECT_NE(a, Files("e"));
}

TEST_F(GenerateCommandTest, PrimerListBeginsTheOutput) {
  const Outcome outcome = Generate("out",
                                   "--num_outputs=2 --num_steps=16 --qpm=90 "
                                   "--primer_melody='[60, -2, 64, -2, 67]'");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  for (const auto& [number, bytes] : Files("out")) {
    const NoteSequence notes = Notes(bytes);
    EXPECT_NEAR(notes.tempos(0).qpm(), 90, 1e-3);
    ASSERT_GE(notes.notes_size(), 3);
    EXPECT_EQ(notes.notes(0).pitch(), 60);
    EXPECT_EQ(notes.notes(1).pitch(), 64);
    EXPECT_EQ(notes.notes(2).pitch(), 67);
    EXPECT_EQ(notes.notes(2).velocity(), 100);
    EXPECT_LE(notes.total_time(), 16 * 60.0 / 90 / 4 + 1e-3);
  }
}

TEST_F(GenerateCommandTest, TempoOfThePrimerFileComesFirst) {
  NoteSequence primer;
  primer.add_tempos()->set_qpm(60);
  auto* note = primer.add_notes();
  note->set_pitch(62);
  note->set_velocity(80);
  note->set_end_time(0.5);
  primer.set_total_time(0.5);
  ASSERT_TRUE(MakeDirectories(dir_).ok());
  ASSERT_TRUE(
      WriteFileAtomically(dir_ + "/primer.mid", *WriteMidi(primer)).ok());
  const Outcome outcome =
      Generate("out", absl::StrCat("--num_outputs=1 --num_steps=16 --qpm=200 "
                                   "--primer_midi=",
                                   dir_, "/primer.mid"));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const NoteSequence notes = Notes(Files("out").at(1));
  EXPECT_EQ(notes.tempos(0).qpm(), 60);
  EXPECT_EQ(notes.notes(0).pitch(), 62);
}

TEST_F(GenerateCommandTest, APrimerIsKnownByItsContentsWhereItHasNoEnding) {
  ASSERT_TRUE(MakeDirectories(dir_).ok());
  ASSERT_TRUE(
      WriteFileAtomically(dir_ + "/tune", "X:1\nL:1/4\nK:C\nE C|\n").ok());
  const Outcome outcome =
      Generate("out", absl::StrCat("--num_outputs=1 --num_steps=16 "
                                   "--primer_midi=",
                                   dir_, "/tune"));
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const NoteSequence notes = Notes(Files("out").at(1));
  EXPECT_EQ(notes.notes(0).pitch(), 64);
  EXPECT_EQ(notes.notes(1).pitch(), 60);
}

TEST_F(GenerateCommandTest, WithoutPrimerOutputsStayInTheModelsRange) {
  const Outcome outcome =
      Generate("out", "--num_outputs=200 --num_steps=64 --seed=1");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  std::map<int, int> first;
  for (const auto& [number, bytes] : Files("out")) {
    const NoteSequence notes = Notes(bytes);
    ASSERT_GT(notes.notes_size(), 0);
    ++first[notes.notes(0).pitch()];
    for (const auto& note : notes.notes()) {
      EXPECT_GE(note.pitch(), 48) << number;
      EXPECT_LT(note.pitch(), 84) << number;
    }
  }
  EXPECT_GT(first.size(), 24);
}

TEST_F(GenerateCommandTest, WithoutPrimerOutputsBeginAsTheTrainingData) {
  Bundle bundle = *ReadBundle(absl::StrCat(
      CONTINUO_SOURCE_DIR, "/tests/golden/bundles/attention_rnn.mag"));
  bundle.first_events = {{62, 1}, {67, 3}};
  ASSERT_TRUE(MakeDirectories(dir_).ok());
  ASSERT_TRUE(WriteBundle(dir_ + "/m.mag", bundle).ok());
  bundle_ = dir_ + "/m.mag";
  ASSERT_EQ(Generate("out", "--num_outputs=40 --num_steps=4 --seed=1").code, 0);
  std::map<int, int> first;
  for (const auto& [number, bytes] : Files("out")) {
    ++first[Notes(bytes).notes(0).pitch()];
  }
  EXPECT_EQ(first.size(), 2);
  EXPECT_GT(first[67], first[62]);
  EXPECT_GT(first[62], 0);
}

TEST_F(GenerateCommandTest, NumbersOfOneAreSingular) {
  const Outcome outcome = Generate("out", "--num_outputs=1 --num_steps=8");
  EXPECT_NE(outcome.text.find("Generating 1 output of"), std::string::npos);
  EXPECT_NE(outcome.text.find("Wrote 1 MIDI file to"), std::string::npos)
      << outcome.text;
}

TEST_F(GenerateCommandTest, NewBarsCountFromTheEndOfThePrimer) {
  const Outcome outcome = Generate(
      "out", "--num_outputs=1 --new_bars=2 --primer_melody='[60,-2,-2,-2]'");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_NE(outcome.text.find("the primer and 2 bars"), std::string::npos);
  EXPECT_LE(Notes(Files("out").at(1)).total_time(), 36 * 0.125 + 1e-3);
  const Outcome both = Generate("x", "--new_bars=2 --num_steps=64");
  EXPECT_EQ(both.code, 1);
  EXPECT_NE(both.text.find("--new_bars=2"), std::string::npos) << both.text;
}

TEST_F(GenerateCommandTest, PrimersMayBeAbcAndOneInstrumentIsChosen) {
  ASSERT_TRUE(MakeDirectories(dir_).ok());
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/tune.abc",
                                  "X:1\nT:x\nM:4/4\nL:1/4\nK:G\nG A B c|\n")
                  .ok());
  ASSERT_EQ(Generate("abc", absl::StrCat("--num_outputs=1 --num_steps=32 "
                                         "--primer_midi=",
                                         dir_, "/tune.abc"))
                .code,
            0);
  const NoteSequence notes = Notes(Files("abc").at(1));
  ASSERT_GE(notes.notes_size(), 4);
  EXPECT_EQ(notes.notes(0).pitch(), 67);
  EXPECT_EQ(notes.notes(3).pitch(), 72);

  NoteSequence band;
  for (int i = 0; i < 4; ++i) {
    auto* note = band.add_notes();
    note->set_pitch(i < 2 ? 60 + 4 * i : 70);
    note->set_velocity(80);
    note->set_start_time(i < 2 ? 0 : 0.25 * i);
    note->set_end_time(note->start_time() + 0.25);
    note->set_instrument(i < 2 ? 0 : 1);
    note->set_program(i < 2 ? 0 : 32);
  }
  band.set_total_time(1);
  ASSERT_TRUE(WriteFileAtomically(dir_ + "/band.mid", *WriteMidi(band)).ok());
  const std::string primer = absl::StrCat(
      "--num_outputs=1 --num_steps=32 --primer_midi=", dir_, "/band.mid");
  const Outcome refused = Generate("band", primer);
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.text.find("0 Acoustic Grand Piano (2 notes, polyphonic), 1 "
                              "Acoustic Bass (2 notes); give "
                              "--primer_instrument=1"),
            std::string::npos)
      << refused.text;
  ASSERT_EQ(Generate("band", primer + " --primer_instrument=1").code, 0);
  EXPECT_EQ(Notes(Files("band").at(1)).notes(0).pitch(), 70);
  const Outcome none = Generate("none", primer + " --primer_instrument=7");
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.text.find("--primer_instrument=7"), std::string::npos);
}

TEST_F(GenerateCommandTest, RefusalsNameTheFlagAndWriteNothing) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"--num_steps=3 --primer_melody='[60]'", "--num_steps"},
      {"--primer_melody='[60, “62”]'", "--primer_melody"},
      {"--primer_melody='[300]'", "--primer_melody"},
      {"--primer_midi=/none.mid", "--primer_midi: /none.mid"},
      {"--primer_midi=/dev/null", "--primer_midi"},
      {"--temperature=0", "--temperature"},
      {"--beam_size=0", "--beam_size"},
      {"--num_outputs=0", "--num_outputs"},
      {"--num_steps=-5", "--num_steps"},
      {"--num_steps=abc", "num_steps"},
      {"--qpm=-3", "--qpm"},
      {"--top_p=2", "--top_p"},
      {"--threads=-1", "--threads"},
      {"--device=cuda:9", "cuda"},
      {"--log=LOUD", "LOUD"},
      {"--run_dir=/none", "--run_dir"},
      {"--checkpoint_file=/none", "--checkpoint_file and --bundle_file"},
      {"--hparams=rnn_layer_sizes=[64]", "rnn_layer_sizes=[16,12]"},
      {"--num_output=3", "num_outputs"},  // the nearest flag is suggested
      {"stray", "stray"}};
  for (const auto& [flags, word] : cases) {
    const Outcome outcome = Generate("out", flags);
    EXPECT_EQ(outcome.code, 1) << flags;
    EXPECT_NE(outcome.text.find(word), std::string::npos)
        << flags << ": " << outcome.text;
    EXPECT_FALSE(FileExists(dir_ + "/out")) << flags;
  }
}

TEST_F(GenerateCommandTest, HelpTeaches) {
  const Outcome outcome = Command("--help=all");
  for (const std::string word :
       {"--run_dir", "--primer_melody", "--temperature", "Default: 128",
        "melody_rnn_generate --bundle_file=model.mag"}) {
    EXPECT_NE(outcome.text.find(word), std::string::npos)
        << word << " in " << outcome.text;
  }
}

}  // namespace
}  // namespace continuo
