// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/dataset_builder.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/events/dataset/melody_pipeline.h"
#include "data/records/shards.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "runtime/base/random.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Eight bars whose pitches tell sequences apart.
NoteSequence Tune(int number, int bars = 8) {
  NoteSequence sequence;
  sequence.set_id(absl::StrCat("tune_", number));
  for (int i = 0; i < 4 * bars; ++i) {
    auto* note = sequence.add_notes();
    note->set_pitch(50 + static_cast<int>(RandomBelow(
                             number, RandomPurpose::kSample, 0, i, 30)));
    note->set_velocity(80);
    note->set_start_time(0.5 * i);
    note->set_end_time(0.5 * i + 0.5);
  }
  sequence.set_total_time(2.0 * bars);
  return sequence;
}

class DatasetBuilderTest : public ::testing::Test {
 protected:
  // Writes sequences to a file of its own in the scratch folder.
  std::string WriteInput(const std::string& name,
                         const std::vector<NoteSequence>& sequences) {
    const std::string path = scratch_.Path(name);
    auto writer = TfRecordWriter::Create(path);
    EXPECT_TRUE(writer.ok()) << writer.status();
    for (const NoteSequence& sequence : sequences) {
      EXPECT_TRUE((*writer)->Append(sequence.SerializeAsString()).ok());
    }
    EXPECT_TRUE((*writer)->Commit().ok());
    return path;
  }

  std::vector<NoteSequence> Tunes(int first, int count) {
    std::vector<NoteSequence> tunes;
    for (int i = 0; i < count; ++i) tunes.push_back(Tune(first + i));
    return tunes;
  }

  DatasetOptions Options(std::vector<std::string> inputs,
                         const std::string& output = "out") {
    DatasetOptions options;
    options.inputs = std::move(inputs);
    options.output_dir = scratch_.Path(output);
    options.eval_ratio = 0.25;
    options.draw = [](int64_t index) {
      return RandomDouble(7, RandomPurpose::kPartition, 0, index);
    };
    return options;
  }

  absl::Status Build(const DatasetOptions& options, int threads = 2) {
    const auto pipeline =
        MakeMelodyPipeline({.encoding = {.encoding = Encoding::kLookbackMelody,
                                         .min_note = 48,
                                         .max_note = 84,
                                         .transpose_to_key = 0}});
    ThreadPool pool(threads);
    summary_ = DatasetSummary();
    return BuildDataset(*pipeline, options, &pool, &summary_);
  }

  std::string Bytes(const std::string& below) {
    auto bytes = ReadFile(scratch_.Path(below));
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return bytes.ok() ? *bytes : "";
  }

  void AppendRecords(const std::string& below,
                     std::vector<std::string>* records) {
    auto reader = TfRecordReader::Open(scratch_.Path(below));
    CONTINUO_CHECK(reader.ok());
    for (auto record = (*reader)->Next(); record.ok();
         record = (*reader)->Next()) {
      records->emplace_back(*record);
    }
  }

  RecordDigest DigestOf(const std::string& below) {
    auto reader = TfRecordReader::Open(scratch_.Path(below));
    CONTINUO_CHECK(reader.ok());
    while ((*reader)->Next().ok()) {
    }
    return (*reader)->digest();
  }

  // Names in a folder of the scratch folder, sorted.
  std::vector<std::string> Names(const std::string& below) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(scratch_.Path(below), error)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  testing::ScratchDir scratch_;
  DatasetSummary summary_;
};

constexpr char kTraining[] = "out/training_melodies.tfrecord";
constexpr char kEval[] = "out/eval_melodies.tfrecord";

TEST_F(DatasetBuilderTest, BytesDoNotDependOnThreads) {
  const std::string input = WriteInput("in", Tunes(0, 300));
  ASSERT_TRUE(Build(Options({input}), 1).ok());
  const std::string training = Bytes(kTraining);
  const std::string eval = Bytes(kEval);
  const std::vector<std::string> lines = summary_.statistics.Lines();
  EXPECT_EQ(summary_.sequences, 300);
  EXPECT_EQ(summary_.training_examples + summary_.eval_examples, 300);
  EXPECT_GT(summary_.eval_examples, 40);
  EXPECT_LT(summary_.eval_examples, 110);
  for (int threads : {2, 5}) {
    ASSERT_TRUE(Build(Options({input}), threads).ok());
    EXPECT_EQ(Bytes(kTraining), training);
    EXPECT_EQ(Bytes(kEval), eval);
    EXPECT_EQ(summary_.statistics.Lines(), lines);
  }
}

