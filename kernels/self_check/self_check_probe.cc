// SPDX-License-Identifier: Apache-2.0

#include "kernels/self_check/self_check_probe.h"

#include <cstring>

#include "kernels/gemm/gemm.h"
#include "kernels/lstm/lstm.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"
#include "runtime/device/device_copy.h"

namespace continuo {
namespace {

// Bfloat16 nearest to a float (ties away from zero: no probe is near one).
Bfloat16 Narrow(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return {static_cast<uint16_t>((bits + 0x8000) >> 16)};
}

float Widen(Bfloat16 value) {
  const uint32_t bits = uint32_t{value.bits} << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof(wide));
  return wide;
}

template <typename T>
absl::Status ReadAs(const Stream& stream, const TensorView& view,
                    std::vector<double>* values) {
  std::vector<T> read(view.num_elements());
  CONTINUO_RETURN_IF_ERROR(
      CopyAndWait(stream, view, TensorView(read.data(), view.shape)));
  for (const T& value : read) {
    if constexpr (std::is_same_v<T, Bfloat16>) {
      values->push_back(Widen(value));
    } else {
      values->push_back(static_cast<double>(value));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<float> ProbeValues(int64_t count, uint64_t seed, double scale) {
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i) {
    // No other user of this purpose has such a stream.
    values[i] = static_cast<float>(
        scale *
        (2 * RandomDouble(seed, RandomPurpose::kPartition, ~0u, i) - 1));
  }
  return values;
}

TensorView ProbeRun::RandomGates(Shape shape, uint64_t seed, double scale) {
  const std::vector<float> values =
      ProbeValues(shape.num_elements(), seed, scale);
  if (GateType(stream_) == DType::kFloat32) return Put(values, shape);
  std::vector<Bfloat16> narrow;
  for (float value : values) narrow.push_back(Narrow(value));
  return Put(narrow, shape);
}

TensorView ProbeRun::NewGates(Shape shape) {
  return GateType(stream_) == DType::kFloat32 ? New<float>(shape)
                                              : New<Bfloat16>(shape);
}

TensorView ProbeRun::Packed(int64_t rows, int64_t columns, uint64_t seed,
                            double scale, bool transpose) {
  const TensorView matrix = Random({rows, columns}, seed, scale);
  const TensorView packed =
      New<float>({transpose ? PackedSize(stream_, columns, rows)
                            : PackedSize(stream_, rows, columns)});
  Keep(PackMatrix(
      stream_, {.matrix = matrix, .transpose = transpose, .packed = packed}));
  return packed;
}

RaggedLayout ProbeRun::MakeRaggedLayout(const std::vector<int>& lengths) {
  std::vector<int32_t>& batch_sizes = host_.emplace_back();
  std::vector<int32_t>& step_begin = host_.emplace_back(1, 0);
  for (int t = 0; t < lengths[0]; ++t) {
    int32_t rows = 0;
    for (int length : lengths) rows += length > t;
    batch_sizes.push_back(rows);
    step_begin.push_back(step_begin.back() + rows);
  }
  return {.batch_sizes = Put(batch_sizes),
          .step_begin = Put(step_begin),
          .rows = static_cast<int64_t>(lengths.size()),
          .host_batch_sizes = batch_sizes.data(),
          .host_step_begin = step_begin.data()};
}

absl::Status ProbeRun::Read(std::vector<std::vector<double>>* values) {
  values->clear();
  Keep(Synchronize(stream_));
  for (const TensorView& view : outputs_) {
    if (!status_.ok()) break;
    std::vector<double>* const read = &values->emplace_back();
    switch (view.dtype) {
      case DType::kFloat32:
        Keep(ReadAs<float>(stream_, view, read));
        break;
      case DType::kFloat64:
        Keep(ReadAs<double>(stream_, view, read));
        break;
      case DType::kInt32:
        Keep(ReadAs<int32_t>(stream_, view, read));
        break;
      case DType::kInt64:
        Keep(ReadAs<int64_t>(stream_, view, read));
        break;
      case DType::kUint64:
        Keep(ReadAs<uint64_t>(stream_, view, read));
        break;
      case DType::kBfloat16:
        Keep(ReadAs<Bfloat16>(stream_, view, read));
        break;
    }
  }
  return status_;
}

void ProbeRun::Copy(const TensorView& from, const TensorView& to) {
  Keep(CopyAndWait(stream_, from, to));
}

void ProbeRun::Spoil(const TensorView& view) {
  const std::vector<uint8_t> bytes(view.num_elements() * DTypeSize(view.dtype),
                                   0xff);
  Keep(CopyBytes(stream_, bytes.data(), view.raw,
                 static_cast<int64_t>(bytes.size())));
  Keep(Synchronize(stream_));
}

}  // namespace continuo
