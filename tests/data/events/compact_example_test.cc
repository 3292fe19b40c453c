// SPDX-License-Identifier: Apache-2.0

#include "data/events/compact_example.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/events/dataset/record_maker.h"
#include "data/events/encoding_name.h"
#include "data/records/example.h"
#include "gtest/gtest.h"
#include "runtime/base/log.h"
#include "tests/testing/dense.h"
#include "tests/testing/family_music.h"

namespace continuo {
namespace {

using testing::AllConfigs;
using testing::MakeMusic;

std::vector<EncodedSequence> Examples(const ModelConfig& config, int pieces) {
  std::vector<EncodedSequence> examples;
  for (int number = 0; number < pieces; ++number) {
    auto music = MakeMusic(config.family, number);
    Statistics statistics;
    PipelineOutput output;
    EXPECT_TRUE(testing::MakePipeline(config)
                    ->Run(DatasetPart::kTraining, &music, &statistics, &output)
                    .ok());
    for (EncodedSequence& example : output.examples) {
      examples.push_back(std::move(example));
    }
  }
  return examples;
}

const ModelConfig& Config(absl::string_view name) {
  static const auto& all = *new std::vector<ModelConfig>(AllConfigs());
  for (const ModelConfig& config : all) {
    if (config.name == name) return config;
  }
  CheckFailed(__FILE__, __LINE__, "there is such a configuration");
}

std::string MustMake(const ModelConfig& config, DatasetFormat format,
                     const EncodedSequence& example) {
  auto record = RecordMaker(config.encoding, format).Make(example);
  EXPECT_TRUE(record.ok()) << config.name << ": " << record.status();
  return record.ok() ? *std::move(record) : "";
}

// Same columns, same bits, same labels.
void ExpectSame(const EncodedSequence& a, const EncodedSequence& b) {
  EXPECT_EQ(a.inputs.width, b.inputs.width);
  EXPECT_EQ(a.inputs.row_begin, b.inputs.row_begin);
  EXPECT_EQ(a.inputs.index, b.inputs.index);
  ASSERT_EQ(a.inputs.value.size(), b.inputs.value.size());
  for (size_t i = 0; i < a.inputs.value.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint32_t>(a.inputs.value[i]),
              std::bit_cast<uint32_t>(b.inputs.value[i]));
  }
  EXPECT_EQ(a.labels, b.labels);
}

TEST(CompactExampleTest, EveryConfigurationReadsTheSameBitsFromBothForms) {
  for (const ModelConfig& config : AllConfigs()) {
    SCOPED_TRACE(config.name);
    const ExampleFormat format =
        MakeExampleFormat(config.encoding, config.name);
    const std::vector<EncodedSequence> examples = Examples(config, 6);
    ASSERT_GE(examples.size(), 6u);
    for (const EncodedSequence& example : examples) {
      const std::string magenta =
          MustMake(config, DatasetFormat::kMagenta, example);
      const std::string compact =
          MustMake(config, DatasetFormat::kCompact, example);
      EXPECT_LT(compact.size(), magenta.size());
      EncodedSequence from_magenta;
      EncodedSequence from_compact;
      ASSERT_TRUE(ParseExample(magenta, format, "m", &from_magenta).ok());
      const absl::Status read =
          ParseExample(compact, format, "c", &from_compact);
      ASSERT_TRUE(read.ok()) << read;
      ExpectSame(from_magenta, from_compact);
      testing::CheckSorted(from_compact.inputs);
      // And back: the bytes that the default writes.
      EXPECT_EQ(MustMake(config, DatasetFormat::kMagenta, from_compact),
                magenta);
      EXPECT_EQ(MustMake(config, DatasetFormat::kCompact, from_magenta),
                compact);
    }
  }
}

// The inputs of silence and of a note-off at the first step are the same; only
// a repeat 16 steps later tells which it was.
TEST(CompactExampleTest, SilenceAtTheStartIsTakenForWhatLaterStepsSay) {
  const ModelConfig& config = Config("attention_rnn");
  const auto encoder = MakeEventEncoder(config.encoding);
  const ExampleFormat format = MakeExampleFormat(config.encoding, "c");
  for (Event first : {Event{-2}, Event{-1}}) {
    for (Event sixteen_later : {Event{-2}, Event{-1}}) {
      std::vector<Event> events = {first, 60, -2, 62, -1, 65};
      events.resize(16, -2);
      events.push_back(sixteen_later);
      events.push_back(60);
      EncodedSequence example;
      ASSERT_TRUE(EncodeSequence(*encoder, events, &example).ok());
      EncodedSequence read;
      ASSERT_TRUE(
          ParseExample(MustMake(config, DatasetFormat::kCompact, example),
                       format, "c", &read)
              .ok());
      ExpectSame(read, example);
    }
  }
}

// As other programs may label it: no repeat class where there is a repeat.
TEST(CompactExampleTest, LabelsStayAsTheyAre) {
  const ModelConfig& config = Config("lookback_rnn");
  EncodedSequence example = Examples(config, 1)[0];
  bool changed = false;
  for (size_t i = 0; i + 1 < example.labels.size(); ++i) {
    const int next = example.inputs.index[example.inputs.row_begin[i + 1]];
    changed = changed || example.labels[i] != next;
    example.labels[i] = next;
  }
  ASSERT_TRUE(changed);
  EncodedSequence read;
  ASSERT_TRUE(ParseExample(MustMake(config, DatasetFormat::kCompact, example),
                           MakeExampleFormat(config.encoding, "c"), "c", &read)
                  .ok());
  ExpectSame(read, example);
}

TEST(CompactExampleTest, OtherInputsHaveNoCompactForm) {
  for (const ModelConfig& config : AllConfigs()) {
    SCOPED_TRACE(config.name);
    const CompactCodec codec(config.encoding);
    EncodedSequence example = Examples(config, 1)[0];
    ASSERT_TRUE(codec.Encode(example).ok());
    // The last value of a row: the first ones may be controls, and of these a
    // histogram is what it is.
    example.inputs.value[example.inputs.row_begin[4] - 1] = 0.5f;
    const absl::Status status = codec.Encode(example).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "inputs at step 3"))
        << status;
    example.inputs.value[example.inputs.row_begin[1] - 1] = 0.5f;
    EXPECT_TRUE(absl::StrContains(codec.Encode(example).status().message(),
                                  "inputs at step 0"));
  }
}

