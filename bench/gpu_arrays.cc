// SPDX-License-Identifier: Apache-2.0

#include "bench/gpu_cases.h"
#include "kernels/lstm/lstm.h"
#include "runtime/base/log.h"
#include "runtime/device/device_copy.h"

namespace continuo::bench {

TensorView GpuArrays::Commit(
    const std::function<TensorView(Arena*)>& allocate) {
  auto arena = std::make_unique<Arena>(stream_.device);
  allocate(arena.get());
  CONTINUO_CHECK(arena->Commit().ok());
  const TensorView view = allocate(arena.get());
  arenas_.push_back(std::move(arena));
  return view;
}

void GpuArrays::Copy(const TensorView& from, const TensorView& to) {
  CONTINUO_CHECK(CopyAndWait(stream_, from, to).ok());
}

TensorView GpuArrays::Floats(Shape shape, float scale) {
  std::vector<float> values = UniformArray(shape.num_elements());
  for (float& value : values) value *= 2 * scale;
  const TensorView view = Allocate<float>(shape);
  Copy(TensorView(values.data(), shape), view);
  return view;
}

TensorView GpuArrays::Gates(Shape shape) {
  if (GateType(stream_) == DType::kFloat32) return Floats(shape);
  return Allocate<Bfloat16>(shape);  // zeros
}

}  // namespace continuo::bench
