// SPDX-License-Identifier: Apache-2.0

// The converter on a small tree of files made here.

#include "data/notes/convert/convert.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/proto/music.pb.h"
#include "data/records/shards.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/midi_bytes.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;
using ::continuo::testing::Bytes;
using ::continuo::testing::MidiFile;
using ::tensorflow::magenta::NoteSequence;

std::string Midi(int pitch) {
  return MidiFile({Bytes({0, 0x90, pitch, 80, 0x60, pitch, 0})});
}

// Same notes, but Magenta rejects the key.
std::string MidiWithWrongKey(int pitch) {
  return MidiFile(
      {Bytes({0, 0xff, 0x59, 2, 9, 0, 0, 0x90, pitch, 80, 0x60, pitch, 0})});
}

class ConvertTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(SetLogLevel("FATAL").ok());
    root_ = absl::StrCat(
        ::testing::TempDir(), "/convert_test.", getpid(), ".",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    Write("tunes/b.mid", Midi(61));
    Write("tunes/B.MIDI", Midi(60));
    Write("tunes/c.abc",
          "X:3\nM:4/4\nL:1/4\nK:C\nCDEF|\n\nX:7\nM:4/4\nL:1/4\nK:C\nz4|\n\n"
          "X:1\nM:4/4\nL:1/4\nK:C\nc|\n");
    Write("tunes/broken.mid", "junk");
    Write("tunes/key.mid", MidiWithWrongKey(62));
    Write("tunes/notes.txt", "text");
    Write("tunes/a/z.mid", Midi(70));
    Write("tunes/a/b/y.mid", Midi(71));
    Write("tunes/z/x.mid", Midi(72));
    options_.input_dir = root_ + "/tunes";
    options_.output_file = root_ + "/out/notes.tfrecord";
    options_.recursive = true;
    options_.num_threads = 1;
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& bytes) {
    const std::string path = absl::StrCat(root_, "/", name);
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }

  std::vector<NoteSequence> ReadOutput(const std::string& path) {
    std::vector<NoteSequence> sequences;
    auto reader = TfRecordReader::Open(path);
    EXPECT_TRUE(reader.ok()) << reader.status();
    if (!reader.ok()) return sequences;
    for (;;) {
      const auto record = (*reader)->Next();
      if (!record.ok()) return sequences;
      EXPECT_TRUE(sequences.emplace_back().ParseFromArray(
          record->data(), static_cast<int>(record->size())));
    }
  }

  std::string root_;
  ConvertOptions options_;
};

TEST_F(ConvertTest, WritesFilesBeforeFoldersInByteOrder) {
  const auto summary = ConvertDirectory(options_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->files, 9);
  EXPECT_EQ(summary->sequences, 8);
  std::vector<std::string> names;
  for (const NoteSequence& sequence : ReadOutput(options_.output_file)) {
    names.push_back(sequence.filename());
    EXPECT_EQ(sequence.collection_name(), "tunes");
  }
  const std::vector<std::string> expected = {"B.MIDI",    "b.mid",   "c.abc",
                                             "c.abc",     "key.mid", "a/z.mid",
                                             "a/b/y.mid", "z/x.mid"};
  EXPECT_EQ(names, expected);
}

TEST_F(ConvertTest, IdsAreThoseOfMagenta) {
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  const auto sequences = ReadOutput(options_.output_file);
  ASSERT_EQ(sequences.size(), 8u);
  // sha1sum of "b.mid", "c.abc_3", "c.abc_1" and "a/b/y.mid".
  EXPECT_EQ(sequences[1].id(),
            "/id/midi/tunes/9a436dee60d61a26f1f7c4bede2ad81f03c47691");
  EXPECT_EQ(sequences[2].id(),
            "/id/abc/tunes/9041107bcd58c6b91aaaee06438c5c1bf8215ed2");
  EXPECT_EQ(sequences[3].id(),
            "/id/abc/tunes/4b21fd10a0fbb54906c57ef635583452e1dcf10b");
  EXPECT_EQ(sequences[6].id(),
            "/id/midi/tunes/e6ae777edea32a79b5cbdc797e7bd372d7279769");
}

TEST_F(ConvertTest, CollectionIsTheNameAsGiven) {
  options_.input_dir += "/";
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  const auto sequences = ReadOutput(options_.output_file);
  ASSERT_FALSE(sequences.empty());
  EXPECT_EQ(sequences[0].collection_name(), "");
  EXPECT_TRUE(absl::StartsWith(sequences[0].id(), "/id/midi//"));
}

