// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/convert_dataset.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/events/dataset/dataset_builder.h"
#include "data/records/batch_stream.h"
#include "data/records/dataset.h"
#include "gtest/gtest.h"
#include "tests/testing/examples.h"
#include "tests/testing/family_music.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"

namespace continuo {
namespace {

using testing::AllConfigs;
using testing::MustRead;

class ConvertDatasetTest : public ::testing::Test {
 protected:
  // Writes three pieces of the family to "notes" and makes data sets of them in
  // both forms; returns the names of the files in either folder.
  std::vector<std::string> Create(const ModelConfig& config) {
    std::vector<std::string> notes;
    for (int i = 0; i < 3; ++i) {
      notes.push_back(testing::MakeMusic(config.family, i).SerializeAsString());
    }
    testing::MustWriteRecords(scratch_.Path("notes"), notes);
    DatasetOptions options;
    options.inputs = {scratch_.Path("notes")};
    options.eval_ratio = 0.5;
    options.draw = [](int64_t index) { return index % 2 == 0 ? 0.9 : 0.1; };
    std::vector<std::string> names;
    for (auto [format, folder] :
         {std::pair(DatasetFormat::kMagenta, "magenta"),
          std::pair(DatasetFormat::kCompact, "compact")}) {
      options.format = format;
      options.output_dir = scratch_.Path(folder);
      DatasetSummary summary;
      const absl::Status status = BuildDataset(*testing::MakePipeline(config),
                                               options, &pool_, &summary);
      EXPECT_TRUE(status.ok()) << status;
      names.clear();
      for (const std::string& file : summary.files) {
        names.emplace_back(BaseName(file));
      }
    }
    return names;
  }

  absl::Status Convert(const std::vector<std::string>& names,
                       const std::string& from, const std::string& to,
                       DatasetFormat format,
                       std::optional<EncodingSpec> encoding = std::nullopt) {
    ConvertDatasetOptions options;
    for (const std::string& name : names) {
      options.inputs.push_back(scratch_.Path(from + "/" + name));
    }
    options.output_dir = scratch_.Path(to);
    options.format = format;
    options.encoding = encoding;
    summary_ = {};
    return ConvertDataset(options, &pool_, &summary_);
  }

  testing::ScratchDir scratch_;
  ThreadPool pool_{2};
  ConvertDatasetSummary summary_;
};

// What a training sees of both forms: the same batches in the same order, bit
// for bit.
void ExpectSameBatches(const Dataset& magenta, const Dataset& compact) {
  EXPECT_EQ(magenta.num_examples(), compact.num_examples());
  EXPECT_EQ(magenta.num_events(), compact.num_events());
  EXPECT_EQ(magenta.max_steps(), compact.max_steps());
  EXPECT_EQ(magenta.label_counts(), compact.label_counts());
  BatchStream a(&magenta, 2, /*seed=*/5, {});
  BatchStream b(&compact, 2, /*seed=*/5, {});
  for (int i = 0; i < 4; ++i) {
    const auto x = a.Next();
    const auto y = b.Next();
    ASSERT_TRUE(x.ok() && y.ok());
    EXPECT_EQ(x->lengths, y->lengths);
    EXPECT_EQ(x->source, y->source);
    EXPECT_EQ(x->inputs.width, y->inputs.width);
    EXPECT_EQ(x->inputs.row_begin, y->inputs.row_begin);
    EXPECT_EQ(x->inputs.index, y->inputs.index);
    EXPECT_EQ(x->inputs.value, y->inputs.value);
    EXPECT_EQ(x->labels, y->labels);
  }
}

TEST_F(ConvertDatasetTest, BothWaysGiveTheBytesOfCreateDataset) {
  for (const ModelConfig& config : AllConfigs()) {
    SCOPED_TRACE(config.name);
    const std::vector<std::string> names = Create(config);
    absl::Status status =
        Convert(names, "compact", "to_magenta", DatasetFormat::kMagenta);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_GE(summary_.examples, 3);
    status = Convert(names, "magenta", "to_compact", DatasetFormat::kCompact,
                     config.encoding);
    ASSERT_TRUE(status.ok()) << status;
    for (const std::string& name : names) {
      EXPECT_EQ(MustRead(scratch_.Path("to_magenta/" + name)),
                MustRead(scratch_.Path("magenta/" + name)));
      EXPECT_EQ(MustRead(scratch_.Path("to_compact/" + name)),
                MustRead(scratch_.Path("compact/" + name)));
    }
    const ExampleFormat format =
        MakeExampleFormat(config.encoding, config.name);
    const auto magenta =
        Dataset::Open(scratch_.Path("magenta/" + names[0]), format, &pool_);
    const auto compact =
        Dataset::Open(scratch_.Path("compact/" + names[0]), format, &pool_);
    ASSERT_TRUE(magenta.ok()) << magenta.status();
    ASSERT_TRUE(compact.ok()) << compact.status();
    ExpectSameBatches(**magenta, **compact);
  }
}

TEST_F(ConvertDatasetTest, AFullDiskIsSaid) {
  const std::vector<std::string> names = Create(AllConfigs()[0]);
  ASSERT_TRUE(MakeDirectories(scratch_.Path("full")).ok());
  std::filesystem::create_symlink("/dev/full",
                                  scratch_.Path("full/" + names[0]));
  const absl::Status status =
      Convert(names, "compact", "full", DatasetFormat::kMagenta);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(),
                                "`output_dir` on another "
                                "disk"))
      << status;
  // Besides the link there is nothing.
  EXPECT_TRUE(testing::ListFiles(scratch_.Path("full"), "").empty());
}

TEST_F(ConvertDatasetTest, SequenceExamplesNeedTheConfiguration) {
  const ModelConfig& config = *FindConfig(Family::kMelody, "basic_rnn");
  const std::vector<std::string> names = Create(config);
  absl::Status status =
      Convert(names, "magenta", "out", DatasetFormat::kCompact);
  EXPECT_TRUE(absl::StrContains(status.message(), "`config` is required"))
      << status;
  status = Convert(names, "magenta", "out", DatasetFormat::kCompact,
                   FindConfig(Family::kDrums, "one_drum")->encoding);
  EXPECT_TRUE(absl::StrContains(status.message(), "record 0")) << status;
  status = Convert(names, "compact", "out", DatasetFormat::kMagenta,
                   FindConfig(Family::kDrums, "one_drum")->encoding);
  EXPECT_TRUE(absl::StrContains(status.message(), "one_hot_melody(48..83)"))
      << status;
  // No file of a failed conversion stays.
  EXPECT_FALSE(FileExists(scratch_.Path("out/" + names[0])));
}

TEST_F(ConvertDatasetTest, NeverReplacesItsInput) {
  const std::vector<std::string> names =
      Create(*FindConfig(Family::kMelody, "basic_rnn"));
  const std::string before = MustRead(scratch_.Path("compact/" + names[0]));
  const absl::Status status =
      Convert(names, "compact", "compact", DatasetFormat::kMagenta);
  EXPECT_TRUE(absl::StrContains(status.message(), "would be replaced"))
      << status;
  EXPECT_EQ(MustRead(scratch_.Path("compact/" + names[0])), before);
}

}  // namespace
}  // namespace continuo