TEST_F(DatasetBuilderTest, SplitInputsGiveTheSameSet) {
  const std::string whole = WriteInput("whole", Tunes(0, 90));
  ASSERT_TRUE(Build(Options({whole})).ok());
  const std::string training = Bytes(kTraining);
  // The draw goes by the index over all inputs; an empty file is no obstacle.
  const std::string a = WriteInput("a", Tunes(0, 30));
  const std::string b = WriteInput("b", {});
  const std::string c = WriteInput("c", Tunes(30, 60));
  ASSERT_TRUE(Build(Options({a, b, c})).ok());
  EXPECT_EQ(Bytes(kTraining), training);
}

TEST_F(DatasetBuilderTest, RatioZeroAndOneFillOneFile) {
  const std::string input = WriteInput("in", Tunes(0, 20));
  DatasetOptions options = Options({input});
  options.eval_ratio = 0;
  ASSERT_TRUE(Build(options).ok());
  EXPECT_EQ(summary_.training_examples, 20);
  EXPECT_EQ(Bytes(kEval), "");
  options.eval_ratio = 1;
  ASSERT_TRUE(Build(options).ok());
  EXPECT_EQ(summary_.eval_examples, 20);
  EXPECT_EQ(Bytes(kTraining), "");
}

// 10,000 draws at 0.1 lie within four standard deviations (30 each) of 1,000.
TEST_F(DatasetBuilderTest, DrawsFollowTheRatio) {
  int eval = 0;
  const DatasetOptions options = Options({});
  for (int index = 0; index < 10000; ++index) {
    eval += options.draw(index) < 0.1 ? 1 : 0;
  }
  EXPECT_NEAR(eval, 1000, 120);
}

TEST_F(DatasetBuilderTest, ShardsDealExamplesInTurn) {
  const std::string input = WriteInput("in", Tunes(0, 20));
  DatasetOptions options = Options({input});
  options.eval_ratio = 0;
  ASSERT_TRUE(Build(options).ok());
  std::vector<std::string> all;
  auto reader = TfRecordReader::Open(scratch_.Path(kTraining));
  ASSERT_TRUE(reader.ok());
  for (auto record = (*reader)->Next(); record.ok();
       record = (*reader)->Next()) {
    all.emplace_back(*record);
  }
  ASSERT_EQ(all.size(), 20u);
  options.num_shards = 3;
  options.output_dir = scratch_.Path("sharded");
  ASSERT_TRUE(Build(options).ok());
  EXPECT_EQ(Names("sharded"),
            (std::vector<std::string>{
                ".melodies.manifest", "eval_melodies.tfrecord-00000-of-00003",
                "eval_melodies.tfrecord-00001-of-00003",
                "eval_melodies.tfrecord-00002-of-00003",
                "training_melodies.tfrecord-00000-of-00003",
                "training_melodies.tfrecord-00001-of-00003",
                "training_melodies.tfrecord-00002-of-00003"}));
  for (size_t shard = 0; shard < 3; ++shard) {
    auto part = TfRecordReader::Open(scratch_.Path(absl::StrCat(
        "sharded/training_melodies.tfrecord-0000", shard, "-of-00003")));
    ASSERT_TRUE(part.ok());
    for (size_t i = shard; i < all.size(); i += 3) {
      const auto record = (*part)->Next();
      ASSERT_TRUE(record.ok());
      EXPECT_EQ(*record, all[i]);
    }
    EXPECT_TRUE(absl::IsOutOfRange((*part)->Next().status()));
  }
}

