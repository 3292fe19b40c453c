// SPDX-License-Identifier: Apache-2.0

// melody_rnn_score as a user runs it, on tiny bundles of Magenta.

#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "data/notes/midi/midi_writer.h"
#include "data/proto/music.pb.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;
using testing::ScratchDir;

struct ScoreOutcome {
  int code = -1;
  std::string out;
  std::string err;
};

std::string Bundle(const std::string& name) {
  return absl::StrCat("--bundle_file=",
                      testing::ShellSource(
                          absl::StrCat("tests/golden/bundles/", name, ".mag")));
}

// What `before` ("cat tune.mid |") writes is standard input.
ScoreOutcome RunScore(const ScratchDir& dir, const std::string& flags,
                      const std::string& command = "melody_rnn_score",
                      const std::string& before = "") {
  const std::string line =
      absl::StrCat(before, testing::ShellCommand(command), " ", flags, " >",
                   dir.Path("stdout"), " 2>", dir.Path("stderr"));
  const int status = std::system(line.c_str());
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .out = testing::MustRead(dir.Path("stdout")),
          .err = testing::MustRead(dir.Path("stderr"))};
}

std::vector<nlohmann::json> Lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines.push_back(nlohmann::json::parse(line, nullptr, false));
    EXPECT_TRUE(lines.back().is_object()) << line;
  }
  return lines;
}

std::string Tunes() {
  return absl::StrCat("--input=", testing::ShellSource("scripts/tunes"));
}

// A scale of `notes` quarter notes; two voices at once with `chords`.
NoteSequence Scale(int notes, bool chords = false) {
  NoteSequence sequence;
  for (int i = 0; i < notes; ++i) {
    for (int voice = 0; voice <= (chords ? 1 : 0); ++voice) {
      NoteSequence::Note* note = sequence.add_notes();
      note->set_pitch(60 + i % 12 + 4 * voice);
      note->set_velocity(80);
      note->set_start_time(0.5 * i);
      note->set_end_time(0.5 * (i + 1));
    }
  }
  sequence.set_total_time(0.5 * notes);
  return sequence;
}

std::string WriteRecords(const ScratchDir& dir,
                         const std::vector<NoteSequence>& sequences) {
  std::string bytes;
  for (const NoteSequence& sequence : sequences) {
    bytes += FrameTfRecord(sequence.SerializeAsString());
  }
  const std::string path = dir.Path("notes.tfrecord");
  CONTINUO_CHECK(WriteFileAtomically(path, bytes).ok());
  return path;
}

TEST(ScoreCommandTest, MusicFromAPipeNeedsNoName) {
  const ScratchDir dir;
  ASSERT_TRUE(
      WriteFileAtomically(dir.Path("tune.mid"), *WriteMidi(Scale(40))).ok());
  const std::string abc = testing::ShellSource("scripts/tunes/reels.abc");
  for (const std::string& file : {dir.Path("tune.mid"), abc}) {
    const std::string flags = Bundle("attention_rnn") + " --input=";
    const ScoreOutcome named = RunScore(dir, flags + file);
    ASSERT_EQ(named.code, 0) << named.err;
    const auto expected = Lines(named.out);
    ASSERT_FALSE(expected.empty());
    for (const char* name : {"-", "/dev/stdin", "/dev/fd/0"}) {
      const ScoreOutcome piped = RunScore(dir, flags + name, "melody_rnn_score",
                                          absl::StrCat("cat ", file, " | "));
      ASSERT_EQ(piped.code, 0) << piped.err;
      auto lines = Lines(piped.out);
      ASSERT_EQ(lines.size(), expected.size());
      for (size_t i = 0; i < lines.size(); ++i) {
        lines[i]["file"] = expected[i]["file"];
        EXPECT_EQ(lines[i], expected[i]);
      }
    }
  }
  const ScoreOutcome noise =
      RunScore(dir, Bundle("attention_rnn") + " --input=-", "melody_rnn_score",
               "echo noise | ");
  EXPECT_EQ(noise.code, 1);
  EXPECT_TRUE(absl::StrContains(noise.err, "or has the contents of one"))
      << noise.err;
}

