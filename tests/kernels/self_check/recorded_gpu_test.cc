// SPDX-License-Identifier: Apache-2.0

// The operations around the recurrent layers, recorded in a graph: each launch
// reads what the arrays hold by then, also the shape of a shorter batch.

#include <algorithm>
#include <functional>

#include "kernels/decoding/beam.h"
#include "kernels/decoding/sampling.h"
#include "kernels/gemm/gemm.h"
#include "kernels/layers/copy_rows.h"
#include "kernels/layers/dropout.h"
#include "kernels/layers/elementwise.h"
#include "kernels/layers/embedding.h"
#include "kernels/layers/loss.h"
#include "kernels/layers/optimizer.h"
#include "kernels/lstm/lstm.h"
#include "runtime/base/status.h"
#include "runtime/device/graph.h"
#include "tests/kernels/common/device_testing.h"

namespace continuo {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

// What the arrays are made for; batches are smaller.
constexpr int64_t kRows = 4, kSteps = 6, kEvents = 20, kEntries = 60;
constexpr int64_t kWidth = 9, kUnits = 12, kClasses = 7, kBeam = 3;

template <typename T>
void Fill(const Stream& stream, DeviceArray<T>& array, std::vector<T> values) {
  values.resize(array.size());
  ASSERT_TRUE(
      CopyBytes(stream, values.data(), array.data(), array.size() * sizeof(T))
          .ok());
  ASSERT_TRUE(Synchronize(stream).ok());
}

std::vector<float> Numbers(int64_t count, uint64_t seed) {
  const Floats values = Random(count, seed);
  return std::vector<float>(values.begin(), values.end());
}

// All operations, one after the other, and the arrays they work on.
class Step {
 public:
  explicit Step(const Stream& stream)
      : stream_(stream), gates_(stream, GateType(stream), kEvents * kUnits) {}

  // A batch of rows of these lengths; all numbers are functions of the seed.
  void Begin(const std::vector<int>& lengths, uint64_t seed) {
    const TestRaggedLayout shape(lengths);
    std::vector<int32_t> begin = shape.step_begin;
    begin.resize(kSteps + 1, begin.back());
    Fill(stream_, batch_sizes_, shape.batch_sizes);
    Fill(stream_, step_begin_, begin);
    std::vector<int32_t> row_begin = {0}, index, previous;
    std::vector<int64_t> labels;
    for (int64_t e = 0; e < kEvents; ++e) {
      const bool real = e < shape.events();
      for (uint64_t i = 0; real && i < (seed + e) % 4; ++i) {
        index.push_back(static_cast<int32_t>(2 * i + e % 3));
      }
      row_begin.push_back(static_cast<int32_t>(index.size()));
      labels.push_back(real ? (seed + e) % kClasses : -1);
      previous.push_back(static_cast<int32_t>(e * seed % kEvents) - 1);
    }
    Fill(stream_, row_begin_, row_begin);
    Fill(stream_, index_, index);
    Fill(stream_, previous_, previous);
    Fill(stream_, labels_, labels);
    Fill(stream_, value_, Numbers(kEntries, seed));
    Fill(stream_, weights_, Numbers(kWeights, seed + 1));
    Fill(stream_, x_, Numbers(kEvents * kUnits, seed + 2));
    Fill(stream_, flat_gradient_, std::vector<float>(kWeights));
    Fill(stream_, m_, Numbers(kWeights, seed + 3));
    Fill(stream_, v_, std::vector<float>(kWeights, 0.5f));
    Fill(stream_, step_, {seed + 7});
    Fill(stream_, scale_, {1.0f / static_cast<float>(seed + 1)});
    Fill(stream_, rate_, {0.01f * static_cast<float>(seed)});
    Fill(stream_, source_, {1, 3, 0, 2});
    Fill(stream_, from_, {static_cast<int32_t>(seed % 3), 1});
    std::vector<double> u(kEvents);
    for (int64_t e = 0; e < kEvents; ++e) {
      u[e] = RandomDouble(seed, RandomPurpose::kSample, 0, e);
    }
    Fill(stream_, u_, u);
    Fill(stream_, total_, {static_cast<double>(seed)});
    Fill(stream_, counts_, {});
    Fill(stream_, class_labels_, {});
    Fill(stream_, class_correct_, {});
    Fill(stream_, bad_row_, {1 << 30});
  }