TEST_F(ConvertTest, CountsReasons) {
  const auto summary = ConvertDirectory(options_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->skipped.size(), 3u);  // the third is the silent tune
  EXPECT_EQ(summary->skipped.at("no converter for files that end in .txt"), 1);
  EXPECT_EQ(summary->skipped.at("not a MIDI file"), 1);
  const std::map<std::string, int64_t> repaired = {
      {"a wrong key signature", 1}};
  EXPECT_EQ(summary->repaired, repaired);
}

TEST_F(ConvertTest, FoldersNeedRecursive) {
  options_.recursive = false;
  const auto summary = ConvertDirectory(options_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->sequences, 5);
  EXPECT_EQ(summary->skipped.at("a folder"), 2);
}

TEST_F(ConvertTest, AnyNumberOfThreadsGivesTheSameBytes) {
  for (int i = 0; i < 200; ++i) {
    Write(absl::StrCat("tunes/many/", i, ".mid"), Midi(i % 128));
  }
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  const auto one = ReadFile(options_.output_file);
  for (const int threads : {2, 5}) {
    options_.num_threads = threads;
    ASSERT_TRUE(ConvertDirectory(options_).ok());
    EXPECT_TRUE(*ReadFile(options_.output_file) == *one);
  }
}

TEST_F(ConvertTest, DealsSequencesToShards) {
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  const auto all = ReadOutput(options_.output_file);
  options_.num_shards = 3;
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  size_t total = 0;
  for (size_t shard = 0; shard < 3; ++shard) {
    const auto part = ReadOutput(
        absl::StrCat(options_.output_file, "-0000", shard, "-of-00003"));
    for (size_t i = 0; i < part.size(); ++i) {
      EXPECT_EQ(part[i].id(), all[3 * i + shard].id());
    }
    total += part.size();
  }
  EXPECT_EQ(total, all.size());
}

TEST_F(ConvertTest, SeveralProcessesWriteTheSequencesOfOne) {
  const auto one = ConvertDirectory(options_);
  ASSERT_TRUE(one.ok());
  std::vector<std::string> expected;
  for (const NoteSequence& sequence : ReadOutput(options_.output_file)) {
    expected.push_back(sequence.SerializeAsString());
  }
  std::sort(expected.begin(), expected.end());
  // More processes than files, too: the last ones have nothing.
  for (const int size : {2, 3, 20}) {
    std::vector<std::string> records;
    int64_t files = 0;
    std::map<std::string, int64_t> skipped;
    for (int rank = 0; rank < size; ++rank) {
      options_.share = {.rank = rank, .size = size};
      const auto part = ConvertDirectory(options_);
      ASSERT_TRUE(part.ok()) << part.status();
      files += part->files;
      for (const auto& [reason, count] : part->skipped) {
        skipped[reason] += count;
      }
      for (const NoteSequence& sequence :
           ReadOutput(ShareName(options_.output_file, options_.share))) {
        records.push_back(sequence.SerializeAsString());
      }
    }
    std::sort(records.begin(), records.end());
    EXPECT_TRUE(records == expected) << size;
    EXPECT_EQ(files, one->files);
    EXPECT_EQ(skipped, one->skipped);
  }
}

TEST_F(ConvertTest, ReportsEachFileAndTune) {
  options_.report_file = root_ + "/out/report.jsonl";
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  std::vector<nlohmann::json> lines;
  const std::string report = testing::MustRead(options_.report_file);
  for (absl::string_view line : absl::StrSplit(report, '\n')) {
    if (line.empty()) continue;
    lines.push_back(nlohmann::json::parse(line, nullptr, false));
    ASSERT_FALSE(lines.back().is_discarded()) << line;
  }
  ASSERT_EQ(lines.size(), 11u);
  EXPECT_EQ(lines[0]["file"], "B.MIDI");
  EXPECT_EQ(lines[0]["status"], "converted");
  EXPECT_EQ(lines[0]["notes"], 1);
  EXPECT_FALSE(lines[0].contains("tune"));
  EXPECT_EQ(lines[2]["file"], "broken.mid");
  EXPECT_EQ(lines[2]["status"], "skipped");
  EXPECT_EQ(lines[2]["reason"], "not a MIDI file");
  EXPECT_EQ(lines[4]["tune"], 7);
  EXPECT_EQ(lines[4]["status"], "skipped");
  EXPECT_EQ(lines[6]["status"], "repaired");
  EXPECT_EQ(lines[6]["reason"], "a wrong key signature");
  EXPECT_TRUE(lines[6].contains("id"));
}

