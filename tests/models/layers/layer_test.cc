// SPDX-License-Identifier: Apache-2.0

// What every layer promises: forward over a batch is its steps one by one, its
// gradients are the slopes of what it computes, and its weights are where the
// list of parameters has them.

#include "models/layers/layer.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "models/layers/layer_stack.h"
#include "models/layers/outer_attention.h"
#include "runtime/base/random.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

constexpr int kInput = 9;

struct Form {
  const char* name;
  std::function<std::unique_ptr<Layer>(ParameterList*)> make;
  int units;
};

std::unique_ptr<Layer> Stack(const StackShape& shape, ParameterList* list) {
  return std::make_unique<LayerStack>(shape, Stream(), list);
}

const std::vector<Form>& Forms() {
  static const auto& forms = *new std::vector<Form>{
      {"lstm",
       [](ParameterList* list) {
         return Stack({.input_size = kInput, .layer_sizes = {6, 5}}, list);
       },
       5},
      {"attention",
       [](ParameterList* list) {
         return Stack(
             {.input_size = kInput, .layer_sizes = {6, 5}, .attn_length = 3},
             list);
       },
       5},
      {"residual",
       [](ParameterList* list) {
         return Stack({.input_size = kInput,
                       .layer_sizes = {6, 6, 5},
                       .attn_length = 3,
                       .residual = true},
                      list);
       },
       5},
      {"gru",
       [](ParameterList* list) {
         return Stack(
             {.input_size = kInput, .layer_sizes = {6, 5}, .cell = Cell::kGru},
             list);
       },
       5},
      {"gru_residual",
       [](ParameterList* list) {
         return Stack({.input_size = kInput,
                       .layer_sizes = {6, 6, 5},
                       .residual = true,
                       .cell = Cell::kGru},
                      list);
       },
       5},
      {"outer_attention",
       [](ParameterList* list) -> std::unique_ptr<Layer> {
         return std::make_unique<OuterAttention>(kInput, std::vector<int>{6, 5},
                                                 3, list);
       },
       5},
  };
  return forms;
}

// Sparse rows of two entries each.
struct Inputs {
  explicit Inputs(int rows) {
    for (int row = 0; row < rows; ++row) {
      begin.push_back(2 * row);
      index.insert(index.end(), {row % 4, 4 + row * 3 % 5});
      value.insert(value.end(), {1.0f, -0.5f});
    }
    begin.push_back(2 * rows);
  }
  SparseView view() const {
    return {
        .row_begin = View(begin), .index = View(index), .value = View(value)};
  }
  // The row alone.
  SparseView row(int row) const {
    static const std::vector<int32_t>& one = *new std::vector<int32_t>{0, 2};
    return {.row_begin = View(one),
            .index = TensorView(index.data() + 2 * row, {2}),
            .value = TensorView(value.data() + 2 * row, {2})};
  }
  std::vector<int32_t> begin, index;
  std::vector<float> value;
};

// A layer with weights, on one thread of the CPU.
class Runner {
 public:
  explicit Runner(const Form& form) {
    layer_ = form.make(&list_);
    weights_.resize(FlatSize(list_.parameters()));
    InitializeParameters(list_.parameters(), 3, absl::MakeSpan(weights_));
    gradient_.resize(weights_.size());
    stream_.pool = &pool_;
  }
  const ParameterList& list() const { return list_; }
  std::vector<float>& weights() { return weights_; }

  // A batch of two rows, of 4 and 2 events.
  std::vector<float> Forward(const Inputs& inputs,
                             const std::vector<float>* doutput = nullptr) {
    const std::vector<int32_t> batch_sizes = {2, 2, 1, 1};
    const std::vector<int32_t> step_begin = {0, 2, 4, 5, 6};
    const std::vector<int32_t> previous = {-1, -1, 0, 1, 2, 4};
    Arena weights_arena{Device()}, arena{Device()};
    int64_t scratch = 0;
    Plan(&weights_arena, [&](Arena* to) {
      layer_->PlanWeights(stream_, /*backward=*/true, to);
    });
    TensorView gradient_scratch;
    Plan(&arena, [&](Arena* to) {
      BatchPlan plan = {.stream = stream_,
                        .rows = 2,
                        .events = 6,
                        .backward = true,
                        .arena = to};
      layer_->PlanBatch(&plan);
      scratch = plan.gradient_scratch;
      gradient_scratch = to->Allocate<float>("scratch", {scratch});
    });
    EXPECT_TRUE(layer_->Pack(stream_, weights_.data()).ok());
    const SparseView view = inputs.view();
    const LayerPass pass = {.stream = stream_,
                            .weights = weights_.data(),
                            .gradient = gradient_.data(),
                            .ragged = {.batch_sizes = View(batch_sizes),
                                       .step_begin = View(step_begin),
                                       .rows = 2,
                                       .host_batch_sizes = batch_sizes.data(),
                                       .host_step_begin = step_begin.data()},
                            .rows = 2,
                            .events = 6,
                            .previous = View(previous),
                            .gradient_scratch = gradient_scratch};
    EXPECT_TRUE(layer_->PrepareBatch(pass, true).ok());
    TensorView output;
    EXPECT_TRUE(layer_->Forward(pass, {.sparse = &view}, &output).ok());
    const float* const values = output.data<float>();
    const std::vector<float> copy(values, values + output.num_elements());
    if (doutput == nullptr) return copy;
    std::vector<float> above = *doutput;
    std::fill(gradient_.begin(), gradient_.end(), 0.0f);
    EXPECT_TRUE(layer_
                    ->Backward(pass, {.sparse = &view},
                               TensorView(above.data(), output.shape),
                               TensorView(), /*add=*/false)
                    .ok());
    return copy;
  }
  const std::vector<float>& gradient() const { return gradient_; }