  absl::Status Run() {
    const RaggedLayout ragged = {.batch_sizes = batch_sizes_.vector(),
                                 .step_begin = step_begin_.vector(),
                                 .rows = kRows};
    const SparseView inputs = {.row_begin = row_begin_.vector(),
                               .index = index_.vector(),
                               .value = value_.vector()};
    float* const flat = weights_.data();
    float* const gradient = flat_gradient_.data();
    const auto part = [](float* from, int64_t rows, int64_t columns) {
      return TensorView(from, {rows, columns});
    };
    const TensorView bias(flat + kBias, {kUnits});
    const TensorView kernel = part(flat, kWidth, kUnits);
    const TensorView dense = part(flat + kDense, kUnits, kUnits);
    const TensorView logits_kernel = part(flat + kLogits, kUnits, kClasses);
    const TensorView gates = gates_.matrix(kUnits);
    const TensorView x = x_.matrix(kUnits), y = y_.matrix(kUnits),
                     dy = dy_.matrix(kUnits);
    const TensorView logits = logits_.matrix(kClasses);
    const auto dropout = [&](const TensorView& in, const TensorView& out) {
      return Dropout(stream_, {.ragged = ragged,
                               .source = source_.vector(),
                               .x = in,
                               .out = out,
                               .keep_prob = 0.75,
                               .seed = 5,
                               .step = step_.vector()});
    };
    const std::function<absl::Status()> work[] = {
        [&] {
          return PackMatrix(stream_,
                            {.matrix = dense, .packed = pack_.vector()});
        },
        [&] {
          return PackMatrix(stream_, {.matrix = dense,
                                      .transpose = true,
                                      .packed = transposed_.vector()});
        },
        [&] {
          return PackMatrix(stream_, {.matrix = logits_kernel,
                                      .packed = logits_pack_.vector()});
        },
        [&] {
          return GatherSum(stream_, {.inputs = inputs,
                                     .weights = kernel,
                                     .bias = bias,
                                     .out = gates});
        },
        // x K + b over gates, as the layers above the first have them.
        [&] {
          return Gemm(stream_, {.a = gates, .b = pack_.vector(), .c = y});
        },
        [&] { return Sum(stream_, {.a = y, .b = x, .c = y}); },
        [&] { return ZeroTail(stream_, {.ragged = ragged, .x = y}); },
        [&] { return dropout(y, y); },
        [&] {
          return Gemm(stream_,
                      {.a = y, .b = pack_.vector(), .bias = bias, .c = gates});
        },
        [&] {
          return Gemm(stream_,
                      {.a = y, .b = logits_pack_.vector(), .c = logits});
        },
        [&] {
          return SoftmaxLoss(stream_, {.logits = logits,
                                       .labels = labels_.vector(),
                                       .head_begin = head_begin_.vector(),
                                       .default_label = default_label_.vector(),
                                       .dlogits = dlogits_.matrix(kClasses),
                                       .scale = scale_.vector(),
                                       .cross_entropy = total_.vector(),
                                       .counts = counts_.vector(),
                                       .class_labels = class_labels_.vector(),
                                       .class_correct = class_correct_.vector(),
                                       .predicted = predicted_.vector(),
                                       .chunk_sums = chunk_sums_.vector()});
        },
        [&] { return Zero(stream_, {.x = dy}); },
        [&] {
          return Gemm(stream_, {.a = gates,
                                .b = transposed_.vector(),
                                .c = dy,
                                .accumulate = true});
        },
        [&] { return dropout(dy, dy); },
        [&] {
          return WeightGradient(stream_,
                                {.x = y,
                                 .rows = previous_.vector(),
                                 .dz = gates,
                                 .dw = part(gradient + kDense, kUnits, kUnits),
                                 .db = TensorView(gradient + kBias, {kUnits}),
                                 .scratch = scratch_.vector()});
        },
        [&] {
          return WeightGradient(
              stream_, {.x = y,
                        .dz = dlogits_.matrix(kClasses),
                        .dw = part(gradient + kLogits, kUnits, kClasses),
                        .scratch = scratch_.vector()});
        },
        [&] {
          return ScatterAdd(stream_, {.inputs = inputs,
                                      .dz = gates,
                                      .dw = part(gradient, kWidth, kUnits),
                                      .scratch = scratch_.vector()});
        },
        [&] {
          return ClipAdam(stream_, {.tensor_begin = tensor_begin_.vector(),
                                    .gradient = flat_gradient_.vector(),
                                    .weights = weights_.vector(),
                                    .m = m_.vector(),
                                    .v = v_.vector(),
                                    .adam = {.beta2 = 0.99, .clip_norm = 0.1},
                                    .rate = rate_.vector(),
                                    .squared_norms = norms_.vector(),
                                    .scratch = adam_scratch_.vector()});
        },
        [&] {
          return Sample(stream_, {.logits = logits,
                                  .head_sizes = heads_,
                                  .sampling = {.top_k = 5},
                                  .u = u_.matrix(1),
                                  .choice = choice_.matrix(1),
                                  .log_p = log_p_.vector(),
                                  .bad_row = bad_row_.vector()});
        },
        [&] {
          return BeamPrune(stream_, {.scores = log_p_.view({2, kEvents / 2}),
                                     .kept = kept_.view({2, kBeam})});
        },
        [&] {
          return BeamBranch(stream_,
                            {.kept = kept_.view({2, kBeam}),
                             .hypotheses = kEvents / 2,
                             .source = branched_.view({2, 2 * kBeam})});
        },
        [&] {
          return GatherRows(stream_, {.x = y,
                                      .rows = branched_.vector(),
                                      .out = moved_.matrix(kUnits)});
        },
        [&] {
          return CopyRows(stream_, {.x = moved_.matrix(kUnits),
                                    .from = from_.vector(),
                                    .to = to_.vector()});
        },
        [&] {
          return Copy(stream_,
                      {.from = moved_.vector(), .to = copied_.vector()});
        }};
    for (const auto& put : work) CONTINUO_RETURN_IF_ERROR(put());
    return absl::OkStatus();
  }

