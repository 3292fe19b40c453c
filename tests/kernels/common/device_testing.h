// SPDX-License-Identifier: Apache-2.0

// One test body for every form of an operation: the CPU, and CUDA at each
// precision. For *_gpu_test.cc, which only builds with CUDA have.

#ifndef CONTINUO_TESTS_KERNELS_COMMON_DEVICE_TESTING_H_
#define CONTINUO_TESTS_KERNELS_COMMON_DEVICE_TESTING_H_

#include <cuda_runtime.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/gemm/gemm.h"
#include "runtime/device/device.h"
#include "runtime/device/device_copy.h"
#include "tests/kernels/common/kernel_testing.h"

namespace continuo::testing {

struct Form {
  const char* name;
  DeviceType device;
  Precision precision;
};
inline constexpr Form kForms[] = {
    {"Cpu", DeviceType::kCpu, Precision::kFp32},
    {"CudaFp32", DeviceType::kCuda, Precision::kFp32},
    {"CudaTf32", DeviceType::kCuda, Precision::kTf32},
    {"CudaBf16", DeviceType::kCuda, Precision::kBf16}};
// For operations without products, where precision changes nothing.
inline constexpr Form kFp32Forms[] = {kForms[0], kForms[1]};

inline std::string FormName(const ::testing::TestParamInfo<Form>& info) {
  return info.param.name;
}

// An array on the device of a stream, filled from the host or left unwritten
// (which gpusim takes note of).
template <typename T>
class DeviceArray {
 public:
  DeviceArray(const Stream& stream, int64_t size)
      : stream_(stream), size_(size) {
    if (stream_.device.type == DeviceType::kCpu) {
      host_.assign(size + 1, T{});
    } else {
      EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&memory_),
                           (size + 1) * sizeof(T)),
                cudaSuccess);
    }
  }
  template <typename Values>
  DeviceArray(const Stream& stream, const Values& values)
      : DeviceArray(stream, static_cast<int64_t>(values.size())) {
    EXPECT_TRUE(
        CopyBytes(stream_, values.data(), data(), size_ * sizeof(T)).ok());
    EXPECT_TRUE(Synchronize(stream_).ok());
  }
  DeviceArray(DeviceArray&& other)
      : stream_(other.stream_),
        size_(other.size_),
        host_(std::move(other.host_)),
        memory_(std::exchange(other.memory_, nullptr)) {}
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() {
    if (memory_ != nullptr) cudaFree(memory_);
  }

  T* data() { return memory_ != nullptr ? memory_ : host_.data(); }
  int64_t size() const { return size_; }
  TensorView vector() { return TensorView(data(), {size_}); }
  TensorView matrix(int64_t columns) {
    return TensorView(data(), {size_ / columns, columns});
  }
  TensorView view(Shape shape) { return TensorView(data(), shape); }

  // What it holds when all work on the stream is done.
  std::vector<T> Read() {
    std::vector<T> values(size_);
    EXPECT_TRUE(
        CopyBytes(stream_, data(), values.data(), size_ * sizeof(T)).ok());
    const absl::Status status = Synchronize(stream_);
    EXPECT_TRUE(status.ok()) << status;
    return values;
  }

 private:
  Stream stream_;
  int64_t size_;
  std::vector<T, AlignedAllocator<T>> host_;
  T* memory_ = nullptr;
};

// A float rounded to bfloat16, to nearest even, and back.
inline float RoundToBfloat16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  bits += 0x7fff + ((bits >> 16) & 1);
  bits &= 0xffff0000u;
  std::memcpy(&x, &bits, sizeof(bits));
  return x;
}

