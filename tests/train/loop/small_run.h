// SPDX-License-Identifier: Apache-2.0

// Small trainings for the tests of this folder: a basic_rnn of a few units on
// a few examples, milliseconds a step.

#ifndef CONTINUO_TESTS_TRAIN_LOOP_SMALL_RUN_H_
#define CONTINUO_TESTS_TRAIN_LOOP_SMALL_RUN_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/checkpoint/checkpoint.h"
#include "nlohmann/json.hpp"
#include "runtime/base/threads.h"
#include "tests/testing/examples.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "train/loop/resolve_model.h"
#include "train/loop/trainer.h"

namespace continuo::testing {

constexpr int kBasicRnnWidth = 38;

// Writes `count` examples of 3 to 20 steps for basic_rnn.
inline void WriteBasicRnnData(const std::string& path, int count) {
  std::vector<std::string> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(PatternExample(i, 3 + (i * 7) % 18, kBasicRnnWidth));
  }
  MustWriteRecords(path, records);
}

// Options of a run in `dir`/run on `dir`/data, which is written if absent.
inline TrainOptions SmallRun(const ScratchDir& dir, int64_t steps) {
  const std::string data = dir.Path("data");
  if (!FileExists(data)) WriteBasicRnnData(data, 11);
  TrainOptions options;
  options.run_dir = dir.Path("run");
  options.sequence_example_file = data;
  options.model.config = "basic_rnn";
  options.model.hparams =
      "batch_size=4,rnn_layer_sizes=[8,6],dropout_keep_prob=0.7,"
      "learning_rate=0.01";
  options.seed = 17;
  options.num_training_steps = steps;
  return options;
}

// Trains on `threads` threads without anything to stop it.
inline absl::StatusOr<TrainResult> RunTraining(const TrainOptions& options,
                                               int threads = 2) {
  ThreadPool pool(threads);
  const StopFlag never{false};
  return Train(options, Stream{.device = {}, .pool = &pool}, never);
}

// The objects of a log.jsonl file.
inline std::vector<nlohmann::json> ReadJsonLines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  const std::string text = MustRead(path);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    CONTINUO_CHECK(end != std::string::npos);
    lines.push_back(
        nlohmann::json::parse(text.substr(begin, end - begin), nullptr, false));
    CONTINUO_CHECK(lines.back().is_object());
    begin = end + 1;
  }
  return lines;
}

// Whether two checkpoints hold the same bits.
inline bool SameTensors(const TensorMap& a, const TensorMap& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    if (other == b.end() || tensor.shape != other->second.shape ||
        tensor.floats != other->second.floats ||
        tensor.ints != other->second.ints) {
      return false;
    }
  }
  return true;
}

// The tensors of a run's newest checkpoint.
inline TensorMap MustReadLatest(const TrainOptions& options) {
  auto tensors = ReadCheckpoint(TrainDir(options.run_dir));
  CONTINUO_CHECK(tensors.ok());
  return *std::move(tensors);
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TRAIN_LOOP_SMALL_RUN_H_
