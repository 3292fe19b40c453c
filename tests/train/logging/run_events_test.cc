// SPDX-License-Identifier: Apache-2.0

#include "train/logging/run_events.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "data/proto/event.pb.h"
#include "data/proto/hparams.pb.h"
#include "data/proto/serialize.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"
#include "train/logging/tag_descriptions.h"

namespace continuo {
namespace {

using testing::ScratchDir;
using Value = tensorflow::Summary::Value;

// The values of all event files of a folder, by tag.
std::map<std::string, std::vector<Value>> ReadValues(const std::string& dir) {
  std::map<std::string, std::vector<Value>> values;
  for (const std::string& name : testing::ListFiles(dir, "")) {
    if (!absl::StartsWith(name, "events.")) continue;
    auto reader = TfRecordReader::Open(JoinPath(dir, name));
    CONTINUO_CHECK(reader.ok());
    for (auto record = (*reader)->Next(); record.ok();
         record = (*reader)->Next()) {
      tensorflow::Event event;
      CONTINUO_CHECK(event.ParseFromString(std::string(*record)));
      for (const Value& value : event.summary().value()) {
        values[value.tag()].push_back(value);
      }
    }
  }
  return values;
}

class RunEventsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TrainOptions options = testing::SmallRun(dir_, 6);
    options.summary_frequency = 1;
    options.command_line = "melody_rnn_train --flag='a | b'";
    options.eval.every_steps = 3;
    options.eval.sequence_example_file = options.sequence_example_file;
    ASSERT_TRUE(testing::RunTraining(options).ok());
    train_ = ReadValues(TrainDir(options.run_dir));
    eval_ = ReadValues(EvalDir(options.run_dir));
  }

  std::string Text(const std::string& tag) {
    const std::vector<Value>& values = train_[tag];
    CONTINUO_CHECK(values.size() == 1);
    EXPECT_EQ(values[0].metadata().plugin_data().plugin_name(), "text");
    EXPECT_EQ(values[0].tensor().dtype(), 7);
    EXPECT_TRUE(values[0].tensor().has_tensor_shape());
    return values[0].tensor().string_val(0);
  }

  tensorboard::hparams::HParamsPluginData Hparams(const std::string& tag) {
    const std::vector<Value>& values = train_["_hparams_/" + tag];
    CONTINUO_CHECK(values.size() == 1);
    const auto& data = values[0].metadata().plugin_data();
    EXPECT_EQ(data.plugin_name(), "hparams");
    tensorboard::hparams::HParamsPluginData message;
    EXPECT_TRUE(message.ParseFromString(data.content()));
    // The same bytes in every run.
    EXPECT_EQ(data.content(), SerializeSorted(message));
    return message;
  }

  ScratchDir dir_;
  std::map<std::string, std::vector<Value>> train_;
  std::map<std::string, std::vector<Value>> eval_;
};

TEST_F(RunEventsTest, TextsTellWhatTheRunIs) {
  EXPECT_TRUE(
      absl::StrContains(Text("continuo/settings"), "| batch_size | 4 |"));
  EXPECT_TRUE(absl::StrContains(Text("continuo/settings"), "| seed | 17 |"));
  EXPECT_TRUE(absl::StrContains(Text("continuo/data"), "| examples | 11 |"));
  EXPECT_TRUE(absl::StrContains(Text("continuo/data"), "| evaluation |"));
  EXPECT_TRUE(absl::StrContains(Text("continuo/data"), dir_.Path("data")));
  EXPECT_EQ(Text("continuo/command_line"),
            "```\nmelody_rnn_train --flag='a | b'\n```\n");
  EXPECT_TRUE(absl::StrContains(Text("continuo/version"), "continuo "));
}

TEST_F(RunEventsTest, HparamsAreATableWithAColumnEach) {
  const auto columns = Hparams("experiment").experiment();
  const auto row = Hparams("session_start_info").session_start_info();
  std::map<std::string, int> types;
  for (const auto& info : columns.hparam_infos()) {
    EXPECT_EQ(row.hparams().count(info.name()), 1) << info.name();
    types[info.name()] = info.type();
  }
  EXPECT_EQ(types.size(), row.hparams().size());
  EXPECT_EQ(types["learning_rate"], tensorboard::hparams::DATA_TYPE_FLOAT64);
  EXPECT_EQ(types["rnn_layer_sizes"], tensorboard::hparams::DATA_TYPE_STRING);
  EXPECT_EQ(types["residual_connections"],
            tensorboard::hparams::DATA_TYPE_BOOL);
  EXPECT_EQ(row.hparams().at("learning_rate").number_value(), 0.01);
  EXPECT_EQ(row.hparams().at("rnn_layer_sizes").string_value(), "[8,6]");
  EXPECT_EQ(row.hparams().at("config").string_value(), "basic_rnn");
  EXPECT_EQ(Hparams("session_end_info").session_end_info().status(),
            tensorboard::hparams::STATUS_SUCCESS);
  // Each metric is a tag of this folder.
  ASSERT_EQ(columns.metric_infos_size(), 4);
  for (const auto& metric : columns.metric_infos()) {
    EXPECT_EQ(metric.name().group(), "");
    EXPECT_EQ(train_.count(metric.name().tag()), 1) << metric.name().tag();
  }
}

TEST_F(RunEventsTest, TheTrainingKnowsWhatItsEvaluationsFind) {
  const auto& here = train_["continuo/eval_bits_per_event"];
  const auto& there = eval_["continuo/bits_per_event"];
  const auto& best = train_["continuo/best_eval_bits_per_event"];
  ASSERT_EQ(here.size(), 2);
  ASSERT_EQ(there.size(), 2);
  ASSERT_EQ(best.size(), 2);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(here[i].simple_value(), there[i].simple_value());
  }
  EXPECT_FLOAT_EQ(best[1].simple_value(),
                  std::min(here[0].simple_value(), here[1].simple_value()));
}

TEST_F(RunEventsTest, EveryTagIsDescribedOnce) {
  for (const auto& folder : {train_, eval_}) {
    for (const auto& [tag, values] : folder) {
      if (absl::StartsWith(tag, "_hparams_/")) continue;
      EXPECT_EQ(values[0].metadata().summary_description(),
                TagDescription(tag));
      // Without it TensorBoard's data server would not show the description.
      EXPECT_NE(values[0].metadata().data_class(),
                tensorflow::SummaryMetadata::DATA_CLASS_UNKNOWN);
      EXPECT_NE(TagDescription(tag), "") << tag;
      for (size_t i = 1; i < values.size(); ++i) {
        EXPECT_EQ(values[i].metadata().summary_description(), "") << tag;
      }
    }
  }
  EXPECT_NE(TagDescription("continuo/sample_3"), "");
  EXPECT_EQ(TagDescription("somebody else's"), "");
}

}  // namespace
}  // namespace continuo
