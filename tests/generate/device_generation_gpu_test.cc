// Generation on CUDA against generation on the CPU: the same events, and
// log-likelihoods within 1e-5, for small networks of every configuration.

#include "tests/generate/generation_testing.h"

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
    const SeededDraws draws(5);
    const auto want =
        GenerateAll(*cpu_, requests, options, draws, max_rows, {});
    const auto got =
        GenerateAll(*cuda_, requests, options, draws, max_rows, loop);
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
INSTANTIATE_TEST_SUITE_P(Configs, DeviceGenerationTest,
                         ::testing::ValuesIn(testing::AllConfigs()),
                         [](const auto& info) { return info.param->name; });

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

}  // namespace
}  // namespace continuo