  // The events of one row, one by one.
  std::vector<float> Steps(const Inputs& inputs, const std::vector<int>& rows) {
    Arena arena{Device()};
    std::vector<StateTensor> states;
    Plan(&arena, [&](Arena* to) {
      states.clear();
      layer_->PlanWeights(stream_, /*backward=*/false, to);
      layer_->PlanSteps(stream_, 1, to, &states);
    });
    EXPECT_EQ(states.size(), layer_->num_states());
    EXPECT_TRUE(layer_->Pack(stream_, weights_.data()).ok());
    const std::vector<int32_t> counts = {0, 1}, window_row = {0};
    std::vector<float> outputs;
    for (size_t t = 0; t < rows.size(); ++t) {
      const SparseView view = inputs.row(rows[t]);
      const DecodeStep step = {
          .stream = stream_,
          .weights = weights_.data(),
          .ragged = {.batch_sizes = TensorView(counts.data() + 1, {1}),
                     .step_begin = View(counts),
                     .rows = 1,
                     .host_batch_sizes = counts.data() + 1,
                     .host_step_begin = counts.data()},
          .rows = 1,
          .step = static_cast<int64_t>(t),
          .window_row = View(window_row)};
      TensorView output;
      EXPECT_TRUE(
          layer_->Step(step, {.sparse = &view}, absl::MakeSpan(states), &output)
              .ok());
      outputs.insert(outputs.end(), output.data<float>(),
                     output.data<float>() + output.num_elements());
    }
    return outputs;
  }

 private:
  template <typename Ask>
  void Plan(Arena* arena, const Ask& ask) {
    ask(arena);
    EXPECT_TRUE(arena->Commit().ok());
    ask(arena);
  }

  ThreadPool pool_{1};
  Stream stream_;
  ParameterList list_;
  std::unique_ptr<Layer> layer_;
  std::vector<float> weights_;
  std::vector<float> gradient_;
};

TEST(LayerTest, StepsAreTheBatch) {
  const Inputs inputs(6);
  for (const Form& form : Forms()) {
    SCOPED_TRACE(form.name);
    Runner runner(form);
    const std::vector<float> batch = runner.Forward(inputs);
    // Row 0 has the events 0, 2, 4 and 5, row 1 the events 1 and 3.
    for (const std::vector<int>& events :
         std::vector<std::vector<int>>{{0, 2, 4, 5}, {1, 3}}) {
      const std::vector<float> steps = runner.Steps(inputs, events);
      ASSERT_EQ(steps.size(), events.size() * form.units);
      for (size_t i = 0; i < steps.size(); ++i) {
        EXPECT_NEAR(steps[i],
                    batch[events[i / form.units] * form.units + i % form.units],
                    1e-6);
      }
    }
  }
}

// In the direction of the gradient itself, tensor by tensor.
TEST(LayerTest, GradientsAreSlopes) {
  const Inputs inputs(6);
  for (const Form& form : Forms()) {
    SCOPED_TRACE(form.name);
    Runner runner(form);
    std::vector<float> doutput;
    for (int i = 0; i < 6 * form.units; ++i) {
      doutput.push_back(static_cast<float>(
          RandomDouble(7, RandomPurpose::kShuffle, 0, i) - 0.5));
    }
    runner.Forward(inputs, &doutput);
    const std::vector<float> gradient = runner.gradient();
    const auto loss = [&] {
      const std::vector<float> output = runner.Forward(inputs);
      double sum = 0;
      for (size_t i = 0; i < output.size(); ++i) sum += output[i] * doutput[i];
      return sum;
    };
    const std::vector<float> weights = runner.weights();
    for (const Parameter& parameter : runner.list().parameters()) {
      double square = 0;
      for (int64_t i = 0; i < parameter.size; ++i) {
        const double g = gradient[parameter.offset + i];
        square += g * g;
      }
      ASSERT_GT(square, 0) << parameter.name;
      constexpr double kStep = 2e-2;
      const double scale = kStep / std::sqrt(square);
      const auto at = [&](double sign) {
        for (int64_t i = parameter.offset;
             i < parameter.offset + parameter.size; ++i) {
          runner.weights()[i] =
              static_cast<float>(weights[i] + sign * scale * gradient[i]);
        }
        const double value = loss();
        runner.weights() = weights;
        return value;
      };
      const double slope = (at(1) - at(-1)) / (2 * kStep);
      EXPECT_NEAR(slope, std::sqrt(square), 1e-3 + 2e-2 * std::sqrt(square))
          << parameter.name;
    }
  }
}

}  // namespace
}  // namespace continuo