  // All that it writes, as numbers.
  std::vector<double> Results() {
    std::vector<double> all;
    const auto add = [&](const auto& values) {
      for (const auto& value : values)
        all.push_back(static_cast<double>(value));
    };
    add(gates_.Read());
    for (DeviceArray<float>* array :
         {&y_, &dy_, &logits_, &dlogits_, &flat_gradient_, &weights_, &m_, &v_,
          &moved_, &copied_}) {
      add(array->Read());
    }
    for (DeviceArray<double>* array : {&total_, &norms_, &log_p_}) {
      add(array->Read());
    }
    for (DeviceArray<int64_t>* array :
         {&counts_, &class_labels_, &class_correct_, &choice_}) {
      add(array->Read());
    }
    for (DeviceArray<int32_t>* array :
         {&predicted_, &kept_, &branched_, &bad_row_}) {
      add(array->Read());
    }
    return all;
  }

 private:
  // Offsets of the flat buffer.
  static constexpr int64_t kBias = kWidth * kUnits, kDense = kBias + kUnits,
                           kLogits = kDense + kUnits * kUnits,
                           kWeights = kLogits + kUnits * kClasses;
  template <typename T>
  DeviceArray<T> New(int64_t size) const {
    return DeviceArray<T>(stream_, size);
  }

