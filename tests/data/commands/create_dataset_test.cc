// SPDX-License-Identifier: Apache-2.0

// The command melody_rnn_create_dataset as a person calls it.

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/proto/music.pb.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

class CreateDatasetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tensorflow::magenta::NoteSequence sequence;
    for (int i = 0; i < 32; ++i) {
      auto* note = sequence.add_notes();
      note->set_pitch(60 + i % 7);
      note->set_velocity(100);
      note->set_start_time(0.5 * i);
      note->set_end_time(0.5 * i + 0.5);
    }
    sequence.set_total_time(16);
    for (const char* name : {"notes-00000-of-00002", "notes-00001-of-00002"}) {
      auto writer = TfRecordWriter::Create(scratch_.Path(name));
      ASSERT_TRUE(writer.ok());
      for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE((*writer)->Append(sequence.SerializeAsString()).ok());
      }
      ASSERT_TRUE((*writer)->Commit().ok());
    }
  }

  // Runs the command; output_ is what it said.
  int Run(const std::string& flags) {
    const std::string said = scratch_.Path("said");
    const std::string line =
        absl::StrCat("cd '", scratch_.Path(), "' && ",
                     testing::ShellCommand("melody_rnn_create_dataset"), " ",
                     flags, " >", said, " 2>&1");
    const int status = std::system(line.c_str());
    output_ = *ReadFile(said);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool Says(absl::string_view text) const {
    return absl::StrContains(output_, text);
  }

  testing::ScratchDir scratch_;
  std::string output_;
};

TEST_F(CreateDatasetTest, WritesBothFilesFromShardsAndPrintsTheSeed) {
  const std::string flags =
      "--config=lookback_rnn --input='notes-*' --output_dir=out "
      "--eval_ratio=0.3 ";
  ASSERT_EQ(Run(flags + "--seed=5"), 0) << output_;
  EXPECT_TRUE(Says("seed=5")) << output_;
  EXPECT_TRUE(Says("Processed 20 inputs total. Produced 20 outputs."));
  const std::string training =
      *ReadFile(scratch_.Path("out/training_melodies.tfrecord"));
  EXPECT_TRUE(FileExists(scratch_.Path("out/eval_melodies.tfrecord")));
  ASSERT_EQ(Run(flags + "--seed=5 --threads=1"), 0);
  EXPECT_EQ(*ReadFile(scratch_.Path("out/training_melodies.tfrecord")),
            training);
  // Without a seed one is drawn and printed.
  ASSERT_EQ(Run(flags), 0);
  EXPECT_TRUE(Says(" seed="));
}

TEST_F(CreateDatasetTest, EncodersWithoutConfiguration) {
  for (const char* encoder : {"onehot", "lookback", "key"}) {
    EXPECT_EQ(Run(absl::StrCat("--melody_encoder_decoder=", encoder,
                               " --input=notes-00000-of-00002 --output_dir=",
                               encoder, " --eval_ratio=0")),
              0)
        << output_;
  }
  // 127 steps of 38, 121 and 74 floats.
  const auto size = [&](const char* encoder) {
    return ReadFile(scratch_.Path(
                        absl::StrCat(encoder, "/training_melodies.tfrecord")))
        ->size();
  };
  EXPECT_NEAR(static_cast<double>(size("onehot")), 10 * 127 * 38 * 4, 3e4);
  EXPECT_NEAR(static_cast<double>(size("lookback")), 10 * 127 * 121 * 4, 3e4);
  EXPECT_NEAR(static_cast<double>(size("key")), 10 * 127 * 74 * 4, 3e4);
}

TEST_F(CreateDatasetTest, RefusalsNameTheFlag) {
  const std::string io = " --input=notes-00000-of-00002 --output_dir=out";
  const struct {
    std::string flags;
    const char* says;
  } cases[] = {
      {"--config=basic_rnn --output_dir=out", "--input"},
      {"--config=basic_rnn --input=notes-00000-of-00002", "--output_dir"},
      {"--config=basic_rnn --input=missing --output_dir=out", "missing"},
      {io, "--config"},
      {"--config=basic_rnn --melody_encoder_decoder=key" + io,
       "--melody_encoder_decoder"},
      {"--config=basic" + io, "basic_rnn, mono_rnn"},
      {"--melody_encoder_decoder=keys" + io, "onehot, lookback, key"},
      {"--config=basic_rnn --hparams=batch=3" + io, "batch"},
      {"--config=basic_rnn --eval_ratio=1.5" + io, "--eval_ratio"},
      {"--config=basic_rnn --eval_ratio=nan" + io, "--eval_ratio"},
      {"--config=basic_rnn --num_shards=0" + io, "--num_shards"},
      {"--config=basic_rnn --threads=-1" + io, "--threads"},
      {"--config=basic_rnn --log=LOUD" + io, "LOUD"},
      {"--config=basic_rnn --num_shard=2" + io, "num_shard"},
      {"--config=basic_rnn extra" + io, "extra"},
  };
  for (const auto& refusal : cases) {
    EXPECT_EQ(Run(refusal.flags), 1) << refusal.flags;
    EXPECT_TRUE(Says(refusal.says)) << refusal.flags << "\n" << output_;
    EXPECT_FALSE(FileExists(scratch_.Path("out"))) << refusal.flags;
  }
}

