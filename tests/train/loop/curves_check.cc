// SPDX-License-Identifier: Apache-2.0

// Learning curves beside Magenta's. CONTINUO_CURVES_DIR names a folder with one
// folder per configuration: training.tfrecord, eval.tfrecord and curves.json
// (hyperparameters and, for each run of Magenta, the training loss averaged
// over every 20 steps and the loss on the eval file at the end). Without it the
// check is skipped.
//
// Initial weights and the order of examples are random on both sides, so runs
// are compared as samples. Magenta draws from a queue of 500 that its few
// examples fill several times over, nearly independent draws; epochs here are
// permutations, which sample a small set more evenly and learn from it a little
// faster. So the data set is read here as many copies of its file.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/train/loop/small_run.h"
#include "train/loop/evaluator.h"
#include "train/loop/trainer.h"

namespace continuo {
namespace {

using testing::ScratchDir;

constexpr int kSeeds = 3;
constexpr int kCopies = 40;
constexpr int64_t kWindow = 20;  // steps that curves.json averages over

// Losses of one run: training by last step of each window, then evaluation.
struct Curve {
  std::map<int64_t, double> train;
  double eval = 0;
};

Curve MagentaCurve(const nlohmann::json& run) {
  Curve curve;
  for (const auto& [step, loss] : run["train"].items()) {
    curve.train[std::stoll(step)] = loss.get<double>();
  }
  curve.eval = run["eval"].begin()->get<double>();
  return curve;
}

Curve RunCurve(const std::string& dir, const nlohmann::json& spec,
               int64_t steps, uint64_t seed) {
  const ScratchDir scratch;
  for (int i = 0; i < kCopies; ++i) {
    CONTINUO_CHECK(symlink(JoinPath(dir, "training.tfrecord").c_str(),
                           scratch.Path(absl::StrCat("copy-", i)).c_str()) ==
                   0);
  }
  TrainOptions train;
  train.run_dir = scratch.Path("run");
  train.sequence_example_file = scratch.Path("copy-*");
  train.model.config = spec["config"].get<std::string>();
  train.model.hparams = spec["hparams"].get<std::string>();
  train.seed = seed;
  train.num_training_steps = steps;
  train.summary_frequency = 1;
  const auto result = testing::RunTraining(train, /*threads=*/0);
  CONTINUO_CHECK(result.ok());

  EvalOptions eval;
  eval.run_dir = train.run_dir;
  eval.sequence_example_file = JoinPath(dir, "eval.tfrecord");
  eval.once = true;
  ThreadPool pool;
  const StopFlag never{false};
  CONTINUO_CHECK(
      FollowCheckpoints(eval, Stream{.device = {}, .pool = &pool}, never).ok());

  Curve curve;
  double sum = 0;
  for (const auto& line :
       testing::ReadJsonLines(JoinPath(TrainDir(train.run_dir), "log.jsonl"))) {
    sum += line["loss"].get<double>();
    const int64_t step = line["step"].get<int64_t>();
    if (step % kWindow == 0) {
      curve.train[step] = sum / kWindow;
      sum = 0;
    }
  }
  curve.eval =
      testing::ReadJsonLines(JoinPath(EvalDir(train.run_dir), "log.jsonl"))
          .back()["loss"]
          .get<double>();
  return curve;
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Sum of squared deviations from the mean.
double Scatter(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += std::pow(value - Mean(values), 2);
  return sum;
}

// One point of the curves: what both sides have there.
struct Point {
  std::string name;
  std::vector<double> original;
  std::vector<double> ours;

  double Variance() const {
    return (Scatter(original) + Scatter(ours)) /
           static_cast<double>(original.size() + ours.size() - 2);
  }
  // The difference of the means in standard errors. The spread of a handful of
  // runs at one point is itself uncertain, so that of all points together
  // stands in where it is larger.
  double Deviation(double pooled_variance) const {
    const double variance = std::max(Variance(), pooled_variance);
    const double n = static_cast<double>(original.size());
    const double m = static_cast<double>(ours.size());
    return (Mean(ours) - Mean(original)) /
           std::sqrt(variance * (1 / n + 1 / m));
  }
  // Whether `value` lies in Magenta's band widened by half its width.
  bool InBand(double value) const {
    const auto [low, high] =
        std::minmax_element(original.begin(), original.end());
    const double half = (*high - *low) / 2;
    return value >= *low - half && value <= *high + half;
  }
};

void CheckConfig(const std::string& dir) {
  const auto spec = testing::MustReadJson(JoinPath(dir, "curves.json"));
  std::vector<Curve> original;
  for (const auto& run : spec["runs"]) original.push_back(MagentaCurve(run));
  const int64_t steps = original[0].train.rbegin()->first;
  std::vector<Curve> ours;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    ours.push_back(RunCurve(dir, spec, steps, seed));
  }

  std::vector<Point> points;
  for (const auto& [step, loss] : original[0].train) {
    Point point;
    point.name = absl::StrCat("step ", step);
    for (const Curve& curve : original) {
      point.original.push_back(curve.train.at(step));
    }
    for (const Curve& curve : ours) point.ours.push_back(curve.train.at(step));
    points.push_back(std::move(point));
  }
  Point eval{"eval", {}, {}};
  for (const Curve& curve : original) eval.original.push_back(curve.eval);
  for (const Curve& curve : ours) eval.ours.push_back(curve.eval);
  points.push_back(std::move(eval));

  double pooled = 0;
  for (const Point& point : points) {
    pooled += point.Variance() / static_cast<double>(points.size());
  }
  const double unigram = spec["unigram_entropy_nats"].get<double>();
  absl::PrintF(
      "%s (unigram %.4f): original; ours (* = in its band widened by "
      "half); difference of the means in standard errors\n",
      spec["config"].get<std::string>(), unigram);
  for (const Point& point : points) {
    absl::PrintF("  %-9s", point.name);
    for (double value : point.original) absl::PrintF(" %.4f", value);
    absl::PrintF(" ;");
    for (double value : point.ours) {
      absl::PrintF(" %.4f%c", value, point.InBand(value) ? '*' : ' ');
    }
    absl::PrintF(" ; %+.1f\n", point.Deviation(pooled));
    // Three standard errors: one correct trainer in several hundred points
    // exceeds them.
    EXPECT_LT(std::abs(point.Deviation(pooled)), 3) << point.name;
  }
  for (double value : points.back().ours) EXPECT_LT(value, unigram);
}

TEST(CurvesCheck, LiesAmongTheRunsOfMagenta) {
  const char* root = std::getenv("CONTINUO_CURVES_DIR");
  if (root == nullptr || root[0] == '\0') {
    GTEST_SKIP() << "set CONTINUO_CURVES_DIR to a folder of learning curves";
  }
  const auto names = testing::ListFolders(root);
  ASSERT_FALSE(names.empty()) << root;
  for (const std::string& name : names) CheckConfig(JoinPath(root, name));
}

}  // namespace
}  // namespace continuo
