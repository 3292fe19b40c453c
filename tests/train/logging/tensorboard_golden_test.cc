// SPDX-License-Identifier: Apache-2.0

// Magenta's training loop and its evaluation of the last checkpoint: the same
// start, the same data, so the same events and final checkpoint.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/proto/event.pb.h"
#include "data/records/tfrecord.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/evaluator.h"
#include "train/loop/trainer.h"

namespace continuo {
namespace {

using testing::GoldenDir;
using testing::ScratchDir;

// Scalars by (step, tag).
using ScalarMap = std::map<std::pair<int64_t, std::string>, double>;

// Queue fractions and speeds depend on the machine.
bool IsFree(const std::string& tag) {
  return absl::StrContains(tag, "/fraction_of_") || tag == "global_step/sec";
}

ScalarMap ExpectedScalars(const nlohmann::json& events) {
  ScalarMap scalars;
  for (const auto& event : events) {
    if (event["kind"] != "summary") continue;
    for (const auto& value : event["values"]) {
      const std::string tag = value[0].get<std::string>();
      if (IsFree(tag)) continue;
      scalars[{event["step"].get<int64_t>(), tag}] =
          testing::JsonNumber(value[1]);
    }
  }
  return scalars;
}

// Of all event files in `dir`.
ScalarMap WrittenScalars(const std::string& dir) {
  ScalarMap scalars;
  for (const std::string& name : testing::ListFiles(dir, "")) {
    if (!absl::StrContains(name, "tfevents")) continue;
    auto reader = TfRecordReader::Open(JoinPath(dir, name));
    CONTINUO_CHECK(reader.ok());
    for (auto record = (*reader)->Next(); record.ok();
         record = (*reader)->Next()) {
      tensorflow::Event event;
      CONTINUO_CHECK(event.ParseFromString(std::string(*record)));
      for (const auto& value : event.summary().value()) {
        if (!value.has_simple_value() || IsFree(value.tag()) ||
            absl::StartsWith(value.tag(), "continuo/")) {
          continue;
        }
        scalars[{event.step(), value.tag()}] = value.simple_value();
      }
    }
  }
  return scalars;
}

void ExpectSameScalars(const ScalarMap& expected, const ScalarMap& written) {
  for (const auto& [key, value] : expected) {
    const std::string name = absl::StrCat(key.second, " at step ", key.first);
    const auto found = written.find(key);
    ASSERT_NE(found, written.end()) << "no " << name;
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(found->second)) << name;
    } else {
      EXPECT_NEAR(found->second, value, 1e-4 * std::abs(value)) << name;
    }
  }
  EXPECT_EQ(written.size(), expected.size());
}

// The hyperparameters of meta.json as text for --hparams.
std::string HparamsText(const nlohmann::json& hparams) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : hparams.items()) {
    parts.push_back(absl::StrCat(name, "=", value.dump()));
  }
  return absl::StrJoin(parts, ",");
}

float LargestMagnitude(const HostTensor& tensor) {
  float largest = 0;
  for (float value : tensor.floats)
    largest = std::max(largest, std::abs(value));
  return largest;
}

// Weights to the tolerance of weights after a few steps. Slots are means of
// gradients and of their squares. A gradient has 5e-5 of its tensor's largest
// magnitude; those of later steps are taken at weights that differ already, so
// slots have four times that.
double Tolerance(const std::string& name, const HostTensor& tensor) {
  if (absl::EndsWith(name, "/Adam") || absl::EndsWith(name, "/Adam_1")) {
    return 2e-4 * LargestMagnitude(tensor);
  }
  return 5e-6;
}

// Adam moves a weight by about the learning rate however small its gradient,
// so weights whose gradients were as small as rounding errors may go either
// way: those are told by their second moment, 1e-3 of a squared gradient.
void ExpectSameCheckpoint(const TensorMap& expected, const TensorMap& written) {
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(written.count(name), 1) << name;
    const HostTensor& other = written.at(name);
    ASSERT_EQ(tensor.shape, other.shape) << name;
    EXPECT_EQ(tensor.ints, other.ints) << name;
    const double tolerance = Tolerance(name, tensor);
    const auto moment = expected.find(absl::StrCat(name, "/Adam_1"));
    for (size_t i = 0; i < tensor.floats.size(); ++i) {
      if (moment != expected.end() &&
          moment->second.floats[i] < 1e-3 * 1e-6 * 1e-6) {
        continue;
      }
      ASSERT_NEAR(other.floats[i], tensor.floats[i], tolerance)
          << name << " element " << i;
    }
  }
}