TEST_F(CreateDatasetTest, CompactFilesAndSizes) {
  const std::string flags =
      "--config=lookback_rnn --input=notes-00000-of-00002 --eval_ratio=0 ";
  ASSERT_EQ(Run(flags + "--output_dir=out"), 0) << output_;
  EXPECT_TRUE(Says("kB and 0 bytes)")) << output_;
  ASSERT_EQ(Run(flags + "--output_dir=compact --format=compact"), 0) << output_;
  const auto size = [&](const char* folder) {
    return ReadFile(scratch_.Path(
                        absl::StrCat(folder, "/training_melodies.tfrecord")))
        ->size();
  };
  EXPECT_LT(100 * size("compact"), size("out"));
  EXPECT_EQ(Run(flags + "--output_dir=other --format=zip"), 1);
  EXPECT_TRUE(Says("--format=zip: expected magenta or compact")) << output_;
}

TEST_F(CreateDatasetTest, DedupIsCounted) {
  ASSERT_EQ(Run("--config=basic_rnn --input='notes-*' --output_dir=out --dedup "
                "--eval_ratio=0"),
            0)
      << output_;
  EXPECT_TRUE(Says("Deduplicator_copies_left_out: 19")) << output_;
  EXPECT_TRUE(Says("same_notes_as_an_earlier_sequence: 19 (--nodedup"))
      << output_;
  EXPECT_TRUE(Says("Produced 1 outputs")) << output_;
}

// In one line, and none of the protocol buffer library.
TEST_F(CreateDatasetTest, FilesOfOtherKindsAreNamed) {
  ASSERT_EQ(Run("--config=basic_rnn --input=notes-00000-of-00002 "
                "--output_dir=out --eval_ratio=0"),
            0);
  ASSERT_EQ(Run("--config=basic_rnn --input=out/training_melodies.tfrecord "
                "--output_dir=new --log=ERROR"),
            1);
  EXPECT_TRUE(absl::StartsWith(
      output_,
      "ERROR: --input: out/training_melodies.tfrecord is a TFRecord of "
      "SequenceExamples"))
      << output_;
  EXPECT_EQ(std::count(output_.begin(), output_.end(), '\n'), 1) << output_;
  // Not UTF-8 where a NoteSequence has text.
  auto writer = TfRecordWriter::Create(scratch_.Path("damaged"));
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Append("\x0a\x02\xff\xff").ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  ASSERT_EQ(
      Run("--config=basic_rnn --input=damaged --output_dir=new --log=ERROR"),
      1);
  EXPECT_TRUE(Says("record 0 of --input is no NoteSequence")) << output_;
  EXPECT_EQ(std::count(output_.begin(), output_.end(), '\n'), 1) << output_;
}

// Shards of another run would be trained on together with the new files.
TEST_F(CreateDatasetTest, WarnsAboutShardsOfAnotherRun) {
  const std::string flags =
      "--config=basic_rnn --input=notes-00000-of-00002 --output_dir=out ";
  ASSERT_EQ(Run(flags + "--num_shards=3"), 0) << output_;
  EXPECT_FALSE(Says("WARN")) << output_;
  ASSERT_EQ(Run(flags + "--num_shards=3"), 0) << output_;
  EXPECT_FALSE(Says("WARN")) << output_;
  ASSERT_EQ(Run(flags + "--num_shards=2"), 0) << output_;
  EXPECT_TRUE(Says("files of another run")) << output_;
}

TEST_F(CreateDatasetTest, HelpListsTheFlags) {
  EXPECT_EQ(Run("--help=all"), 0);
  for (const char* flag : {"--input", "--eval_ratio", "--config", "--seed",
                           "--ignore_polyphonic_notes", "--report"}) {
    EXPECT_TRUE(Says(flag)) << output_;
  }
}

}  // namespace
}  // namespace continuo
