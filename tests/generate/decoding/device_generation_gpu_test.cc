// SPDX-License-Identifier: Apache-2.0

// Generation on CUDA against generation on the CPU: the same events, and
// log-likelihoods within 1e-5, for small networks of every configuration.

#include <limits>

#include "bench/gpu_calls.h"
#include "generate/decoding/device_decode_loop.h"
#include "models/network/event_rnn_decoder.h"
#include "tests/generate/decoding/generation_testing.h"

namespace continuo {
namespace {

using testing::GenerateAll;
using testing::SmallModel;

constexpr int kMaxRows = 100;

class DeviceGenerationTest
    : public ::testing::TestWithParam<const ModelConfig*> {
 protected:
  void SetUp() override {
    const auto count = CountCudaDevices();
    if (!count.ok()) GTEST_SKIP() << count.status().message();
    auto owned = OwnedStream::Open({.type = DeviceType::kCuda}, {}, &pool_);
    ASSERT_TRUE(owned.ok()) << owned.status();
    owned_ = *owned;
    cpu_ = std::make_unique<SmallModel>(*GetParam(), HostStream(stream()));
    cuda_ = std::make_unique<SmallModel>(*GetParam(), stream());
  }
  const Stream& stream() const { return owned_.stream(); }

  void ExpectSame(const std::vector<EventRequest>& requests,
                  const SearchOptions& options, int max_rows,
                  const LoopOptions& loop) {
    const SeededUniformSource uniforms(5);
    const auto want =
        GenerateAll(*cpu_, requests, options, uniforms, max_rows, {});
    const auto got =
        GenerateAll(*cuda_, requests, options, uniforms, max_rows, loop);
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(got[i].events, want[i].events) << i;
      EXPECT_NEAR(got[i].log_likelihood, want[i].log_likelihood,
                  1e-5 * std::max(1.0, -want[i].log_likelihood))
          << i;
    }
  }

  ThreadPool pool_{1};
  OwnedStream owned_;
  std::unique_ptr<SmallModel> cpu_;
  std::unique_ptr<SmallModel> cuda_;
};
std::string ConfigName(
    const ::testing::TestParamInfo<const ModelConfig*>& info) {
  return info.param->name;
}

std::vector<const ModelConfig*> ConfigsNamed(
    const std::vector<std::string>& names) {
  std::vector<const ModelConfig*> configs;
  for (const ModelConfig* config : testing::AllConfigs()) {
    if (std::find(names.begin(), names.end(), config->name) != names.end()) {
      configs.push_back(config);
    }
  }
  CONTINUO_CHECK(configs.size() == names.size());
  return configs;
}

INSTANTIATE_TEST_SUITE_P(Configs, DeviceGenerationTest,
                         ::testing::ValuesIn(testing::AllConfigs()),
                         ConfigName);

TEST_P(DeviceGenerationTest, EqualsTheCpu) {
  const auto requests = testing::MixedRequests(*cpu_->encoder, 5, 9);
  for (const SearchOptions& options : testing::VariedSearches()) {
    SCOPED_TRACE(::testing::Message()
                 << options.beam_size << " " << options.branch_factor);
    ExpectSame(requests, options, kMaxRows, {.chunk_steps = 6});
  }
}

TEST_P(DeviceGenerationTest, LimitsOfTheBatchDoNotMatter) {
  auto requests = testing::MixedRequests(*cpu_->encoder, 7, 6);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].enough = [i](absl::Span<const Event> events) {
      return events.size() >= 3 + i;
    };
  }
  ExpectSame(requests, {}, 3, {.chunk_steps = 4});
  ExpectSame(requests, {}, 3, {.loop = GenerateLoop::kHost});
}

TEST_P(DeviceGenerationTest, DivergedWeightsAreReported) {
  const std::vector<float> weights(cuda_->rnn->flat_size(),
                                   std::numeric_limits<float>::quiet_NaN());
  ASSERT_TRUE(cuda_->rnn->SetWeights(weights).ok());
  GenerateHooks hooks;
  hooks.done = [](int64_t, EventResult) { return absl::OkStatus(); };
  for (const SearchOptions& options :
       {SearchOptions{}, SearchOptions{.beam_size = 2}}) {
    const absl::Status status =
        GenerateEvents(*cuda_->rnn, *cuda_->encoder,
                       testing::MixedRequests(*cuda_->encoder, 3, 4), options,
                       SeededUniformSource(1), kMaxRows, hooks);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_NE(status.message().find("diverged"), std::string::npos) << status;
  }
}

TEST_P(DeviceGenerationTest, TheHostWaitsOncePerChunk) {
  const bool on_device = cpu_->encoder->InputFeedback().has_value();
  std::vector<EventRequest> requests(
      2, {.primer = {cpu_->encoder->default_event()}, .num_events = 24});
  const auto waits = [&](const LoopOptions& loop) {
    bench::TakeGpuCalls();
    GenerateAll(*cuda_, requests, {}, SeededUniformSource(5), kMaxRows, loop);
    return bench::TakeGpuCalls().waits;
  };
  // The beginning waits for what it uploads; then every wait is a chunk's.
  const int64_t one_chunk = waits({.chunk_steps = 24});
  EXPECT_EQ(waits({.chunk_steps = 4}), one_chunk + (on_device ? 5 : 0));
  EXPECT_LT(one_chunk, on_device ? 10 : 40);
}

// Long runs launch recorded chunks, whatever the chunk and the window.
class RecordedGenerationTest : public DeviceGenerationTest {};
INSTANTIATE_TEST_SUITE_P(Configs, RecordedGenerationTest,
                         ::testing::ValuesIn(ConfigsNamed(
                             {"basic_rnn", "attention_rnn", "drum_kit",
                              "performance_with_dynamics_and_note_encoding"})),
                         ConfigName);

TEST_P(RecordedGenerationTest, EqualsTheCpu) {
  const Event first = cpu_->encoder->default_event();
  const std::vector<EventRequest> requests = {
      {.primer = {first}, .num_events = 33},
      {.primer = {first}, .num_events = 22, .output = 1}};
  const SeededUniformSource uniforms(5);
  for (const auto& [chunk, options] :
       {std::pair(4, SearchOptions{}),
        std::pair(5, SearchOptions{.beam_size = 2})}) {
    SCOPED_TRACE(chunk);
    const auto want =
        GenerateAll(*cpu_, requests, options, uniforms, kMaxRows, {});
    GenerateHooks hooks;
    hooks.done = [&](int64_t index, EventResult result) {
      EXPECT_EQ(result.events, want[index].events) << index;
      return absl::OkStatus();
    };
    const auto decoder = *EventRnnDecoder::Create(cuda_->rnn.get(), 4);
    const auto loop = *DeviceDecodeLoop::Create(
        decoder.get(), stream(), *cuda_->encoder, requests, options, uniforms,
        hooks, /*max_rows=*/4, chunk);
    for (int run = 0; run < 3; ++run) ASSERT_TRUE(loop->Run(0, 2, 0).ok());
    EXPECT_GE(loop->recorded_chunks(), 6);
  }
}

}  // namespace
}  // namespace continuo
