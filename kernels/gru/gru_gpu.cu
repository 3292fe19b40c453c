// SPDX-License-Identifier: Apache-2.0

// The step-wise GRU: for each step two products, by kernels/gemm/gemm.h, and a
// kernel after each.
//
// All four are launches of a few microseconds, which bounds the form at the
// sizes of these models. By bytes, for a row and besides the products: 5 h
// floats read and 4 written by the first forward kernel and 4 and 2 by the
// second; backward 5 and 3, and 4 and 2. Neighbouring threads take neighbouring
// units, so that every access is whole lines; nothing is added up by atomics.

#include "kernels/common/launch.cuh"
#include "kernels/gemm/gemm.h"
#include "kernels/gru/gru.h"
#include "kernels/lstm/lstm_cell.cuh"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// One step. Pointers are to the step's first row.
struct ForwardStep {
  int64_t rows;
  int64_t units;
  float* gates;         // [rows, 2h]
  float* candidate;     // [rows, h]
  float* reset;         // [rows, h]
  const float* h_prev;  // [rows, h] or null: zeros
  float* h;             // [rows, h]
};

__global__ void ForwardGatesKernel(ForwardStep step) {
  const int64_t n = step.units;
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= step.rows * n) return;
  float* const gates = step.gates + i / n * 2 * n + i % n;
  const float r = Sigmoid(gates[0]);
  gates[0] = r;
  gates[n] = Sigmoid(gates[n]);
  step.reset[i] = step.h_prev != nullptr ? r * step.h_prev[i] : 0.0f;
}

__global__ void ForwardStateKernel(ForwardStep step) {
  const int64_t n = step.units;
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= step.rows * n) return;
  const float u = step.gates[i / n * 2 * n + n + i % n];
  const float c = Tanh(step.candidate[i]);
  step.candidate[i] = c;
  const float state = fmaf(-u, c, c);  // (1 - u) c
  step.h[i] = step.h_prev != nullptr ? fmaf(u, step.h_prev[i], state) : state;
}

struct BackwardStep {
  int64_t rows;
  int64_t units;
  float* gates;         // [rows, 2h]
  float* candidate;     // [rows, h]
  const float* dreset;  // [rows, h]
  const float* h_prev;  // [rows, h] or null: zeros
  const float* dh;      // [rows, h]
  float* dh_prev;       // [rows, h] or null: the first step
};

__global__ void BackwardStateKernel(BackwardStep step) {
  const int64_t n = step.units;
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= step.rows * n) return;
  float* const gates = step.gates + i / n * 2 * n + i % n;
  const float u = gates[n];
  const float c = step.candidate[i];
  const float dh = step.dh[i];
  const float before = step.h_prev != nullptr ? step.h_prev[i] : 0.0f;
  gates[n] = dh * (before - c) * fmaf(-u, u, u);
  step.candidate[i] = fmaf(-dh, u, dh) * fmaf(-c, c, 1.0f);
  if (step.dh_prev != nullptr) {
    step.dh_prev[i] = fmaf(dh, u, step.dh_prev[i]);
  } else {
    gates[0] = 0;  // r multiplied zeros
  }
}

__global__ void BackwardResetKernel(BackwardStep step) {
  const int64_t n = step.units;
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= step.rows * n) return;
  float* const gate = step.gates + i / n * 2 * n + i % n;
  const float r = *gate;
  const float dreset = step.dreset[i];
  *gate = dreset * step.h_prev[i] * fmaf(-r, r, r);
  step.dh_prev[i] = fmaf(dreset, r, step.dh_prev[i]);
}

unsigned Blocks(int64_t rows, int64_t units) {
  return static_cast<unsigned>(CeilDiv(rows * units, kThreads));
}

absl::Status CheckHostArrays(const RaggedLayout& ragged) {
  if (ragged.steps() == 0 || (ragged.host_batch_sizes != nullptr &&
                              ragged.host_step_begin != nullptr)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "the GRU launches work for each step and cannot run a recorded batch");
}