// A tempo in the second track only, and a format 2 file of two tracks.
TEST_F(ConvertTest, CountsWhatEachReadingWarnsOf) {
  const std::string note = Bytes({0, 0x90, 60, 80, 0x60, 60, 0});
  fs::remove_all(root_ + "/tunes");
  Write("tunes/a.mid",
        MidiFile({note, Bytes({0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40})}));
  std::string in_turn = MidiFile({note, note});
  in_turn[9] = 2;
  Write("tunes/b.kar", in_turn);
  options_.report_file = root_ + "/out/report.jsonl";
  const auto read = [&](Reading reading) {
    options_.reading.reading = reading;
    const auto summary = ConvertDirectory(options_);
    EXPECT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->sequences, 2);
    EXPECT_TRUE(summary->repaired.empty());
    return summary->warned;
  };
  using Counts = std::map<std::string, int64_t>;
  EXPECT_EQ(
      read(Reading::kStandard),
      (Counts{{"a track of format 2, played after the one before it", 1}}));
  EXPECT_FALSE(
      absl::StrContains(testing::MustRead(options_.report_file), "Magenta"));
  EXPECT_EQ(ReadOutput(options_.output_file)[0].tempos(0).qpm(), 60.0);
  const std::string tempo =
      "a tempo outside the first track, ignored as Magenta does";
  EXPECT_EQ(read(Reading::kMagenta),
            (Counts{{tempo, 1},
                    {"a track of format 2 played together with the first, as "
                     "Magenta does",
                     1}}));
  EXPECT_TRUE(
      absl::StrContains(testing::MustRead(options_.report_file),
                        absl::StrCat("\"warnings\":{\"", tempo, "\":1}")));
  EXPECT_EQ(ReadOutput(options_.output_file)[0].tempos(0).qpm(), 120.0);
}

TEST_F(ConvertTest, OverwritesWhenDone) {
  Write("out/notes.tfrecord", "old");
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  const auto first = ReadFile(options_.output_file);
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  EXPECT_TRUE(*ReadFile(options_.output_file) == *first);
  EXPECT_NE(*first, "old");
}

TEST_F(ConvertTest, NothingToConvertIsAnErrorThatSaysWhy) {
  fs::remove_all(root_ + "/tunes");
  Write("tunes/sub/a.mid", Midi(60));
  Write("tunes/junk.mid", "junk");
  Write("out/notes.tfrecord", "old");
  options_.recursive = false;
  const auto summary = ConvertDirectory(options_);
  EXPECT_EQ(summary.status().code(), absl::StatusCode::kInvalidArgument);
  for (const char* part :
       {"1  not a MIDI file", "1  a folder", "`recursive`"}) {
    EXPECT_TRUE(absl::StrContains(summary.status().message(), part))
        << summary.status();
  }
  EXPECT_EQ(*ReadFile(options_.output_file), "old");
}

TEST_F(ConvertTest, StoppingLeavesNothing) {
  const std::atomic<bool> stop{true};
  options_.stop = &stop;
  EXPECT_TRUE(absl::IsCancelled(ConvertDirectory(options_).status()));
  EXPECT_FALSE(fs::exists(root_ + "/out"));
}

TEST_F(ConvertTest, WrongPathsAreErrors) {
  options_.input_dir = root_ + "/nowhere";
  EXPECT_TRUE(absl::StrContains(ConvertDirectory(options_).status().message(),
                                "does not exist"));
  options_.input_dir = root_ + "/tunes/b.mid";
  EXPECT_TRUE(absl::StrContains(ConvertDirectory(options_).status().message(),
                                "is a file"));
  options_.input_dir = root_ + "/tunes";
  options_.output_file = root_ + "/tunes/a";
  EXPECT_TRUE(absl::StrContains(ConvertDirectory(options_).status().message(),
                                "is a folder"));
}

TEST_F(ConvertTest, LinksInCirclesEnd) {
  fs::create_directory_symlink(root_ + "/tunes", root_ + "/tunes/a/up");
  fs::create_symlink(root_ + "/nowhere", root_ + "/tunes/dead.mid");
  const auto summary = ConvertDirectory(options_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->sequences, 8);
  EXPECT_EQ(summary->skipped.at("a link to a folder that contains it"), 1);
  EXPECT_EQ(summary->skipped.at("neither a file nor a folder (a dead link?)"),
            1);
}

TEST_F(ConvertTest, NamesInLatin1AreStoredAsUtf8) {
  Write("tunes/\xfc.mid", Midi(60));
  ASSERT_TRUE(ConvertDirectory(options_).ok());
  const auto sequences = ReadOutput(options_.output_file);
  ASSERT_EQ(sequences.size(), 9u);
  EXPECT_EQ(sequences[5].filename(), "\xc3\xbc.mid");
}

TEST(FailureReasonTest, LikeFailuresAreOneReason) {
  EXPECT_EQ(FailureReason("a wrong key: track 1, byte 3"), "a wrong key");
  EXPECT_EQ(FailureReason("a rest; check it"), "a rest");
  EXPECT_EQ(FailureReason("more than 1000 notes"), "more than # notes");
  EXPECT_EQ(FailureReason(""), "");
}

}  // namespace
}  // namespace continuo
