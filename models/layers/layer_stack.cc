// SPDX-License-Identifier: Apache-2.0

#include "models/layers/layer_stack.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernels/layers/elementwise.h"
#include "kernels/lstm/lstm_cudnn.h"
#include "models/layers/attention_lstm_layer.h"
#include "models/layers/cudnn_lstm_layer.h"
#include "models/layers/gru_layer.h"
#include "models/layers/lstm_layer.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/device/tensor_slice.h"

namespace continuo {
namespace {

template <typename T>
std::unique_ptr<Layer> Make(const LayerShape& shape, ParameterList* list) {
  return std::make_unique<T>(shape, list);
}

std::unique_ptr<Layer> MakeLstm(const LayerShape& shape, const Stream& stream,
                                ParameterList* list) {
  if (shape.attn_length > 0) return Make<AttentionLstmLayer>(shape, list);
  if (LstmUsesCudnn(stream)) return Make<CudnnLstmLayer>(shape, list);
  return Make<LstmLayer>(shape, list);
}

// The layer of each kind of cell (models/config/cells.h).
std::unique_ptr<Layer> MakeLayer(Cell cell, const LayerShape& shape,
                                 const Stream& stream, ParameterList* list) {
  CONTINUO_CHECK(cell == Cell::kLstm || shape.attn_length == 0);
  switch (cell) {
    case Cell::kLstm:
      return MakeLstm(shape, stream, list);
    case Cell::kGru:
      return Make<GruLayer>(shape, list);
  }
  CheckFailed(__FILE__, __LINE__, "cell has a layer");
}

}  // namespace

LayerStack::LayerStack(const StackShape& shape, const Stream& stream,
                       ParameterList* parameters)
    : residual_(shape.residual) {
  int in = shape.input_size;
  for (size_t i = 0; i < shape.layer_sizes.size(); ++i) {
    const int n = shape.layer_sizes[i];
    Level level = {.shape = {.index = static_cast<int>(i),
                             .width = in,
                             .units = n,
                             .sparse = i == 0,
                             .attn_length = i == 0 ? shape.attn_length : 0},
                   .input = in};
    std::string& scope = level.shape.scope;
    scope = absl::StrCat("rnn/multi_rnn_cell/cell_", i, "/");
    if (residual_ && (i == 0 || in != n)) {
      absl::StrAppend(&scope, "input_projection_wrapper/");
      level.projection.emplace(parameters->AddKernel(scope, in, n), in,
                               /*sparse=*/i == 0);
      level.shape.width = n;
      level.shape.sparse = false;
    }
    level.layer = MakeLayer(shape.cell, level.shape, stream, parameters);
    levels_.push_back(std::move(level));
    in = n;
  }
}

void LayerStack::PlanWeights(const Stream& stream, bool backward,
                             Arena* arena) {
  for (Level& level : levels_) {
    if (level.projection) {
      level.projection->PlanWeights(stream, backward, arena);
    }
    level.layer->PlanWeights(stream, backward, arena);
  }
}

absl::Status LayerStack::Pack(const Stream& stream, float* weights) const {
  for (const Level& level : levels_) {
    if (level.projection) {
      CONTINUO_RETURN_IF_ERROR(level.projection->Pack(stream, weights));
    }
    CONTINUO_RETURN_IF_ERROR(level.layer->Pack(stream, weights));
  }
  return absl::OkStatus();
}

bool LayerStack::CanRecord(const Stream& stream, int64_t rows,
                           int64_t steps) const {
  return std::all_of(levels_.begin(), levels_.end(), [&](const Level& level) {
    return level.layer->CanRecord(stream, rows, steps);
  });
}

void LayerStack::PlanBatch(BatchPlan* plan) {
  int64_t widest = 0;
  int64_t widest_inner = 0;
  for (Level& level : levels_) {
    const std::string what = level.shape.What("activations");
    const int64_t n = level.shape.units;
    const auto allocate = [&](int64_t columns) {
      return plan->arena->Allocate<float>(what, {plan->events, columns});
    };
    if (level.projection) level.cell_input = allocate(n);
    level.layer->PlanBatch(plan);
    level.output = allocate(n);
    widest = std::max(widest, n);
    if (&level != &levels_.back()) widest_inner = std::max(widest_inner, n);
    if (plan->backward && level.projection) {
      level.projection->PlanBackward(plan);
    }
  }
  if (!plan->backward) return;
  const auto allocate = [&](int64_t columns) {
    return plan->arena->Allocate<float>("activation gradients",
                                        {plan->events, columns});
  };
  for (size_t i = 0; i < 2 && i + 1 < levels_.size(); ++i) {
    gradient_[i] = allocate(widest_inner);
  }
  if (residual_) dcell_input_ = allocate(widest);
}

absl::Status LayerStack::PrepareBatch(const LayerPass& pass, bool backward) {
  for (Level& level : levels_) {
    CONTINUO_RETURN_IF_ERROR(level.layer->PrepareBatch(pass, backward));
  }
  return absl::OkStatus();
}

absl::Status LayerStack::ForwardLevel(const LayerPass& pass,
                                      const LayerInput& input, Level* level) {
  LayerInput x = input;
  if (level->projection) {
    x = {.dense = Rows(level->cell_input, pass.events)};
    CONTINUO_RETURN_IF_ERROR(
        level->projection->Forward(pass.stream, pass.weights, input, x.dense));
  }
  TensorView y;
  CONTINUO_RETURN_IF_ERROR(level->layer->Forward(pass, x, &y));
  const TensorView output = Rows(level->output, pass.events);
  if (residual_) {
    CONTINUO_RETURN_IF_ERROR(
        Sum(pass.stream, {.a = y, .b = x.dense, .c = output}));
    y = output;
  }
  if (pass.keep_prob < 1) {
    CONTINUO_RETURN_IF_ERROR(pass.Drop(level->shape.index, y, output));
    y = output;
  }
  level->result = y;
  return absl::OkStatus();
}

absl::Status LayerStack::Forward(const LayerPass& pass, const LayerInput& input,
                                 TensorView* output) {
  LayerInput below = input;
  for (Level& level : levels_) {
    CONTINUO_RETURN_IF_ERROR(ForwardLevel(pass, below, &level));
    below = {.dense = level.result};
  }
  *output = below.dense;
  return absl::OkStatus();
}

// `dinput` receives the gradient of a dense input (not given: the input is
// sparse). Overwrites doutput.
absl::Status LayerStack::BackwardLevel(const LayerPass& pass,
                                       const LayerInput& input,
                                       const TensorView& doutput,
                                       const TensorView& dinput, Level* level) {
  if (pass.keep_prob < 1) {
    CONTINUO_RETURN_IF_ERROR(pass.Drop(level->shape.index, doutput, doutput));
  }
  LayerInput x = input;
  TensorView dx = dinput;
  if (level->projection) {
    x = {.dense = Rows(level->cell_input, pass.events)};
    dx = Rows(dcell_input_, pass.events, level->shape.width);
  }
  if (residual_) {
    CONTINUO_RETURN_IF_ERROR(Copy(pass.stream, {.from = doutput, .to = dx}));
  }
  CONTINUO_RETURN_IF_ERROR(
      level->layer->Backward(pass, x, doutput, dx, /*add=*/residual_));
  if (!level->projection) return absl::OkStatus();
  return level->projection->Backward(pass, input, dx, /*bias=*/true, dinput,
                                     /*add=*/false);
}

absl::Status LayerStack::Backward(const LayerPass& pass,
                                  const LayerInput& input,
                                  const TensorView& doutput,
                                  const TensorView& dinput, bool add) {
  CONTINUO_CHECK(input.sparse != nullptr && !dinput && !add);
  TensorView above = doutput;
  for (size_t i = levels_.size(); i-- > 0;) {
    LayerInput below = input;
    TensorView dbelow;
    if (i > 0) {
      below = {.dense = levels_[i - 1].result};
      dbelow = Rows(gradient_[(i - 1) % 2], pass.events, levels_[i].input);
    }
    CONTINUO_RETURN_IF_ERROR(
        BackwardLevel(pass, below, above, dbelow, &levels_[i]));
    above = dbelow;
  }
  return absl::OkStatus();
}

void LayerStack::PlanSteps(const Stream& stream, int64_t max_rows, Arena* arena,
                           std::vector<StateTensor>* states) {
  for (Level& level : levels_) {
    const std::string what = level.shape.What("state");
    const auto allocate = [&] {
      return arena->Allocate<float>(what, {max_rows, level.shape.units});
    };
    if (level.projection) level.cell_input = allocate();
    if (residual_) level.output = allocate();
    level.layer->PlanSteps(stream, max_rows, arena, states);
  }
}

size_t LayerStack::num_states() const {
  size_t total = 0;
  for (const Level& level : levels_) total += level.layer->num_states();
  return total;
}

absl::Status LayerStack::Step(const DecodeStep& step, const LayerInput& input,
                              absl::Span<StateTensor> states,
                              TensorView* output) {
  LayerInput below = input;
  for (Level& level : levels_) {
    if (level.projection) {
      const TensorView x = Rows(level.cell_input, step.rows);
      CONTINUO_RETURN_IF_ERROR(
          level.projection->Forward(step.stream, step.weights, below, x));
      below = {.dense = x};
    }
    TensorView y;
    const size_t count = level.layer->num_states();
    CONTINUO_RETURN_IF_ERROR(
        level.layer->Step(step, below, states.subspan(0, count), &y));
    states.remove_prefix(count);
    if (residual_) {
      const TensorView sum = Rows(level.output, step.rows);
      CONTINUO_RETURN_IF_ERROR(
          Sum(step.stream, {.a = y, .b = below.dense, .c = sum}));
      y = sum;
    }
    below = {.dense = y};
  }
  *output = below.dense;
  return absl::OkStatus();
}

}  // namespace continuo