TEST(ScoreCommandTest, ScoresAFolderWhateverTheBatchAndThreads) {
  const ScratchDir dir;
  const std::string flags = absl::StrCat(Bundle("attention_rnn"), " ", Tunes());
  const ScoreOutcome one = RunScore(dir, flags + " --threads=1 --batch=1");
  ASSERT_EQ(one.code, 0) << one.err;
  const auto lines = Lines(one.out);
  ASSERT_GT(lines.size(), 20);
  EXPECT_TRUE(
      absl::EndsWith(lines[0]["file"].get<std::string>(), "/hornpipes.abc"));
  EXPECT_EQ(lines[0]["tune"], 1);
  for (const auto& line : lines) {
    EXPECT_LT(line["log_likelihood"], 0);
    EXPECT_NEAR(line["bits_per_event"].get<double>(),
                -line["log_likelihood"].get<double>() / std::log(2.0) /
                    line["predicted_events"].get<double>(),
                1e-9);
  }
  const ScoreOutcome many = RunScore(dir, flags + " --threads=3");
  ASSERT_EQ(many.code, 0) << many.err;
  EXPECT_EQ(one.out, many.out);
}

TEST(ScoreCommandTest, OutputSummaryAndReportSayTheSame) {
  const ScratchDir dir;
  const std::string records =
      WriteRecords(dir, {Scale(40), NoteSequence(), Scale(12)});
  const ScoreOutcome outcome = RunScore(
      dir, absl::StrCat(Bundle("lookback_rnn"), " --input=", records,
                        " --classes --output=", dir.Path("new/scores.jsonl"),
                        " --summary=", dir.Path("new/all.json"),
                        " --report=", dir.Path("new/report.jsonl")));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.empty());
  const auto scores = Lines(testing::MustRead(dir.Path("new/scores.jsonl")));
  ASSERT_EQ(scores.size(), 2);
  EXPECT_EQ(scores[0]["record"], 0);
  EXPECT_EQ(scores[1]["record"], 2);
  const auto report = Lines(testing::MustRead(dir.Path("new/report.jsonl")));
  ASSERT_EQ(report.size(), 3);
  EXPECT_EQ(report[0]["status"], "scored");
  EXPECT_EQ(report[1]["status"], "skipped");
  EXPECT_EQ(report[1]["discarded"]["no_melodic_notes"], 1);
  const auto summary = testing::MustReadJson(dir.Path("new/all.json"));
  EXPECT_EQ(summary["sequences"], 2);
  EXPECT_EQ(summary["skipped"], 1);
  EXPECT_NEAR(summary["log_likelihood"].get<double>(),
              scores[0]["log_likelihood"].get<double>() +
                  scores[1]["log_likelihood"].get<double>(),
              1e-9);
  int64_t labels = 0;
  for (const auto& of_class : summary["classes"]) {
    labels += of_class["labels"].get<int64_t>();
  }
  EXPECT_EQ(labels, summary["predicted_events"]);
  EXPECT_TRUE(scores[0].contains("classes"));
}

TEST(ScoreCommandTest, LimitsChooseWhatIsScored) {
  const ScratchDir dir;
  const std::string records =
      WriteRecords(dir, {Scale(200), Scale(8), Scale(40, /*chords=*/true)});
  const std::string flags =
      absl::StrCat(Bundle("lookback_rnn"), " --input=", records);
  const auto all = Lines(RunScore(dir, flags).out);
  ASSERT_EQ(all.size(), 2);
  EXPECT_GT(all[0]["predicted_events"], 700);
  const auto as_dataset = Lines(
      RunScore(dir,
               flags + " --min_bars=7 --min_unique_pitches=5 --max_steps=512")
          .out);
  ASSERT_EQ(as_dataset.size(), 1);
  EXPECT_EQ(as_dataset[0]["predicted_events"], 511);
  EXPECT_EQ(
      Lines(RunScore(dir, flags + " --ignore_polyphonic_notes").out).size(), 3);
}

// Examples of either form are what their pieces give.
TEST(ScoreCommandTest, DataSetsOfEitherForm) {
  const ScratchDir dir;
  const std::string records = WriteRecords(dir, {Scale(40), Scale(200)});
  const auto scores = [&](const std::string& flags) {
    const ScoreOutcome outcome =
        RunScore(dir, absl::StrCat(Bundle("lookback_rnn"), " ", flags));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::vector<std::string> values;
    for (const auto& line : Lines(outcome.out)) {
      values.push_back(line["log_likelihood"].dump());
    }
    return values;
  };
  const std::vector<std::string> of_notes = scores(
      absl::StrCat("--input=", records,
                   " --min_bars=7 --min_unique_pitches=5 --max_steps=512"));
  EXPECT_EQ(of_notes.size(), 2u);
  for (const char* format : {"magenta", "compact"}) {
    const ScoreOutcome made =
        RunScore(dir,
                 absl::StrCat("--config=lookback_rnn --input=", records,
                              " --eval_ratio=1 --format=", format,
                              " --output_dir=", dir.Path(format)),
                 "melody_rnn_create_dataset");
    ASSERT_EQ(made.code, 0) << made.err;
    const std::string data =
        absl::StrCat(dir.Path(format), "/eval_melodies.tfrecord");
    EXPECT_EQ(scores("--input=" + data), of_notes);
    const ScoreOutcome other =
        RunScore(dir, absl::StrCat(Bundle("attention_rnn"), " --input=", data));
    EXPECT_EQ(other.code, 1);
    EXPECT_TRUE(absl::StrContains(other.err, "key_melody(48..83)") ||
                absl::StrContains(other.err, "attention_rnn"))
        << other.err;
  }
}

