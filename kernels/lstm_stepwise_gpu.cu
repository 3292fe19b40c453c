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

#include "kernels/launch.cuh"
#include "kernels/lstm_cell.cuh"
#include "kernels/lstm_persistent.h"
#include "runtime/log.h"

namespace continuo::gpu {
namespace {

constexpr int kThreads = 256;

// kWidth elements that are read and written at once.
template <typename T, int kWidth>
struct alignas(sizeof(T) * kWidth) Run {
  T at[kWidth];
};
template <int kWidth, typename T>
__device__ Run<T, kWidth> LoadRun(const T* from) {
  return *reinterpret_cast<const Run<T, kWidth>*>(from);
}
template <int kWidth, typename T>
__device__ void StoreRun(const Run<T, kWidth>& run, T* to) {
  *reinterpret_cast<Run<T, kWidth>*>(to) = run;
}

// One step. Pointers are to the step's first row.
template <typename T>
struct ForwardStep {
  int64_t rows;
  int64_t units;
  const int32_t* alive;  // on the device; null: `rows` is exact
  T* gates;              // [rows, 4h]
  const float* product;  // [rows, 4h] h R, or null: already in gates
  const float* c_prev;   // [rows, h] or null: zeros
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
  if (row >= step.rows || (step.alive != nullptr && row >= *step.alive)) return;
  T* const gates = step.gates + row * 4 * n + unit;
  Gates z[kWidth];
  float* const field = reinterpret_cast<float*>(z);
#pragma unroll
  for (int gate = 0; gate < 4; ++gate) {
    const auto run = LoadRun<kWidth>(gates + gate * n);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) field[4 * k + gate] = ToFloat(run.at[k]);
  }
  if (step.product != nullptr) {
    const float* const product = step.product + row * 4 * n + unit;
#pragma unroll
    for (int gate = 0; gate < 4; ++gate) {
      const auto run = LoadRun<kWidth>(product + gate * n);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) field[4 * k + gate] += run.at[k];
    }
  }
  Run<float, kWidth> c = {};
  if (step.c_prev != nullptr) {
    c = LoadRun<kWidth>(step.c_prev + row * n + unit);
  }
  Run<float, kWidth> h;
#pragma unroll
  for (int k = 0; k < kWidth; ++k) h.at[k] = CellForward(&z[k], &c.at[k]);
  StoreRun(c, step.c + row * n + unit);
  StoreRun(h, step.h + row * n + unit);
#pragma unroll
  for (int gate = 0; gate < 4; ++gate) {
    Run<T, kWidth> run;
#pragma unroll
    for (int k = 0; k < kWidth; ++k)
      run.at[k] = FromFloat<T>(field[4 * k + gate]);
    StoreRun(run, gates + gate * n);
  }
}

template <typename T>
struct BackwardStep {
  int64_t rows;
  int64_t units;
  const int32_t* alive;  // on the device; null: `rows` is exact
  int64_t rows_next;     // alive in the next step: those that have a dc
  T* gates;              // [rows, 4h]
  float* wide_dz;        // [rows, 4h] a copy of dz for the product, or null
  const float* c_prev;   // [rows, h] or null: zeros
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
  if (row >= step.rows || (step.alive != nullptr && row >= *step.alive)) return;
  T* const gates = step.gates + row * 4 * n + unit;
  const int64_t at = row * n + unit;
  Gates z[kWidth];
  float* const field = reinterpret_cast<float*>(z);
#pragma unroll
  for (int gate = 0; gate < 4; ++gate) {
    const auto run = LoadRun<kWidth>(gates + gate * n);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) field[4 * k + gate] = ToFloat(run.at[k]);
  }
  const auto c = LoadRun<kWidth>(step.c + at);
  const auto dh = LoadRun<kWidth>(step.dh + at);
  Run<float, kWidth> c_prev = {}, dc = {};
  if (step.c_prev != nullptr) c_prev = LoadRun<kWidth>(step.c_prev + at);
  if (row < step.rows_next) dc = LoadRun<kWidth>(step.dc + at);
#pragma unroll
  for (int k = 0; k < kWidth; ++k) {
    CellBackward(&z[k], c_prev.at[k], c.at[k], dh.at[k], &dc.at[k]);
  }
  StoreRun(dc, step.dc + at);
#pragma unroll
  for (int gate = 0; gate < 4; ++gate) {
    Run<T, kWidth> run;
    Run<float, kWidth> wide;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      wide.at[k] = field[4 * k + gate];
      run.at[k] = FromFloat<T>(wide.at[k]);
    }
    StoreRun(run, gates + gate * n);
    if (step.wide_dz != nullptr) {
      StoreRun(wide, step.wide_dz + row * 4 * n + unit + gate * n);
    }
  }
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

// Rows and first event of a step, from the host arrays, or of the only step.
struct StepRows {
  int64_t alive;
  int64_t begin;
};
StepRows RowsOf(const Schedule& schedule, int64_t t) {
  if (schedule.host_alive == nullptr) return {t == 0 ? schedule.rows : 0, 0};
  return {schedule.host_alive[t], schedule.host_step_begin[t]};
}