TEST_F(DatasetBuilderTest, SeveralProcessesMakeTheExamplesOfOne) {
  // With copies, one of which another process would have written.
  std::vector<NoteSequence> tunes = Tunes(0, 10);
  for (const NoteSequence& copy : Tunes(3, 6)) tunes.push_back(copy);
  DatasetOptions options = Options({WriteInput("in", tunes)});
  options.dedup = true;
  options.num_shards = 2;
  ASSERT_TRUE(Build(options).ok());  // leaves a manifest of these names
  options.num_shards = 1;
  ASSERT_TRUE(Build(options).ok());
  const DatasetSummary one = summary_;
  for (const int size : {2, 3, 17}) {
    int64_t sequences = 0;
    int64_t copies = 0;
    std::vector<std::string> records[2];
    for (int rank = 0; rank < size; ++rank) {
      options.share = {.rank = rank, .size = size};
      ASSERT_TRUE(Build(options).ok());
      sequences += summary_.sequences;
      copies += summary_.statistics.count("Deduplicator_copies_left_out");
      for (int set = 0; set < 2; ++set) {
        AppendRecords(ShareName(set == 0 ? kTraining : kEval, options.share),
                      &records[set]);
      }
    }
    EXPECT_EQ(sequences, one.sequences);
    EXPECT_EQ(copies, one.statistics.count("Deduplicator_copies_left_out"));
    for (int set = 0; set < 2; ++set) {
      std::vector<std::string> expected;
      AppendRecords(set == 0 ? kTraining : kEval, &expected);
      EXPECT_FALSE(expected.empty());
      std::sort(expected.begin(), expected.end());
      std::sort(records[set].begin(), records[set].end());
      EXPECT_TRUE(records[set] == expected) << size << " " << set;
    }
    const std::vector<std::string> names = Names("out");
    EXPECT_EQ(std::count(names.begin(), names.end(), ".melodies.manifest"), 0);
  }
}

TEST_F(DatasetBuilderTest, NothingLeftIsAnErrorThatNamesTheReasons) {
  const std::string input = WriteInput("in", {Tune(1, 2), Tune(2, 3), {}});
  const absl::Status status = Build(Options({input}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(
      absl::StrContains(status.message(), "melodies_discarded_too_short: 2"))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "no_melodic_notes: 1"));
  EXPECT_TRUE(absl::StrContains(status.message(), "use longer tunes"));
  // The folder was not there before and is not there now.
  EXPECT_FALSE(FileExists(scratch_.Path("out")));
}

TEST_F(DatasetBuilderTest, NoSequencesIsAnErrorToo) {
  const absl::Status status = Build(Options({WriteInput("in", {})}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "no sequences"));
}

TEST_F(DatasetBuilderTest, AFailedRunLeavesAnEarlierDataSetAlone) {
  ASSERT_TRUE(Build(Options({WriteInput("good", Tunes(0, 5))})).ok());
  const std::string before = Bytes(kTraining);
  EXPECT_FALSE(Build(Options({WriteInput("bad", {Tune(1, 2)})})).ok());
  EXPECT_EQ(Bytes(kTraining), before);
  EXPECT_EQ(Names("out").size(), 3u);  // and the manifest
}

// A few examples fail when their file is completed, many as they are written.
TEST_F(DatasetBuilderTest, AFullDiskOffersTheCompactForm) {
  ASSERT_TRUE(MakeDirectories(scratch_.Path("out")).ok());
  std::filesystem::create_symlink("/dev/full", scratch_.Path(kTraining));
  for (const int tunes : {5, 100}) {
    DatasetOptions options = Options({WriteInput("in", Tunes(0, tunes))});
    for (const DatasetFormat format :
         {DatasetFormat::kMagenta, DatasetFormat::kCompact}) {
      options.format = format;
      const absl::Status status = Build(options);
      EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
      EXPECT_TRUE(
          absl::StartsWith(status.message(), scratch_.Path(kTraining) + ": "))
          << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "No space left"));
      EXPECT_TRUE(absl::StrContains(status.message(),
                                    "`output_dir` on another "
                                    "disk"))
          << status;
      EXPECT_EQ(absl::StrContains(status.message(), "`format`=compact"),
                format == DatasetFormat::kMagenta)
          << status;
      // The link alone: no temporary file, no other file of the set.
      EXPECT_EQ(Names("out"),
                std::vector<std::string>{"training_melodies.tfrecord"});
    }
  }
}

// Descriptors run out as well: smaller files would not help.
TEST_F(DatasetBuilderTest, TooManyShardsAreNoFullDisk) {
  DatasetOptions options = Options({WriteInput("in", Tunes(0, 5))});
  options.num_shards = 100;
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const absl::Status status = Build(options);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(absl::StrContains(status.message(), "Too many open files"))
      << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "disk")) << status;
  EXPECT_FALSE(FileExists(scratch_.Path("out")));
}