TEST(CompactExampleTest, AnotherConfigurationIsAnErrorThatNamesBoth) {
  const std::vector<ModelConfig> all = AllConfigs();
  for (const ModelConfig& config : all) {
    const std::string record =
        MustMake(config, DatasetFormat::kCompact, Examples(config, 1)[0]);
    for (const ModelConfig& other : all) {
      EncodedSequence read;
      const absl::Status status = ParseExample(
          record, MakeExampleFormat(other.encoding, "`config`=" + other.name),
          "f: record 0", &read);
      if (other.name == config.name) {
        EXPECT_TRUE(status.ok()) << status;
        continue;
      }
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      for (const std::string& word :
           {std::string("f: record 0"), "`config`=" + other.name,
            EncodingName(config.encoding), EncodingName(other.encoding)}) {
        EXPECT_TRUE(absl::StrContains(status.message(), word)) << status;
      }
    }
  }
}

// A record cut short anywhere, or with any one byte changed, is an error or an
// example that keeps the promises of its format.
TEST(CompactExampleTest, DamageIsAnErrorOrAnExample) {
  for (absl::string_view name :
       {"attention_rnn", "performance_with_dynamics_and_note_encoding",
        "optional_multiconditioned_performance_with_dynamics"}) {
    const ModelConfig& config = Config(name);
    const ExampleFormat format = MakeExampleFormat(config.encoding, "c");
    std::vector<EncodedSequence> examples = Examples(config, 1);
    for (const EncodedSequence& example : examples) {
      std::string record = MustMake(config, DatasetFormat::kCompact, example);
      const auto check = [&](absl::string_view bytes) {
        EncodedSequence read;
        if (!ParseExample(bytes, format, "c", &read).ok()) return false;
        EXPECT_GE(read.inputs.rows(), 1);
        EXPECT_EQ(read.labels.size(),
                  static_cast<size_t>(read.inputs.rows()) * format.heads());
        for (size_t i = 0; i < read.labels.size(); ++i) {
          EXPECT_GE(read.labels[i], 0);
          EXPECT_LT(read.labels[i], format.head_sizes[i % format.heads()]);
        }
        for (int32_t column : read.inputs.index) {
          EXPECT_GE(column, 0);
          EXPECT_LT(column, format.input_size);
        }
        return true;
      };
      ASSERT_TRUE(check(record));
      const size_t stride = record.size() / 300 + 1;
      for (size_t size = 0; size < record.size(); size += stride) {
        EXPECT_FALSE(check(record.substr(0, size))) << name << size;
      }
      for (size_t i = 0; i < record.size(); i += stride) {
        for (int bit : {0, 7}) {
          record[i] = static_cast<char>(record[i] ^ (1 << bit));
          check(record);
          record[i] = static_cast<char>(record[i] ^ (1 << bit));
        }
      }
    }
  }
}

TEST(EncodingNameTest, IsOneToOneAndReadStrictly) {
  std::vector<std::string> names;
  for (const ModelConfig& config : AllConfigs()) {
    const std::string name = EncodingName(config.encoding);
    const auto spec = EncodingByName(name);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(EncodingName(*spec), name);
    EXPECT_EQ(MakeEventEncoder(*spec)->input_size(),
              MakeEventEncoder(config.encoding)->input_size());
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  for (absl::string_view bad :
       {"", "key_melody", "key_melody(48..128)", "key_melody(84..48)",
        "key_melody(048..83)", "key_melody(48..83", "one_drum()", "one_drums",
        "performance(velocity_bins=128)", "performance(velocity_bins=-1)",
        "note_tuples(velocity_bins=0)", "performance(density,velocity_bins=3)",
        "performance(velocity_bins=3,density,density)", "performance()",
        "performance(velocity_bins=3)x", "key_melody(-1..83)"}) {
    EXPECT_FALSE(EncodingByName(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace continuo