// An array of floats that the operations take as float or bfloat16.
class GateArray {
 public:
  GateArray(const Stream& stream, DType dtype, int64_t size) {
    if (dtype == DType::kBfloat16) {
      narrow_.emplace(stream, size);
    } else {
      wide_.emplace(stream, size);
    }
  }
  GateArray(const Stream& stream, DType dtype, const Floats& values) {
    if (dtype == DType::kFloat32) {
      wide_.emplace(stream, values);
      return;
    }
    std::vector<Bfloat16> rounded;
    for (float value : values) {
      const float near = RoundToBfloat16(value);
      uint32_t bits;
      std::memcpy(&bits, &near, sizeof(bits));
      rounded.push_back({static_cast<uint16_t>(bits >> 16)});
    }
    narrow_.emplace(stream, rounded);
  }
  TensorView matrix(int64_t columns) {
    return narrow_.has_value() ? narrow_->matrix(columns)
                               : wide_->matrix(columns);
  }
  std::vector<float> Read() {
    if (wide_.has_value()) return wide_->Read();
    std::vector<float> values;
    for (Bfloat16 value : narrow_->Read()) {
      const uint32_t bits = uint32_t{value.bits} << 16;
      float x;
      std::memcpy(&x, &bits, sizeof(bits));
      values.push_back(x);
    }
    return values;
  }

 private:
  std::optional<DeviceArray<float>> wide_;
  std::optional<DeviceArray<Bfloat16>> narrow_;
};

// The matrix [*, columns] (with `transpose`, its transpose) packed.
inline DeviceArray<float> PackOn(const Stream& stream, const Floats& matrix,
                                 int64_t columns, bool transpose = false) {
  const int64_t rows = static_cast<int64_t>(matrix.size()) / columns;
  DeviceArray<float> plain(stream, matrix);
  DeviceArray<float> packed(stream, transpose
                                        ? PackedSize(stream, columns, rows)
                                        : PackedSize(stream, rows, columns));
  EXPECT_TRUE(PackMatrix(stream, {.matrix = plain.matrix(columns),
                                  .transpose = transpose,
                                  .packed = packed.vector()})
                  .ok());
  EXPECT_TRUE(Synchronize(stream).ok());
  return packed;
}

// Opens the stream of its form, or skips the test where there is no device.
class FormTest : public ::testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    Device device;
    device.type = GetParam().device;
    if (device.type == DeviceType::kCuda) {
      const auto count = CountCudaDevices();
      if (!count.ok()) GTEST_SKIP() << count.status().message();
    }
    auto owned =
        OwnedStream::Open(device, {.precision = GetParam().precision}, &pool_);
    ASSERT_TRUE(owned.ok()) << owned.status();
    owned_ = *owned;
  }
  const Stream& stream() const { return owned_.stream(); }
  bool on_gpu() const { return stream().device.type == DeviceType::kCuda; }
  // By precision; the CPU's is that of fp32.
  double Tolerance(double fp32, double tf32, double bf16) const {
    switch (GetParam().precision) {
      case Precision::kFp32:
        break;
      case Precision::kTf32:
        return tf32;
      case Precision::kBf16:
        return bf16;
    }
    return fp32;
  }

  template <typename Values>
  auto Put(const Values& values) const {
    return DeviceArray<typename Values::value_type>(stream(), values);
  }
  DeviceArray<float> NewFloats(int64_t size) const {
    return DeviceArray<float>(stream(), size);
  }
  DeviceArray<float> Pack(const Floats& matrix, int64_t columns,
                          bool transpose = false) const {
    return PackOn(stream(), matrix, columns, transpose);
  }

 private:
  ThreadPool pool_{2};
  OwnedStream owned_;
};

// A TestRaggedLayout on the device of a stream.
struct DeviceRaggedLayout {
  DeviceRaggedLayout(const Stream& stream, const TestRaggedLayout& from)
      : host(from.view()),
        batch_sizes(stream, from.batch_sizes),
        step_begin(stream, from.step_begin) {}
  RaggedLayout view() {
    RaggedLayout ragged = host;
    ragged.batch_sizes = batch_sizes.vector();
    ragged.step_begin = step_begin.vector();
    return ragged;
  }
  RaggedLayout host;
  DeviceArray<int32_t> batch_sizes;
  DeviceArray<int32_t> step_begin;
};

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_KERNELS_COMMON_DEVICE_TESTING_H_
