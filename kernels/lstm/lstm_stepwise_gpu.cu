// SPDX-License-Identifier: Apache-2.0

// The step-wise LSTM: for each step a product by cuBLAS and one kernel that
// does all the rest of the step. Any number of units, rows and steps; the plain
// form, which the persistent ones are tested against.
//
// Both are launches of a few microseconds, which bounds the form at the sizes
// of these models. By bytes: the product reads the recurrent weights at every
// step. The kernel moves, for a row, 8 h gates, h of c and h of h (forward), or
// 8 h gates, 2 h of c, h of dh and 2 h of dc (backward), each once and with the
// widest accesses that alignment allows; nothing is added up by atomics.

#include <type_traits>

#include "kernels/common/launch.cuh"
#include "kernels/common/vector_io.cuh"
#include "kernels/lstm/lstm_cell.cuh"
#include "kernels/lstm/lstm_gpu_forms.h"
#include "kernels/lstm/lstm_step.h"
#include "runtime/base/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// kWidth neighbouring elements, read or written at once.
template <int kWidth, typename T>
__device__ void LoadRun(const T* from, float (&run)[kWidth]) {
  if constexpr (kWidth == 4) {
    const float4 four = Load4(from);
    run[0] = four.x;
    run[1] = four.y;
    run[2] = four.z;
    run[3] = four.w;
  } else {
    run[0] = ToFloat(*from);
  }
}
template <int kWidth, typename T>
__device__ void StoreRun(const float (&run)[kWidth], T* to) {
  if constexpr (kWidth == 4) {
    const float4 four = make_float4(run[0], run[1], run[2], run[3]);
    if constexpr (std::is_same_v<T, float>) {
      // By name: the compiler takes some of these apart.
      __stwb(reinterpret_cast<float4*>(to), four);
    } else {
      Store4(to, four);
    }
  } else {
    *to = FromFloat<T>(run[0]);
  }
}

// The gates of kWidth cells, from and to rows of 4 n.
template <int kWidth, typename T>
__device__ void LoadGates(const T* from, int64_t n, Gates (&cells)[kWidth]) {
  float i[kWidth], j[kWidth], f[kWidth], o[kWidth];
  LoadRun(from, i);
  LoadRun(from + n, j);
  LoadRun(from + 2 * n, f);
  LoadRun(from + 3 * n, o);
#pragma unroll
  for (int k = 0; k < kWidth; ++k) cells[k] = {i[k], j[k], f[k], o[k]};
}
template <int kWidth, typename T>
__device__ void StoreGates(const Gates (&cells)[kWidth], int64_t n, T* to) {
  float i[kWidth], j[kWidth], f[kWidth], o[kWidth];
#pragma unroll
  for (int k = 0; k < kWidth; ++k) {
    i[k] = cells[k].i;
    j[k] = cells[k].j;
    f[k] = cells[k].f;
    o[k] = cells[k].o;
  }
  StoreRun(i, to);
  StoreRun(j, to + n);
  StoreRun(f, to + 2 * n);
  StoreRun(o, to + 3 * n);
}

// One step. Pointers are to the step's first row.
template <typename T>
struct ForwardStep {
  int64_t rows;
  int64_t units;
  const int32_t* batch_size;  // on the device; null: `rows` is exact
  T* gates;                   // [rows, 4h]
  const float* product;       // [rows, 4h] h R, or null: already in gates
  const float* c_prev;        // [rows, h] or null: zeros
  float* c;
  float* h;
};

template <typename T, int kWidth>
__global__ void ForwardStepKernel(ForwardStep<T> step) {
  const int64_t n = step.units;
  const int64_t runs = n / kWidth;
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t row = i / runs;
  const int64_t unit = i % runs * kWidth;
  if (row >= step.rows ||
      (step.batch_size != nullptr && row >= *step.batch_size))
    return;
  T* const gates = step.gates + row * 4 * n + unit;
  Gates cells[kWidth];
  LoadGates(gates, n, cells);
  if (step.product != nullptr) {
    Gates sums[kWidth];
    LoadGates(step.product + row * 4 * n + unit, n, sums);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      cells[k].i += sums[k].i;
      cells[k].j += sums[k].j;
      cells[k].f += sums[k].f;
      cells[k].o += sums[k].o;
    }
  }
  float c[kWidth] = {}, h[kWidth];
  if (step.c_prev != nullptr) LoadRun(step.c_prev + row * n + unit, c);
#pragma unroll
  for (int k = 0; k < kWidth; ++k) h[k] = CellForward(&cells[k], &c[k]);
  StoreRun(c, step.c + row * n + unit);
  StoreRun(h, step.h + row * n + unit);
  StoreGates(cells, n, gates);
}