TEST_F(DatasetBuilderTest, AFileOfAnotherSetIsNoticed) {
  DatasetOptions options = Options({WriteInput("in", Tunes(0, 40))});
  ASSERT_TRUE(Build(options).ok());
  ManifestCheck intact;
  for (const char* name : {kTraining, kEval}) {
    EXPECT_TRUE(intact.Check(scratch_.Path(name), DigestOf(name)).ok());
  }
  // As after a power cut between the two: the manifest and one file are new.
  const std::string old = Bytes(kEval);
  options.eval_ratio = 0.5;
  ASSERT_TRUE(Build(options).ok());
  ASSERT_TRUE(WriteFileAtomically(scratch_.Path(kEval), old).ok());
  ManifestCheck mixed;
  EXPECT_TRUE(mixed.Check(scratch_.Path(kTraining), DigestOf(kTraining)).ok());
  EXPECT_TRUE(
      absl::IsDataLoss(mixed.Check(scratch_.Path(kEval), DigestOf(kEval))));
}

TEST_F(DatasetBuilderTest, AnInputOfAnotherSetIsNoticed) {
  const std::string input = WriteInput("in", Tunes(0, 5));
  auto manifest = WriteManifest(scratch_.Path("set"),
                                {{input, {.records = 4, .bytes = 1}}});
  ASSERT_TRUE(manifest.ok() && (*manifest)->Commit().ok());
  const absl::Status status = Build(Options({input}));
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), ".set.manifest")) << status;
}

TEST_F(DatasetBuilderTest, AReportInThePlaceOfAnotherFileIsRefused) {
  DatasetOptions options = Options({WriteInput("in", Tunes(0, 5))});
  for (const std::string& path : {scratch_.Path(kEval), options.inputs[0]}) {
    options.report = path;
    const absl::Status status = Build(options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "`report`=" + path));
  }
  EXPECT_FALSE(FileExists(scratch_.Path("out")));
}

TEST_F(DatasetBuilderTest, DamagedInputNamesFileAndPlace) {
  const std::string input = WriteInput("in", Tunes(0, 5));
  std::string bytes = Bytes("in");
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(WriteFileAtomically(input, bytes).ok());
  const absl::Status status = Build(Options({input}));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(status.message(), input)) << status;
  EXPECT_FALSE(FileExists(scratch_.Path("out")));
}

TEST_F(DatasetBuilderTest, RecordsOfAnotherKindAreRefused) {
  const std::string path = scratch_.Path("in");
  auto writer = TfRecordWriter::Create(path);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append("\xff\xff").ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  const absl::Status status = Build(Options({path}));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(status.message(), "record 0")) << status;
}

