// SPDX-License-Identifier: Apache-2.0

#include "train/checkpoints/train_state.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/model_file/tf_variable_names.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr char kGlobalStep[] = "global_step";
constexpr char kEpoch[] = "continuo/data_epoch";
constexpr char kIndex[] = "continuo/data_index";
constexpr char kNumExamples[] = "continuo/data_num_examples";
constexpr char kBestStep[] = "continuo/eval_best_step";
constexpr char kBestLoss[] = "continuo/eval_best_loss";
constexpr char kSinceBest[] = "continuo/eval_count_since_best";
constexpr char kEvalPending[] = "continuo/eval_pending";
constexpr char kDivergence[] = "continuo/divergence";

HostTensor Int64Scalar(int64_t value) {
  HostTensor tensor;
  tensor.dtype = DType::kInt64;
  tensor.ints = {value};
  return tensor;
}

HostTensor FloatScalar(float value) {
  HostTensor tensor;
  tensor.floats = {value};
  return tensor;
}

// The scalar `name`; NotFound if there is none.
absl::StatusOr<int64_t> ReadInt64(const TensorMap& tensors,
                                  absl::string_view where, const char* name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    return absl::NotFoundError(absl::StrCat(where, ": has no tensor ", name));
  }
  if (found->second.dtype != DType::kInt64 || found->second.ints.size() != 1 ||
      found->second.ints[0] < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": tensor ", name, " is not one non-negative int64"));
  }
  return found->second.ints[0];
}

absl::StatusOr<float> ReadFloat(const TensorMap& tensors,
                                absl::string_view where, const char* name) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.floats.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": tensor ", name, " is not one float32"));
  }
  return found->second.floats[0];
}

// The position in a set of `num_examples`, of which `drawn` have been drawn.
DataPosition PositionAfter(int64_t drawn, int64_t num_examples) {
  return {.epoch = drawn / num_examples, .index = drawn % num_examples};
}

absl::StatusOr<DataPosition> ImportPosition(const TensorMap& tensors,
                                            absl::string_view where,
                                            int64_t num_examples,
                                            int64_t drawn_if_unknown) {
  if (tensors.count(kEpoch) == 0) {
    return PositionAfter(drawn_if_unknown, num_examples);
  }
  DataPosition position;
  CONTINUO_ASSIGN_OR_RETURN(position.epoch, ReadInt64(tensors, where, kEpoch));
  CONTINUO_ASSIGN_OR_RETURN(position.index, ReadInt64(tensors, where, kIndex));
  CONTINUO_ASSIGN_OR_RETURN(const int64_t known,
                            ReadInt64(tensors, where, kNumExamples));
  if (known != num_examples || position.index > num_examples) {
    LogWarn("the data set has ", num_examples, " examples, but had ", known,
            " when ", where, " was saved; starting a new epoch");
    return DataPosition{.epoch = position.epoch + 1, .index = 0};
  }
  return position;
}

// None is stored before the first evaluation.
absl::StatusOr<EvalHistory> ImportHistory(const TensorMap& tensors,
                                          absl::string_view where) {
  EvalHistory history;
  if (tensors.count(kBestStep) == 0) return history;
  CONTINUO_ASSIGN_OR_RETURN(history.best_step,
                            ReadInt64(tensors, where, kBestStep));
  CONTINUO_ASSIGN_OR_RETURN(history.evals_since_best,
                            ReadInt64(tensors, where, kSinceBest));
  CONTINUO_ASSIGN_OR_RETURN(history.best_loss,
                            ReadFloat(tensors, where, kBestLoss));
  return history;
}

}  // namespace

absl::StatusOr<TensorMap> ExportState(const EventRnn& rnn,
                                      const EventRnnTrainer& trainer,
                                      const TrainState& state) {
  TensorMap tensors;
  std::vector<float> flat(rnn.flat_size());
  CONTINUO_RETURN_IF_ERROR(rnn.GetWeights(absl::MakeSpan(flat)));
  AddFlatToTensors(rnn.parameters(), "", flat, &tensors);
  std::vector<float> v(rnn.flat_size());
  CONTINUO_RETURN_IF_ERROR(
      trainer.GetSlots(absl::MakeSpan(flat), absl::MakeSpan(v)));
  AddFlatToTensors(rnn.parameters(), "/Adam", flat, &tensors);
  AddFlatToTensors(rnn.parameters(), "/Adam_1", v, &tensors);
  // Magenta multiplies after each update, starting from beta itself.
  const AdamParams adam;
  const double t = static_cast<double>(state.global_step + 1);
  tensors["beta1_power"] =
      FloatScalar(static_cast<float>(std::pow(adam.beta1, t)));
  tensors["beta2_power"] =
      FloatScalar(static_cast<float>(std::pow(adam.beta2, t)));
  tensors[kGlobalStep] = Int64Scalar(state.global_step);
  tensors[kEpoch] = Int64Scalar(state.position.epoch);
  tensors[kIndex] = Int64Scalar(state.position.index);
  tensors[kNumExamples] = Int64Scalar(state.num_examples);
  if (state.history.best_step > 0) {
    tensors[kBestStep] = Int64Scalar(state.history.best_step);
    tensors[kBestLoss] = FloatScalar(state.history.best_loss);
    tensors[kSinceBest] = Int64Scalar(state.history.evals_since_best);
  }
  if (state.eval_pending) tensors[kEvalPending] = Int64Scalar(1);
  if (state.divergence > 0)
    tensors[kDivergence] = FloatScalar(state.divergence);
  return tensors;
}

absl::StatusOr<TensorMap> ReadRunCheckpoint(const std::string& prefix) {
  CONTINUO_ASSIGN_OR_RETURN(TensorMap tensors, ReadCheckpoint(prefix));
  return WithCurrentNames(std::move(tensors), prefix);
}

absl::StatusOr<int64_t> ImportWeights(const TensorMap& tensors,
                                      absl::string_view where, EventRnn* rnn) {
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<float> flat,
      FlatFromTensors(rnn->parameters(), tensors, "", where));
  CONTINUO_RETURN_IF_ERROR(rnn->SetWeights(flat));
  return ReadInt64(tensors, where, kGlobalStep);
}

absl::StatusOr<TrainState> ImportState(const TensorMap& tensors,
                                       absl::string_view where,
                                       int64_t num_examples, int batch_size,
                                       EventRnn* rnn,
                                       EventRnnTrainer* trainer) {
  TrainState state;
  state.num_examples = num_examples;
  CONTINUO_ASSIGN_OR_RETURN(state.global_step,
                            ImportWeights(tensors, where, rnn));
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<float> m,
      FlatFromTensors(rnn->parameters(), tensors, "/Adam", where));
  CONTINUO_ASSIGN_OR_RETURN(
      const std::vector<float> v,
      FlatFromTensors(rnn->parameters(), tensors, "/Adam_1", where));
  CONTINUO_RETURN_IF_ERROR(trainer->SetSlots(m, v));
  CONTINUO_ASSIGN_OR_RETURN(state.position,
                            ImportPosition(tensors, where, num_examples,
                                           state.global_step * batch_size));
  CONTINUO_ASSIGN_OR_RETURN(state.history, ImportHistory(tensors, where));
  state.eval_pending = tensors.count(kEvalPending) > 0;
  if (tensors.count(kDivergence) > 0) {
    CONTINUO_ASSIGN_OR_RETURN(state.divergence,
                              ReadFloat(tensors, where, kDivergence));
  }
  return state;
}

}  // namespace continuo