template <typename T>
struct BackwardStep {
  int64_t rows;
  int64_t units;
  const int32_t* batch_size;  // on the device; null: `rows` is exact
  int64_t rows_next;          // alive in the next step: those that have a dc
  T* gates;                   // [rows, 4h]
  float* wide_dz;       // [rows, 4h] a copy of dz for the product, or null
  const float* c_prev;  // [rows, h] or null: zeros
  const float* c;
  const float* dh;
  float* dc;
};

template <typename T, int kWidth>
__global__ void BackwardStepKernel(BackwardStep<T> step) {
  const int64_t n = step.units;
  const int64_t runs = n / kWidth;
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const int64_t row = i / runs;
  const int64_t unit = i % runs * kWidth;
  if (row >= step.rows ||
      (step.batch_size != nullptr && row >= *step.batch_size))
    return;
  T* const gates = step.gates + row * 4 * n + unit;
  const int64_t at = row * n + unit;
  Gates cells[kWidth];
  LoadGates(gates, n, cells);
  float c[kWidth], dh[kWidth], c_prev[kWidth] = {}, dc[kWidth] = {};
  LoadRun(step.c + at, c);
  LoadRun(step.dh + at, dh);
  if (step.c_prev != nullptr) LoadRun(step.c_prev + at, c_prev);
  if (row < step.rows_next) LoadRun(step.dc + at, dc);
#pragma unroll
  for (int k = 0; k < kWidth; ++k) {
    CellBackward(&cells[k], c_prev[k], c[k], dh[k], &dc[k]);
  }
  StoreRun(dc, step.dc + at);
  if constexpr (!std::is_same_v<T, float>) {
    if (step.wide_dz != nullptr) {
      StoreGates(cells, n, step.wide_dz + row * 4 * n + unit);
    }
  }
  StoreGates(cells, n, gates);
}

// c [rows, columns] = a [rows, k] b [k, columns] + beta c.
absl::Status Multiply(const Stream& stream, int64_t rows, int64_t columns,
                      int64_t k, const float* a, const float* b, float beta,
                      float* c) {
  cublasComputeType_t type = CUBLAS_COMPUTE_32F;
  if (stream.options.precision == Precision::kTf32) {
    type = CUBLAS_COMPUTE_32F_FAST_TF32;
  } else if (stream.options.precision == Precision::kBf16) {
    type = CUBLAS_COMPUTE_32F_FAST_16BF;
  }
  const float one = 1.0f;
  CONTINUO_RETURN_IF_CUDA_ERROR(cublasGemmEx(
      stream.cuda->cublas(), CUBLAS_OP_N, CUBLAS_OP_N,
      static_cast<int>(columns), static_cast<int>(rows), static_cast<int>(k),
      &one, b, CUDA_R_32F, static_cast<int>(columns), a, CUDA_R_32F,
      static_cast<int>(k), &beta, c, CUDA_R_32F, static_cast<int>(columns),
      type, CUBLAS_GEMM_DEFAULT));
  return absl::OkStatus();
}

// Elements that every row of every array starts at a multiple of.
constexpr int Width(int64_t units) { return units % 4 == 0 ? 4 : 1; }

unsigned Blocks(int64_t rows, int64_t units) {
  return static_cast<unsigned>(CeilDiv(rows * units / Width(units), kThreads));
}

absl::Status CheckHostArrays(const RaggedLayout& ragged) {
  if (ragged.steps() <= 1) return absl::OkStatus();
  if (ragged.host_batch_sizes != nullptr && ragged.host_step_begin != nullptr) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "the step-wise form of the LSTM launches work for each step and cannot "
      "run a recorded batch: give a `rnn_form` or a size that is persistent, "
      "or do not record");
}