Family FamilyNamed(const std::string& name) {
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    if (FamilyName(family) == name) return family;
  }
  ADD_FAILURE() << name << " is no family";
  return Family::kMelody;
}

class TensorboardGoldenTest : public ::testing::Test {
 protected:
  // Trains or evaluates one case in a scratch run.
  void RunCase(const std::string& dir) {
    const auto meta = testing::MustReadJson(JoinPath(dir, "meta.json"));
    const ScratchDir scratch;
    TrainOptions train;
    train.run_dir = scratch.Path("run");
    train.sequence_example_file = JoinPath(dir, "examples.tfrecord");
    train.family = FamilyNamed(meta["config"][0]);
    train.model.config = meta["config"][1].get<std::string>();
    train.model.hparams = HparamsText(meta["hparams"]);
    train.num_training_steps = meta["num_training_steps"].get<int64_t>();
    train.tf1_tags = true;
    train.summary_frequency = meta["summary_frequency"].get<int64_t>();
    const std::string train_dir = TrainDir(train.run_dir);

    // Magenta's first checkpoint, found as if by a run that goes on.
    const auto init = ReadCheckpoint(JoinPath(dir, "init/model.ckpt-0"));
    ASSERT_TRUE(init.ok()) << init.status();
    ASSERT_TRUE(MakeDirectories(train_dir).ok());
    ASSERT_TRUE(
        WriteCheckpointV2(JoinPath(train_dir, "model.ckpt-0"), *init).ok());
    ASSERT_TRUE(
        WriteCheckpointState(train_dir, {"model.ckpt-0", {"model.ckpt-0"}})
            .ok());
    const auto result = testing::RunTraining(train);
    ASSERT_TRUE(result.ok()) << result.status();
    ExpectSameScalars(ExpectedScalars(meta["train_events"]),
                      WrittenScalars(train_dir));
    const std::string final_prefix = JoinPath(
        dir, absl::StrCat("final/model.ckpt-", train.num_training_steps));
    if (FileExists(final_prefix + ".index")) {
      const auto final = ReadCheckpoint(final_prefix);
      ASSERT_TRUE(final.ok()) << final.status();
      const auto written = ReadCheckpoint(train_dir);
      ASSERT_TRUE(written.ok()) << written.status();
      ExpectSameCheckpoint(*final, *written);
    }

    EvalOptions eval;
    eval.run_dir = train.run_dir;
    eval.family = train.family;
    eval.sequence_example_file = train.sequence_example_file;
    eval.num_eval_examples = meta["eval_batches"].get<int64_t>() *
                             meta["hparams"]["batch_size"].get<int64_t>();
    eval.once = true;
    ThreadPool pool(2);
    const StopFlag never{false};
    const absl::Status status =
        FollowCheckpoints(eval, Stream{.device = {}, .pool = &pool}, never);
    ASSERT_TRUE(status.ok()) << status;
    ExpectSameScalars(ExpectedScalars(meta["eval_events"]),
                      WrittenScalars(EvalDir(eval.run_dir)));
  }
};

TEST_F(TensorboardGoldenTest, EventsAndCheckpointsAreThoseOfMagenta) {
  const std::string root = GoldenDir("tensorboard");
  int cases = 0;
  for (const std::string& name : testing::ListFolders(root)) {
    const std::string dir = JoinPath(root, name);
    SCOPED_TRACE(dir);
    ASSERT_NO_FATAL_FAILURE(RunCase(dir));
    ++cases;
  }
  if (cases == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no cases in " << root;
  }
  EXPECT_GT(cases, 0);
}

}  // namespace
}  // namespace continuo
