// SPDX-License-Identifier: Apache-2.0

// The operations on the GPU at the sizes of the published networks.

#ifndef CONTINUO_BENCH_GPU_CASES_H_
#define CONTINUO_BENCH_GPU_CASES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/bench_support.h"
#include "runtime/device/device.h"

namespace continuo::bench {

// Work to be counted or timed. Numbers are those of one run.
struct GpuCase {
  std::string name;
  int64_t steps = 1;         // time steps in it
  double product_flops = 0;  // of its matrix products, a multiply-add is two
  double bytes = 0;  // of its arguments that it has to read or write, each once
  std::function<absl::Status(const Stream&)> run;
};

// Device arrays that cases work on; they live as long as this.
class GpuArrays {
 public:
  explicit GpuArrays(const Stream& stream) : stream_(stream) {}

  // Numbers in (-scale, scale).
  TensorView Floats(Shape shape, float scale = 0.5f);
  // An array of gates: bfloat16 in bf16.
  TensorView Gates(Shape shape);
  template <typename T>
  TensorView Put(const std::vector<T>& values) {
    const TensorView view = Allocate<T>({static_cast<int64_t>(values.size())});
    Copy(TensorView(values.data(), view.shape), view);
    return view;
  }
  template <typename T>
  TensorView Allocate(Shape shape) {
    return Commit(
        [shape](Arena* arena) { return arena->Allocate<T>("array", shape); });
  }
  const Stream& stream() const { return stream_; }

 private:
  TensorView Commit(const std::function<TensorView(Arena*)>& allocate);
  void Copy(const TensorView& from, const TensorView& to);

  Stream stream_;
  std::vector<std::unique_ptr<Arena>> arenas_;
};

// How large the cases are. The defaults suit gpusim, where one event of
// attention costs some milliseconds; counts per step do not depend on `steps`.
struct GpuSizes {
  int steps = 8;
  int rows = 64;
};

// The recurrent layers, in the form that the stream's options ask for, and the
// operations around them.
std::vector<GpuCase> RecurrentCases(const GpuSizes& sizes, GpuArrays* arrays);
std::vector<GpuCase> OtherCases(const GpuSizes& sizes, GpuArrays* arrays);

}  // namespace continuo::bench

#endif  // CONTINUO_BENCH_GPU_CASES_H_
