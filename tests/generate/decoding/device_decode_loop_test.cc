// SPDX-License-Identifier: Apache-2.0

// The loop on the device gives what the loop on the host gives, bit for bit,
// here on the CPU as the device.

#include "generate/decoding/device_decode_loop.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "tests/generate/decoding/generation_testing.h"

namespace continuo {
namespace {

using testing::AllConfigs;
using testing::GenerateAll;
using testing::SmallModel;

constexpr LoopOptions kHostLoop{.loop = GenerateLoop::kHost};

LoopOptions DeviceLoop(int chunk_steps) {
  return {.loop = GenerateLoop::kDevice, .chunk_steps = chunk_steps};
}

void ExpectSame(const std::vector<EventResult>& a,
                const std::vector<EventResult>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].events, b[i].events) << i;
    EXPECT_EQ(a[i].log_likelihood, b[i].log_likelihood) << i;
  }
}

// Draws that no device can make by itself.
class OddUniformSource : public UniformSource {
 public:
  double Draw(const DrawPosition& position) const override {
    return seeded_.Draw(position);
  }

 private:
  SeededUniformSource seeded_{5};
};

TEST(DeviceDecodeLoopTest, EqualsTheHostsLoopForEveryEncoding) {
  ThreadPool pool(2);
  int configs = 0;
  for (const ModelConfig* config : AllConfigs()) {
    SCOPED_TRACE(config->name);
    const SmallModel model(*config, {.device = {}, .pool = &pool});
    if (!model.encoder->InputFeedback().has_value()) continue;
    ++configs;
    const auto requests = testing::MixedRequests(*model.encoder, 9, 40);
    for (const SearchOptions& options : testing::VariedSearches()) {
      SCOPED_TRACE(::testing::Message()
                   << options.beam_size << " " << options.branch_factor);
      const auto want = GenerateAll(model, requests, options,
                                    SeededUniformSource(5), 1000, kHostLoop);
      for (int chunk : {1, 3, 32}) {
        SCOPED_TRACE(chunk);
        ExpectSame(GenerateAll(model, requests, options, SeededUniformSource(5),
                               1000, DeviceLoop(chunk)),
                   want);
      }
      ExpectSame(GenerateAll(model, requests, options, OddUniformSource(), 8,
                             DeviceLoop(7)),
                 want);
    }
  }
  EXPECT_GE(configs, 8);
}

TEST(DeviceDecodeLoopTest, RequestsThatHaveEnoughEndAtOnce) {
  ThreadPool pool(1);
  const SmallModel model(*FindConfig(Family::kPerformance, "performance"),
                         {.device = {}, .pool = &pool});
  auto requests = testing::MixedRequests(*model.encoder, 12, 40);
  for (size_t i = 0; i < requests.size(); ++i) {
    const size_t length = 3 + 4 * i;
    requests[i].enough = [length](absl::Span<const Event> events) {
      return events.size() >= length;
    };
  }
  const auto run = [&](const LoopOptions& loop, std::vector<int64_t>* order,
                       std::vector<int64_t>* progress) {
    std::vector<EventResult> results(requests.size());
    GenerateHooks hooks;
    hooks.done = [&](int64_t index, EventResult result) {
      order->push_back(index);
      results[index] = std::move(result);
      return absl::OkStatus();
    };
    hooks.progress = [&](int64_t events) { progress->push_back(events); };
    EXPECT_TRUE(GenerateEvents(*model.rnn, *model.encoder, requests, {},
                               SeededUniformSource(2), 7, hooks, loop)
                    .ok());
    return results;
  };
  std::vector<int64_t> want_order, want_progress;
  const auto want = run(kHostLoop, &want_order, &want_progress);
  EXPECT_LT(want[0].events.size(),
            requests[0].primer.size() + requests[0].num_events);
  for (int chunk : {1, 4, 32}) {
    SCOPED_TRACE(chunk);
    std::vector<int64_t> order, progress;
    ExpectSame(run(DeviceLoop(chunk), &order, &progress), want);
    EXPECT_EQ(order, want_order);
    EXPECT_EQ(progress, want_progress);
  }
}

class DeviceWaveTraceTest : public ::testing::TestWithParam<SearchOptions> {};
INSTANTIATE_TEST_SUITE_P(Searches, DeviceWaveTraceTest,
                         ::testing::Values(SearchOptions{},
                                           SearchOptions{.beam_size = 2,
                                                         .branch_factor = 2}));

TEST_P(DeviceWaveTraceTest, IsTheHosts) {
  ThreadPool pool(1);
  const SmallModel model(*FindConfig(Family::kMelody, "attention_rnn"),
                         {.device = {}, .pool = &pool});
  auto requests = testing::MixedRequests(*model.encoder, 4, 12);
  // The first one starts last, beside some that leave before it ends.
  std::reverse(requests.begin(), requests.end());
  for (EventRequest& request : requests) request.num_events = 12;
  requests.back().enough = [](absl::Span<const Event> events) {
    return events.size() == 6;
  };
  const auto run = [&](const LoopOptions& loop) {
    SearchTrace trace;
    GenerateHooks hooks;
    hooks.trace = &trace;
    hooks.done = [](int64_t, EventResult) { return absl::OkStatus(); };
    EXPECT_TRUE(GenerateEvents(*model.rnn, *model.encoder, requests, GetParam(),
                               SeededUniformSource(2), 100, hooks, loop)
                    .ok());
    return trace;
  };
  const SearchTrace want = run(kHostLoop);
  const SearchTrace got = run(DeviceLoop(5));
  ASSERT_EQ(got.steps.size(), want.steps.size());
  for (size_t i = 0; i < want.steps.size(); ++i) {
    EXPECT_EQ(got.steps[i].choice, want.steps[i].choice);
    EXPECT_EQ(got.steps[i].log_p, want.steps[i].log_p);
    EXPECT_EQ(got.steps[i].probabilities, want.steps[i].probabilities);
  }
  ASSERT_EQ(got.prunings.size(), want.prunings.size());
  for (size_t i = 0; i < want.prunings.size(); ++i) {
    EXPECT_EQ(got.prunings[i].scores, want.prunings[i].scores);
    EXPECT_EQ(got.prunings[i].kept, want.prunings[i].kept);
  }
}

}  // namespace
}  // namespace continuo