template <typename T>
absl::Status Forward(const Stream& stream, const LstmForwardArgs& args) {
  const int64_t n = args.c.shape[1];
  const bool wide = sizeof(T) == sizeof(float);
  T* const gates = Data<T>(args.gates);
  float* const c = args.c.data<float>();
  float* const h = args.h.data<float>();
  const bool on_device = args.ragged.host_batch_sizes == nullptr;
  const float* c_prev = args.initial_c.data<float>();
  const float* h_prev = args.initial_h.data<float>();
  for (int64_t t = 0; t < args.ragged.steps(); ++t) {
    const StepRows now = StepRowsOf(args.ragged, t);
    if (now.rows == 0) break;
    ForwardStep<T> step = {
        .rows = now.rows,
        .units = n,
        .batch_size =
            on_device ? args.ragged.batch_sizes.data<int32_t>() : nullptr,
        .gates = gates + now.begin * 4 * n,
        .product = nullptr,
        .c_prev = c_prev,
        .c = c + now.begin * n,
        .h = h + now.begin * n};
    if (h_prev != nullptr) {
      float* product = args.scratch.data<float>();
      if constexpr (std::is_same_v<T, float>) {
        product = step.gates;
      } else {
        CONTINUO_CHECK(args.scratch.num_elements() >= 4 * n * now.rows);
        step.product = product;
      }
      CONTINUO_RETURN_IF_ERROR(Multiply(stream, now.rows, 4 * n, n, h_prev,
                                        args.recurrent.data<float>(),
                                        wide ? 1.0f : 0.0f, product));
    }
    const auto kernel =
        Width(n) == 4 ? ForwardStepKernel<T, 4> : ForwardStepKernel<T, 1>;
    kernel<<<Blocks(now.rows, n), kThreads, 0, stream.cuda->stream()>>>(step);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
    c_prev = step.c;
    h_prev = step.h;
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status Backward(const Stream& stream, const LstmBackwardArgs& args) {
  const int64_t n = args.c.shape[1];
  T* const gates = Data<T>(args.gates);
  const float* const c = args.c.data<float>();
  float* const dh = args.dh.data<float>();
  const bool on_device = args.ragged.host_batch_sizes == nullptr;
  CONTINUO_CHECK(args.dc.num_elements() >= args.ragged.rows * n);
  int64_t rows_next = 0;
  for (int64_t t = args.ragged.steps() - 1; t >= 0; --t) {
    const StepRows now = StepRowsOf(args.ragged, t);
    if (now.rows == 0) continue;
    const int64_t before =
        t > 0 ? StepRowsOf(args.ragged, t - 1).begin * n : int64_t{0};
    BackwardStep<T> step = {
        .rows = now.rows,
        .units = n,
        .batch_size =
            on_device ? args.ragged.batch_sizes.data<int32_t>() : nullptr,
        .rows_next = rows_next,
        .gates = gates + now.begin * 4 * n,
        .wide_dz = nullptr,
        .c_prev = t > 0 ? c + before : nullptr,
        .c = c + now.begin * n,
        .dh = dh + now.begin * n,
        .dc = args.dc.data<float>()};
    const float* dz = args.scratch.data<float>();
    if constexpr (std::is_same_v<T, float>) {
      dz = step.gates;
    } else if (t > 0) {
      CONTINUO_CHECK(args.scratch.num_elements() >= 4 * n * now.rows);
      step.wide_dz = args.scratch.data<float>();
    }
    const auto kernel =
        Width(n) == 4 ? BackwardStepKernel<T, 4> : BackwardStepKernel<T, 1>;
    kernel<<<Blocks(now.rows, n), kThreads, 0, stream.cuda->stream()>>>(step);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
    rows_next = now.rows;
    if (t == 0) break;
    CONTINUO_RETURN_IF_ERROR(Multiply(stream, now.rows, n, 4 * n, dz,
                                      args.recurrent_t.data<float>(), 1.0f,
                                      dh + before));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status StepBackward(const Stream& stream,
                          const LstmStepBackwardArgs& args) {
  const int64_t rows = args.c.shape[0];
  const int64_t n = args.c.shape[1];
  const auto kernel =
      Width(n) == 4 ? BackwardStepKernel<T, 4> : BackwardStepKernel<T, 1>;
  kernel<<<Blocks(rows, n), kThreads, 0, stream.cuda->stream()>>>(
      {.rows = rows,
       .units = n,
       .batch_size = nullptr,
       .rows_next = rows,
       .gates = Data<T>(args.gates),
       .wide_dz = nullptr,
       .c_prev = args.c_prev.data<float>(),
       .c = args.c.data<float>(),
       .dh = args.dh.data<float>(),
       .dc = args.dc.data<float>()});
  CONTINUO_RETURN_IF_LAUNCH_FAILED();
  return absl::OkStatus();
}

}  // namespace

absl::Status LstmStepBackward(const Stream& stream,
                              const LstmStepBackwardArgs& args) {
  CONTINUO_CHECK(args.gates.shape[1] == 4 * args.c.shape[1]);
  CONTINUO_CHECK(args.gates.dtype == GateType(stream));
  CONTINUO_CHECK(args.dh.shape == args.c.shape &&
                 args.dc.shape == args.c.shape);
  if (args.c.shape[0] == 0) return absl::OkStatus();
  return args.gates.dtype == DType::kBfloat16
             ? StepBackward<__nv_bfloat16>(stream, args)
             : StepBackward<float>(stream, args);
}

absl::Status LstmStepwiseForward(const Stream& stream,
                                 const LstmForwardArgs& args) {
  CONTINUO_RETURN_IF_ERROR(CheckHostArrays(args.ragged));
  return args.gates.dtype == DType::kBfloat16
             ? Forward<__nv_bfloat16>(stream, args)
             : Forward<float>(stream, args);
}

absl::Status LstmStepwiseBackward(const Stream& stream,
                                  const LstmBackwardArgs& args) {
  CONTINUO_RETURN_IF_ERROR(CheckHostArrays(args.ragged));
  return args.gates.dtype == DType::kBfloat16
             ? Backward<__nv_bfloat16>(stream, args)
             : Backward<float>(stream, args);
}

}  // namespace continuo::gpu