  const Stream stream_;
  const std::vector<int> heads_ = {kClasses};
  GateArray gates_;
  DeviceArray<int32_t> batch_sizes_ = New<int32_t>(kSteps),
                       step_begin_ = New<int32_t>(kSteps + 1),
                       row_begin_ = New<int32_t>(kEvents + 1),
                       index_ = New<int32_t>(kEntries),
                       previous_ = New<int32_t>(kEvents),
                       source_ = New<int32_t>(kRows),
                       predicted_ = New<int32_t>(kEvents),
                       kept_ = New<int32_t>(2 * kBeam),
                       branched_ = New<int32_t>(4 * kBeam),
                       from_ = New<int32_t>(2), bad_row_ = New<int32_t>(1);
  DeviceArray<int32_t> head_begin_{stream_, std::vector<int32_t>{0, kClasses}};
  DeviceArray<int32_t> to_{stream_, std::vector<int32_t>{5, 4}};
  DeviceArray<int64_t> default_label_{stream_, std::vector<int64_t>{2}};
  DeviceArray<int64_t> tensor_begin_{
      stream_, std::vector<int64_t>{0, kBias, kDense, kLogits, kWeights}};
  DeviceArray<int64_t> labels_ = New<int64_t>(kEvents),
                       counts_ = New<int64_t>(4),
                       class_labels_ = New<int64_t>(kClasses),
                       class_correct_ = New<int64_t>(kClasses),
                       choice_ = New<int64_t>(kEvents);
  DeviceArray<uint64_t> step_ = New<uint64_t>(1);
  DeviceArray<double> total_ = New<double>(1), norms_ = New<double>(4),
                      chunk_sums_ = New<double>(1), u_ = New<double>(kEvents),
                      log_p_ = New<double>(kEvents);
  DeviceArray<double> adam_scratch_ = New<double>(ClipAdamScratch(stream_, 4));
  DeviceArray<float> value_ = New<float>(kEntries),
                     weights_ = New<float>(kWeights),
                     flat_gradient_ = New<float>(kWeights),
                     m_ = New<float>(kWeights), v_ = New<float>(kWeights),
                     x_ = New<float>(kEvents * kUnits),
                     y_ = New<float>(kEvents * kUnits),
                     dy_ = New<float>(kEvents * kUnits),
                     logits_ = New<float>(kEvents * kClasses),
                     dlogits_ = New<float>(kEvents * kClasses),
                     moved_ = New<float>(4 * kBeam * kUnits),
                     copied_ = New<float>(4 * kBeam * kUnits),
                     scale_ = New<float>(1), rate_ = New<float>(1);
  DeviceArray<float> pack_ = New<float>(PackedSize(stream_, kUnits, kUnits)),
                     transposed_ =
                         New<float>(PackedSize(stream_, kUnits, kUnits)),
                     logits_pack_ =
                         New<float>(PackedSize(stream_, kUnits, kClasses));
  DeviceArray<float> scratch_ = New<float>(
      std::max(WeightGradientScratch(stream_, kEvents, kUnits, kUnits),
               ScatterAddScratch(stream_, kEvents, kWidth, kUnits)));
};

class RecordedTest : public FormTest {};
INSTANTIATE_TEST_SUITE_P(Forms, RecordedTest,
                         ::testing::Values(kForms[1], kForms[3]), FormName);

TEST_P(RecordedTest, EachLaunchReadsTheArraysAnew) {
  Step step(stream());
  const std::vector<int> lengths[] = {{6, 4, 3}, {5, 5, 2, 1}};
  std::vector<double> want[2];
  for (int i = 0; i < 2; ++i) {
    step.Begin(lengths[i], i + 1);
    ASSERT_TRUE(step.Run().ok());
    want[i] = step.Results();
  }
  EXPECT_NE(want[0], want[1]);
  for (const double value : want[0]) ASSERT_TRUE(std::isfinite(value));
  const auto graph = Graph::Capture(stream(), [&] { return step.Run(); });
  ASSERT_TRUE(graph.ok()) << graph.status();
  for (const int i : {0, 1, 0}) {
    step.Begin(lengths[i], i + 1);
    ASSERT_TRUE(graph->Launch(stream()).ok());
    EXPECT_EQ(step.Results(), want[i]);
  }
}

}  // namespace
}  // namespace continuo