// c [rows, columns] (+)= a [rows, k] b.
absl::Status Multiply(const Stream& stream, int64_t rows, int64_t columns,
                      int64_t k, const float* a, const TensorView& b, float* c,
                      bool accumulate) {
  return gpu::Gemm(stream, {.a = TensorView(a, {rows, k}),
                            .b = b,
                            .c = TensorView(c, {rows, columns}),
                            .accumulate = accumulate});
}

}  // namespace

absl::Status GruForward(const Stream& stream, const GruForwardArgs& args) {
  const int64_t n = args.h.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 2 * n);
  CONTINUO_CHECK(args.candidate.shape == args.h.shape &&
                 args.reset.shape == args.h.shape);
  CONTINUO_RETURN_IF_ERROR(CheckHostArrays(args.ragged));
  const float* h_prev = args.initial_h.data<float>();
  for (int64_t t = 0; t < args.ragged.steps(); ++t) {
    const StepRows now = StepRowsOf(args.ragged, t);
    if (now.rows == 0) break;
    const ForwardStep step = {
        .rows = now.rows,
        .units = n,
        .gates = args.gates.data<float>() + now.begin * 2 * n,
        .candidate = args.candidate.data<float>() + now.begin * n,
        .reset = args.reset.data<float>() + now.begin * n,
        .h_prev = h_prev,
        .h = args.h.data<float>() + now.begin * n};
    if (h_prev != nullptr) {
      CONTINUO_RETURN_IF_ERROR(Multiply(stream, now.rows, 2 * n, n, h_prev,
                                        args.recurrent_gates, step.gates,
                                        /*accumulate=*/true));
    }
    ForwardGatesKernel<<<Blocks(now.rows, n), kThreads, 0,
                         stream.cuda->stream()>>>(step);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
    if (h_prev != nullptr) {
      CONTINUO_RETURN_IF_ERROR(Multiply(stream, now.rows, n, n, step.reset,
                                        args.recurrent_candidate,
                                        step.candidate, /*accumulate=*/true));
    }
    ForwardStateKernel<<<Blocks(now.rows, n), kThreads, 0,
                         stream.cuda->stream()>>>(step);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
    h_prev = step.h;
  }
  return absl::OkStatus();
}

absl::Status GruBackward(const Stream& stream, const GruBackwardArgs& args) {
  const int64_t n = args.h.shape[1];
  CONTINUO_CHECK(args.gates.shape[1] == 2 * n);
  CONTINUO_CHECK(args.candidate.shape == args.h.shape &&
                 args.dh.shape == args.h.shape);
  CONTINUO_RETURN_IF_ERROR(CheckHostArrays(args.ragged));
  const float* const h = args.h.data<float>();
  float* const dh = args.dh.data<float>();
  float* const dreset = args.dreset.data<float>();
  CONTINUO_CHECK(args.dreset.num_elements() >= args.ragged.rows * n);
  for (int64_t t = args.ragged.steps() - 1; t >= 0; --t) {
    const StepRows now = StepRowsOf(args.ragged, t);
    if (now.rows == 0) continue;
    const int64_t before =
        t > 0 ? StepRowsOf(args.ragged, t - 1).begin * n : int64_t{0};
    const BackwardStep step = {
        .rows = now.rows,
        .units = n,
        .gates = args.gates.data<float>() + now.begin * 2 * n,
        .candidate = args.candidate.data<float>() + now.begin * n,
        .dreset = dreset,
        .h_prev = t > 0 ? h + before : nullptr,
        .dh = dh + now.begin * n,
        .dh_prev = t > 0 ? dh + before : nullptr};
    BackwardStateKernel<<<Blocks(now.rows, n), kThreads, 0,
                          stream.cuda->stream()>>>(step);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
    if (t == 0) break;
    CONTINUO_RETURN_IF_ERROR(Multiply(stream, now.rows, n, n, step.candidate,
                                      args.recurrent_candidate_t, dreset,
                                      /*accumulate=*/false));
    BackwardResetKernel<<<Blocks(now.rows, n), kThreads, 0,
                          stream.cuda->stream()>>>(step);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
    CONTINUO_RETURN_IF_ERROR(Multiply(stream, now.rows, n, 2 * n, step.gates,
                                      args.recurrent_gates_t, step.dh_prev,
                                      /*accumulate=*/true));
  }
  return absl::OkStatus();
}

}  // namespace continuo::gpu