absl::Status CheckHostArrays(const Schedule& schedule) {
  if (schedule.steps() <= 1) return absl::OkStatus();
  if (schedule.host_alive != nullptr && schedule.host_step_begin != nullptr) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "the step-wise form of the LSTM launches work for each step and cannot "
      "run a recorded batch: give a --rnn_form or a size that is persistent, "
      "or do not record");
}

template <typename T>
absl::Status Forward(const Stream& stream, const LstmForwardArgs& args) {
  const int64_t n = args.c.shape[1];
  const bool wide = sizeof(T) == sizeof(float);
  T* const gates = Data<T>(args.gates);
  float* const c = args.c.data<float>();
  float* const h = args.h.data<float>();
  const bool on_device = args.schedule.host_alive == nullptr;
  const float* c_prev = args.initial_c.data<float>();
  const float* h_prev = args.initial_h.data<float>();
  for (int64_t t = 0; t < args.schedule.steps(); ++t) {
    const StepRows rows = RowsOf(args.schedule, t);
    if (rows.alive == 0) break;
    ForwardStep<T> step = {
        .rows = rows.alive,
        .units = n,
        .alive = on_device ? args.schedule.alive.data<int32_t>() : nullptr,
        .gates = gates + rows.begin * 4 * n,
        .product = nullptr,
        .c_prev = c_prev,
        .c = c + rows.begin * n,
        .h = h + rows.begin * n};
    if (h_prev != nullptr) {
      float* product = args.scratch.data<float>();
      if constexpr (std::is_same_v<T, float>) {
        product = step.gates;
      } else {
        CONTINUO_CHECK(args.scratch.num_elements() >= 4 * n * rows.alive);
        step.product = product;
      }
      CONTINUO_RETURN_IF_ERROR(Multiply(stream, rows.alive, 4 * n, n, h_prev,
                                        args.recurrent.data<float>(),
                                        wide ? 1.0f : 0.0f, product));
    }
    const auto kernel =
        Width(n) == 4 ? ForwardStepKernel<T, 4> : ForwardStepKernel<T, 1>;
    kernel<<<Blocks(rows.alive, n), kThreads, 0, stream.cuda->stream()>>>(step);
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
  const bool on_device = args.schedule.host_alive == nullptr;
  CONTINUO_CHECK(args.dc.num_elements() >= args.schedule.rows * n);
  int64_t rows_next = 0;
  for (int64_t t = args.schedule.steps() - 1; t >= 0; --t) {
    const StepRows rows = RowsOf(args.schedule, t);
    if (rows.alive == 0) continue;
    const int64_t before =
        t > 0 ? RowsOf(args.schedule, t - 1).begin * n : int64_t{0};
    BackwardStep<T> step = {
        .rows = rows.alive,
        .units = n,
        .alive = on_device ? args.schedule.alive.data<int32_t>() : nullptr,
        .rows_next = rows_next,
        .gates = gates + rows.begin * 4 * n,
        .wide_dz = nullptr,
        .c_prev = t > 0 ? c + before : nullptr,
        .c = c + rows.begin * n,
        .dh = dh + rows.begin * n,
        .dc = args.dc.data<float>()};
    const float* dz = args.scratch.data<float>();
    if constexpr (std::is_same_v<T, float>) {
      dz = step.gates;
    } else if (t > 0) {
      CONTINUO_CHECK(args.scratch.num_elements() >= 4 * n * rows.alive);
      step.wide_dz = args.scratch.data<float>();
    }
    const auto kernel =
        Width(n) == 4 ? BackwardStepKernel<T, 4> : BackwardStepKernel<T, 1>;
    kernel<<<Blocks(rows.alive, n), kThreads, 0, stream.cuda->stream()>>>(step);
    CONTINUO_RETURN_IF_LAUNCH_FAILED();
    rows_next = rows.alive;
    if (t == 0) break;
    CONTINUO_RETURN_IF_ERROR(Multiply(stream, rows.alive, n, 4 * n, dz,
                                      args.recurrent_t.data<float>(), 1.0f,
                                      dh + before));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status LstmStepwiseForward(const Stream& stream,
                                 const LstmForwardArgs& args) {
  CONTINUO_RETURN_IF_ERROR(CheckHostArrays(args.schedule));
  return args.gates.dtype == DType::kBfloat16
             ? Forward<__nv_bfloat16>(stream, args)
             : Forward<float>(stream, args);
}

absl::Status LstmStepwiseBackward(const Stream& stream,
                                  const LstmBackwardArgs& args) {
  CONTINUO_RETURN_IF_ERROR(CheckHostArrays(args.schedule));
  return args.gates.dtype == DType::kBfloat16
             ? Backward<__nv_bfloat16>(stream, args)
             : Backward<float>(stream, args);
}

}  // namespace continuo::gpu