TEST_F(DatasetBuilderTest, FilesOfOtherKindsAreNamed) {
  ASSERT_TRUE(Build(Options({WriteInput("notes", Tunes(0, 3))})).ok());
  const auto message = [&](const std::string& input) {
    DatasetOptions options = Options({input});
    options.output_dir = scratch_.Path("other");
    const absl::Status status = Build(options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_FALSE(FileExists(options.output_dir));
    return std::string(status.message());
  };
  EXPECT_TRUE(absl::StrContains(message(scratch_.Path(kTraining)),
                                "is a TFRecord of SequenceExamples, a data set "
                                "that is made already"));
  EXPECT_TRUE(absl::StrContains(message(scratch_.Path()),
                                "convert_dir_to_note_sequences `input_dir`="));
  const std::string midi = scratch_.Path("tune.mid");
  ASSERT_TRUE(WriteFileAtomically(midi, "MThd").ok());
  EXPECT_TRUE(
      absl::StrContains(message(midi),
                        "tune.mid is a MIDI file; convert its folder first: "
                        "convert_dir_to_note_sequences `input_dir`="));
}

// The same tune in another key and tempo, as a file of another name.
NoteSequence Copy(NoteSequence tune) {
  tune.set_id("copy");
  tune.add_tempos()->set_qpm(60);
  for (auto& note : *tune.mutable_notes()) {
    note.set_pitch(note.pitch() + 3);
    note.set_start_time(2 * note.start_time());
    note.set_end_time(2 * note.end_time());
  }
  tune.set_total_time(2 * tune.total_time());
  return tune;
}

// With one note of the beginning changed.
NoteSequence Variant(NoteSequence tune) {
  tune.set_id("variant");
  tune.mutable_notes(1)->set_pitch(tune.notes(1).pitch() + 1);
  return tune;
}

TEST_F(DatasetBuilderTest, DedupLeavesOutCopiesAndKeepsVariantsTogether) {
  std::vector<NoteSequence> tunes = Tunes(0, 40);
  for (int i = 0; i < 40; ++i) {
    tunes.push_back(Copy(Tune(i)));
    tunes.push_back(Variant(Tune(i)));
  }
  DatasetOptions options = Options({WriteInput("in", tunes)});
  options.report = scratch_.Path("report.jsonl");
  ASSERT_TRUE(Build(options).ok());
  EXPECT_EQ(summary_.training_examples + summary_.eval_examples, 120);
  for (const std::string& line : summary_.statistics.Lines()) {
    EXPECT_FALSE(absl::StrContains(line, "Dedup")) << line;
  }
  EXPECT_FALSE(absl::StrContains(Bytes("report.jsonl"), "\"like\""));

  options.dedup = true;
  std::string first;
  for (int threads : {1, 3}) {
    ASSERT_TRUE(Build(options, threads).ok());
    if (first.empty()) first = Bytes(kTraining);
    EXPECT_EQ(Bytes(kTraining), first);
  }
  EXPECT_EQ(summary_.sequences, 120);
  EXPECT_EQ(summary_.training_examples + summary_.eval_examples, 80);
  EXPECT_EQ(summary_.statistics.count("Deduplicator_copies_left_out"), 40);
  EXPECT_EQ(
      summary_.statistics.count("Deduplicator_near_duplicates_kept_together"),
      80);
  EXPECT_EQ(summary_.discarded.at("same_notes_as_an_earlier_sequence"), 40);
  // Each variant went where its tune did.
  const std::string report = Bytes("report.jsonl");
  std::map<int64_t, std::string> sets;
  std::vector<std::string> lines =
      absl::StrSplit(report, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 120u);
  int in_eval = 0;
  for (int64_t i = 0; i < 120; ++i) {
    const auto json = nlohmann::json::parse(lines[i], nullptr, false);
    ASSERT_TRUE(json.is_object());
    sets[i] = json["set"];
    if (i < 40) {
      in_eval += sets[i] == "eval" ? 1 : 0;
      continue;
    }
    const int64_t tune = (i - 40) / 2;
    EXPECT_EQ(json[i % 2 == 0 ? "copy_of" : "like"], tune);
    EXPECT_EQ(sets[i], sets[tune]);
  }
  EXPECT_GT(in_eval, 2);
  EXPECT_LT(in_eval, 25);
}

TEST_F(DatasetBuilderTest, StopEndsWithoutFiles) {
  std::atomic<bool> stop{true};
  DatasetOptions options = Options({WriteInput("in", Tunes(0, 5))});
  options.stop = &stop;
  EXPECT_TRUE(absl::IsCancelled(Build(options)));
  EXPECT_FALSE(FileExists(scratch_.Path("out")));
}

TEST_F(DatasetBuilderTest, TheReportSurvivesAnEmptyResult) {
  DatasetOptions options = Options({WriteInput("in", {Tune(1, 2)})});
  options.report = scratch_.Path("report.jsonl");
  EXPECT_FALSE(Build(options).ok());
  const std::string report = Bytes("report.jsonl");
  EXPECT_TRUE(absl::StrContains(report, "\"id\":\"tune_1\"")) << report;
  EXPECT_TRUE(absl::StrContains(report, "\"melodies_discarded_too_short\":1"));
}

TEST_F(DatasetBuilderTest, ReportNamesOfAnyBytesAreValidJson) {
  NoteSequence tune = Tune(1);
  tune.set_id("quote \" backslash \\ line \n");
  DatasetOptions options = Options({WriteInput("in", {tune})});
  options.report = scratch_.Path("report.jsonl");
  ASSERT_TRUE(Build(options).ok());
  EXPECT_TRUE(absl::StrContains(Bytes("report.jsonl"),
                                R"(quote \" backslash \\ line \n)"));
}

}  // namespace
}  // namespace continuo