TEST(ScoreCommandTest, FilesOfOtherKindsAreNamed) {
  const ScratchDir dir;
  const std::string bundle = Bundle("lookback_rnn");
  const ScoreOutcome outcome =
      RunScore(dir, absl::StrCat(bundle, " --input=",
                                 absl::StripPrefix(bundle, "--bundle_file=")));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(absl::StrContains(outcome.err, "this is a bundle; give music"))
      << outcome.err;
}

TEST(ScoreCommandTest, OtherFamilies) {
  const ScratchDir dir;
  NoteSequence drums = Scale(64);
  for (auto& note : *drums.mutable_notes()) {
    note.set_is_drum(true);
    note.set_pitch(note.pitch() % 2 == 0 ? 36 : 42);
  }
  const std::string records = WriteRecords(dir, {drums, Scale(130)});
  const ScoreOutcome kit =
      RunScore(dir, absl::StrCat(Bundle("drum_kit"), " --input=", records),
               "drums_rnn_score");
  ASSERT_EQ(kit.code, 0) << kit.err;
  EXPECT_EQ(Lines(kit.out).size(), 1);
  const std::string flags =
      absl::StrCat(Bundle("multiconditioned_performance_with_dynamics"),
                   " --input=", records);
  const ScoreOutcome split = RunScore(dir, flags, "performance_rnn_score");
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Lines(split.out).size(), 2 + 3);  // 32 and 65 seconds
  const ScoreOutcome whole =
      RunScore(dir, flags + " --split_seconds=0", "performance_rnn_score");
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(Lines(whole.out).size(), 2);
  const ScoreOutcome refused =
      RunScore(dir, flags + " --disable_conditioning", "performance_rnn_score");
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(absl::StrContains(refused.err, "--disable_conditioning"));
}

TEST(ScoreCommandTest, RefusalsNameTheRemedyAndWriteNothing) {
  const ScratchDir dir;
  std::string damaged = FrameTfRecord(Scale(40).SerializeAsString());
  damaged[20] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(dir.Path("damaged.tfrecord"), damaged).ok());
  ASSERT_TRUE(WriteFileAtomically(dir.Path("a.txt"), "hello").ok());
  const std::string model = Bundle("lookback_rnn");
  const std::string good = absl::StrCat(model, " ", Tunes());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {model, "--input"},
      {Tunes(), "--run_dir"},
      {model + " --input=/none/x.mid", "/none/x.mid"},
      {absl::StrCat(model, " --input=", dir.Path("damaged.tfrecord")),
       "damaged.tfrecord"},
      {absl::StrCat(model, " --input=", dir.Path("a.txt")), "a.txt"},
      {good + " --min_bars=-1", "--min_bars"},
      {good + " --max_steps=-1", "--max_steps"},
      {good + " --batch=-1", "--batch"},
      {good + " --threads=-1", "--threads"},
      {good + " --min_bar=1", "min_bars"},
      {absl::StrCat(Bundle("drum_kit"), " ", Tunes()), "drum_kit"}};
  for (const auto& [flags, word] : cases) {
    const ScoreOutcome outcome =
        RunScore(dir, absl::StrCat(flags, " --output=", dir.Path("out")));
    EXPECT_EQ(outcome.code, 1) << flags;
    EXPECT_TRUE(absl::StrContains(outcome.err, word))
        << flags << ": " << outcome.err;
    EXPECT_FALSE(FileExists(dir.Path("out"))) << flags;
  }
}

TEST(ScoreCommandTest, HelpTeaches) {
  const ScratchDir dir;
  const ScoreOutcome outcome = RunScore(dir, "--help=all");
  for (const std::string word :
       {"--min_bars", "bits_per_event", "--min_unique_pitches", "--report"}) {
    EXPECT_TRUE(absl::StrContains(outcome.out + outcome.err, word)) << word;
  }
}

}  // namespace
}  // namespace continuo
