// SPDX-License-Identifier: Apache-2.0

// The CUDA runtime: memory, copies, events, graphs, errors.

#include <cuda_runtime.h>

#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/device/arena.h"
#include "runtime/device/cuda_status.h"
#include "runtime/device/device.h"
#include "runtime/device/device_copy.h"
#include "runtime/device/graph.h"
#include "runtime/device/stream_event.h"

namespace continuo {
namespace {

constexpr int64_t kSize = 1000;

class CudaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
    first_ = *OwnedStream::Open(device_, {}, nullptr);
    second_ = *OwnedStream::Open(device_, {}, nullptr);
  }
  // `size` integers in an arena of their own.
  TensorView New(MemoryKind kind, int64_t size = kSize) {
    arenas_.push_back(std::make_unique<Arena>(device_, kind));
    arenas_.back()->Allocate<int32_t>("test", {size});
    EXPECT_TRUE(arenas_.back()->Commit().ok());
    return arenas_.back()->Allocate<int32_t>("test", {size});
  }
  absl::Status Put(const Stream& stream, const TensorView& from,
                   const TensorView& to) {
    return CopyBytes(stream, from.raw, to.raw,
                     from.num_elements() * int64_t{sizeof(int32_t)});
  }

  const Device device_ = {DeviceType::kCuda, 0};
  OwnedStream first_, second_;
  std::vector<std::unique_ptr<Arena>> arenas_;
};

TEST_F(CudaTest, ArenasHoldZeros) {
  const TensorView device = New(MemoryKind::kDevice);
  const TensorView pinned = New(MemoryKind::kPinned);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(device.raw) % 256, 0u);
  std::vector<int32_t> read(kSize, 7);
  ASSERT_TRUE(
      CopyAndWait(first_.stream(), device, TensorView(read.data(), {kSize}))
          .ok());
  for (int64_t i = 0; i < kSize; ++i) {
    EXPECT_EQ(read[i], 0);
    EXPECT_EQ(pinned.data<int32_t>()[i], 0);
  }
}

TEST_F(CudaTest, EventOrdersTwoStreams) {
  const TensorView source = New(MemoryKind::kPinned);
  const TensorView device = New(MemoryKind::kDevice);
  const TensorView result = New(MemoryKind::kPinned);
  for (int64_t i = 0; i < kSize; ++i) {
    source.data<int32_t>()[i] = static_cast<int32_t>(3 * i + 1);
  }
  ASSERT_TRUE(Put(first_.stream(), source, device).ok());
  const auto written = StreamEvent::Record(first_.stream());
  ASSERT_TRUE(written.ok() && written->MakeWait(second_.stream()).ok());
  ASSERT_TRUE(Put(second_.stream(), device, result).ok());
  const auto read = StreamEvent::Record(second_.stream());
  ASSERT_TRUE(read.ok() && read->Wait().ok());
  for (int64_t i = 0; i < kSize; ++i) {
    ASSERT_EQ(result.data<int32_t>()[i], 3 * i + 1);
  }
  EXPECT_GE(*read->SecondsSince(*written), 0.0);
}

TEST_F(CudaTest, GraphRepeatsWhatWasRecorded) {
  const TensorView source = New(MemoryKind::kPinned);
  const TensorView device = New(MemoryKind::kDevice);
  const TensorView result = New(MemoryKind::kPinned);
  const Stream& stream = first_.stream();
  const auto graph = Graph::Capture(stream, [&] {
    const absl::Status status = Put(stream, source, device);
    return status.ok() ? Put(stream, device, result) : status;
  });
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_TRUE(Synchronize(stream).ok());
  EXPECT_EQ(result.data<int32_t>()[1], 0);  // nothing has run
  for (int32_t round = 1; round < 4; ++round) {
    source.data<int32_t>()[1] = round;
    ASSERT_TRUE(graph->Launch(stream).ok());
    ASSERT_TRUE(Synchronize(stream).ok());
    EXPECT_EQ(result.data<int32_t>()[1], round);
  }
}

TEST_F(CudaTest, FailedRecordingIsAnErrorAndLeavesTheStreamUsable) {
  const Stream& stream = first_.stream();
  const auto graph = Graph::Capture(
      stream, [] { return absl::InvalidArgumentError("no such layer"); });
  EXPECT_EQ(graph.status().message(), "no such layer");
  const TensorView device = New(MemoryKind::kDevice);
  const TensorView pinned = New(MemoryKind::kPinned);
  EXPECT_TRUE(CopyAndWait(stream, pinned, device).ok());
}

TEST_F(CudaTest, TooMuchMemoryIsExhausted) {
  Arena arena(device_);
  arena.Allocate<float>("everything", {int64_t{1} << 50});
  const absl::Status status = arena.Commit();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("cuda:0"), std::string::npos) << status;
}

TEST(CudaStatusTest, NamesTheCallAndTheReason) {
  EXPECT_TRUE(CudaStatus(cudaSuccess, "f()").ok());
  const absl::Status status =
      CudaStatus(cudaErrorInvalidValue, "cudaMemcpy(a, b)");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StartsWith(status.message(), "cudaMemcpy: ")) << status;
  EXPECT_EQ(CudaStatus(cudaErrorMemoryAllocation, "f").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(CudaStatus(CUBLAS_STATUS_ALLOC_FAILED, "f").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(CudaStatus(CUDNN_STATUS_BAD_PARAM, "f").ok());
}

}  // namespace
}  // namespace continuo
