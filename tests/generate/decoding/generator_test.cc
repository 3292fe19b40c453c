// SPDX-License-Identifier: Apache-2.0

#include "generate/decoding/generator.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "data/events/encoder_table.h"
#include "gtest/gtest.h"
#include "models/network/event_rnn_decoder.h"
#include "models/network/network.h"

namespace continuo {
namespace {

// A small attention network with random weights.
struct Model {
  explicit Model(int threads = 1)
      : pool(threads),
        encoder(MakeEventEncoder({.encoding = Encoding::kKeyMelody,
                                  .min_note = 48,
                                  .max_note = 84,
                                  .transpose_to_key = 0})) {
    Hparams hparams;
    hparams.rnn_layer_sizes = {12, 9};
    hparams.attn_length = 5;
    rnn = *EventRnn::Create(MakeNetworkSpec(*encoder, hparams),
                            {.device = {}, .pool = &pool});
    std::vector<float> weights(rnn->flat_size());
    InitializeParameters(rnn->parameters(), 11, absl::MakeSpan(weights));
    // Larger weights than the initial ones make distributions uneven.
    for (float& weight : weights) weight *= 3;
    CONTINUO_CHECK(rnn->SetWeights(weights).ok());
  }

  ThreadPool pool;
  std::unique_ptr<EventEncoder> encoder;
  std::unique_ptr<EventRnn> rnn;
};

std::vector<EventResult> Generate(const Model& model,
                                  const std::vector<EventRequest>& requests,
                                  const SearchOptions& options, uint64_t seed,
                                  int max_rows) {
  std::vector<EventResult> results(requests.size());
  GenerateHooks hooks;
  hooks.done = [&](int64_t index, EventResult result) {
    EXPECT_TRUE(results[index].events.empty());
    results[index] = std::move(result);
    return absl::OkStatus();
  };
  const absl::Status status =
      GenerateEvents(*model.rnn, *model.encoder, requests, options,
                     SeededUniformSource(seed), max_rows, hooks);
  EXPECT_TRUE(status.ok()) << status;
  return results;
}

void ExpectSameStart(const std::vector<EventResult>& a,
                     const std::vector<EventResult>& b) {
  ASSERT_LE(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].events, b[i].events) << i;
    EXPECT_EQ(a[i].log_likelihood, b[i].log_likelihood) << i;
  }
}

// Requests of different primers and lengths.
std::vector<EventRequest> MixedRequests() {
  std::vector<EventRequest> requests;
  for (uint64_t output = 0; output < 9; ++output) {
    std::vector<Event> primer = {60, -2, 62, -1, -2, 67};
    primer.resize(1 + output % 4);
    if (output == 8) primer[0] = 48;
    requests.push_back(
        {.primer = primer,
         .num_events = static_cast<int64_t>(3 + 5 * (output % 3)),
         .output = output});
  }
  return requests;
}

// ln p of every class after `events`, the whole sequence fed to a network of
// its own.
std::vector<double> LogSoftmax(const Model& model,
                               const std::vector<Event>& events,
                               double temperature) {
  auto decoder = *EventRnnDecoder::Create(model.rnn.get(), 1);
  CONTINUO_CHECK(decoder->Reset(1).ok());
  std::vector<float> logits(model.encoder->num_classes());
  for (int i = 0; i < static_cast<int>(events.size()); ++i) {
    SparseRows rows;
    CONTINUO_CHECK(model.encoder->EncodeInputs(events, i, i + 1, &rows).ok());
    CONTINUO_CHECK(decoder->Step(rows, absl::MakeSpan(logits)).ok());
  }
  double total = 0;
  for (float logit : logits) total += std::exp(logit / temperature);
  std::vector<double> log_p;
  for (float logit : logits) {
    log_p.push_back(logit / temperature - std::log(total));
  }
  return log_p;
}

// The search by its definition, one hypothesis after the other.
EventResult SlowSearch(const Model& model, const EventRequest& request,
                       const SearchOptions& options,
                       const UniformSource& uniforms) {
  double primer_score = 0;
  for (size_t i = 1; i < request.primer.size(); ++i) {
    int64_t label = 0;
    CONTINUO_CHECK(model.encoder
                       ->EncodeLabel(request.primer, static_cast<int>(i),
                                     absl::MakeSpan(&label, 1))
                       .ok());
    const std::vector<Event> before(request.primer.begin(),
                                    request.primer.begin() + i);
    primer_score +=
        LogSoftmax(model, before, options.sampling.temperature)[label];
  }
  std::vector<EventResult> beam(options.beam_size,
                                {request.primer, primer_score});
  int64_t done = 0;
  int64_t steps = (request.num_events - 1) % options.steps_per_iteration + 1;
  while (done < request.num_events) {
    const auto best_first = [](const EventResult& a, const EventResult& b) {
      return a.log_likelihood > b.log_likelihood;
    };
    if (done > 0) {
      std::stable_sort(beam.begin(), beam.end(), best_first);
      beam.resize(options.beam_size);
    }
    const std::vector<EventResult> kept = beam;
    for (int copy = 1; copy < options.branch_factor; ++copy) {
      beam.insert(beam.end(), kept.begin(), kept.end());
    }
    for (int64_t step = 0; step < steps; ++step, ++done) {
      for (size_t i = 0; i < beam.size(); ++i) {
        const std::vector<double> log_p =
            LogSoftmax(model, beam[i].events, options.sampling.temperature);
        const double u = uniforms.Draw({.output = request.output,
                                        .step = done,
                                        .hypothesis = static_cast<int>(i)});
        double sum = 0;
        int64_t label = 0;
        for (; label + 1 < static_cast<int64_t>(log_p.size()); ++label) {
          sum += std::exp(log_p[label]);
          if (sum > u) break;
        }
        beam[i].log_likelihood += log_p[label];
        beam[i].events.push_back(model.encoder->DecodeLabel(
            absl::MakeConstSpan(&label, 1), beam[i].events));
      }
    }
    steps = options.steps_per_iteration;
  }
  size_t best = 0;
  for (size_t i = 1; i < beam.size(); ++i) {
    if (beam[i].log_likelihood > beam[best].log_likelihood) best = i;
  }
  return beam[best];
}

TEST(GeneratorTest, SearchEqualsOneEntryAtATime) {
  const Model model;
  for (const SearchOptions& options :
       {SearchOptions{},
        SearchOptions{.sampling = {.temperature = 0.7}, .beam_size = 2},
        SearchOptions{.branch_factor = 3, .steps_per_iteration = 2},
        SearchOptions{
            .beam_size = 3, .branch_factor = 2, .steps_per_iteration = 4}}) {
    for (const EventRequest& request :
         {EventRequest{{60}, 1, 0}, EventRequest{{60, -2, 62}, 9, 5}}) {
      SCOPED_TRACE(::testing::Message()
                   << options.beam_size << " " << options.branch_factor << " "
                   << options.steps_per_iteration << " events "
                   << request.num_events);
      const EventResult want =
          SlowSearch(model, request, options, SeededUniformSource(21));
      const EventResult found = Generate(model, {request}, options, 21, 100)[0];
      EXPECT_EQ(found.events, want.events);
      EXPECT_NEAR(found.log_likelihood, want.log_likelihood, 1e-9);
    }
  }
}

TEST(GeneratorTest, BatchingDoesNotChangeResults) {
  const Model model;
  const std::vector<EventRequest> requests = MixedRequests();
  for (const SearchOptions& options :
       {SearchOptions{},
        SearchOptions{
            .beam_size = 2, .branch_factor = 2, .steps_per_iteration = 3}}) {
    const auto all = Generate(model, requests, options, 4, 1000);
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(all[i].events.size(),
                requests[i].primer.size() + requests[i].num_events);
    }
    for (int max_rows : {1, 3, 8}) {
      SCOPED_TRACE(max_rows);
      ExpectSameStart(Generate(model, requests, options, 4, max_rows), all);
    }
  }
}

TEST(GeneratorTest, ThreadsDoNotChangeResults) {
  const Model one(1);
  const Model three(3);
  std::vector<EventRequest> requests;
  for (uint64_t output = 0; output < 150; ++output) {
    requests.push_back({.primer = {60, -2}, .num_events = 6, .output = output});
  }
  ExpectSameStart(Generate(one, requests, {}, 8, 1000),
                  Generate(three, requests, {}, 8, 1000));
}

TEST(GeneratorTest, OutputsDoNotDependOnTheirNumber) {
  const Model model;
  std::vector<EventRequest> requests;
  for (uint64_t output = 0; output < 50; ++output) {
    requests.push_back({.primer = {60}, .num_events = 10, .output = output});
  }
  const auto fifty = Generate(model, requests, {}, 2, 1000);
  requests.resize(5);
  ExpectSameStart(Generate(model, requests, {}, 2, 1000), fifty);
  std::set<std::vector<Event>> different;
  for (const EventResult& result : fifty) different.insert(result.events);
  EXPECT_GT(different.size(), 45);
  EXPECT_NE(Generate(model, requests, {}, 3, 1000)[0].events, fifty[0].events);
}

TEST(GeneratorTest, TopKOfOneIsGreedyWhateverTheSeed) {
  const Model model;
  const EventRequest request{.primer = {60}, .num_events = 12};
  const auto a = Generate(model, {request}, {.sampling = {.top_k = 1}}, 1, 1);
  const auto b = Generate(model, {request}, {.sampling = {.top_k = 1}}, 2, 1);
  ExpectSameStart(a, b);
  const auto cold =
      Generate(model, {request}, {.sampling = {.temperature = 1e-4}}, 3, 1);
  EXPECT_EQ(cold[0].events, a[0].events);
}

TEST(GeneratorTest, StopLeavesLaterRequestsUndone) {
  const Model model;
  std::vector<int64_t> finished;
  std::vector<int64_t> progress;
  GenerateHooks hooks;
  hooks.done = [&](int64_t index, EventResult) {
    finished.push_back(index);
    return absl::OkStatus();
  };
  hooks.progress = [&](int64_t events) { progress.push_back(events); };
  hooks.stop = [&] { return !finished.empty(); };
  const std::vector<EventRequest> requests(
      7, EventRequest{.primer = {60}, .num_events = 4});
  ASSERT_TRUE(GenerateEvents(*model.rnn, *model.encoder, requests, {},
                             SeededUniformSource(1), 3, hooks)
                  .ok());
  EXPECT_EQ(finished, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(progress, (std::vector<int64_t>{3, 6, 9, 12}));
}

TEST(GeneratorTest, ErrorOfTheReceiverEndsTheRun) {
  const Model model;
  GenerateHooks hooks;
  hooks.done = [](int64_t, EventResult) {
    return absl::ResourceExhaustedError("disk full");
  };
  const std::vector<EventRequest> requests(
      2, EventRequest{.primer = {60}, .num_events = 1});
  const absl::Status status =
      GenerateEvents(*model.rnn, *model.encoder, requests, {},
                     SeededUniformSource(1), 1, hooks);
  EXPECT_EQ(status.message(), "disk full");
}

TEST(GeneratorTest, RequestsAndOptionsAreChecked) {
  const Model model;
  const auto run = [&](EventRequest request, SearchOptions options) {
    GenerateHooks hooks;
    hooks.done = [](int64_t, EventResult) { return absl::OkStatus(); };
    return GenerateEvents(*model.rnn, *model.encoder, {request}, options,
                          SeededUniformSource(1), 8, hooks);
  };
  EXPECT_TRUE(run({{60}, 1, 0}, {}).ok());
  EXPECT_FALSE(run({{}, 1, 0}, {}).ok());
  EXPECT_FALSE(run({{60}, 0, 0}, {}).ok());
  EXPECT_FALSE(run({{20}, 1, 0}, {}).ok());      // outside the model's range
  EXPECT_FALSE(run({{60, 20}, 1, 0}, {}).ok());  // as a label
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [options, field] :
       {std::pair(SearchOptions{.sampling = {.temperature = 0}}, "temperature"),
        {SearchOptions{.sampling = {.temperature = -1}}, "temperature"},
        {SearchOptions{.sampling = {.temperature = nan}}, "temperature"},
        {SearchOptions{.beam_size = 0}, "beam_size"},
        {SearchOptions{.branch_factor = 0}, "branch_factor"},
        {SearchOptions{.steps_per_iteration = 0}, "steps_per_iteration"},
        {SearchOptions{.beam_size = 1 << 20, .branch_factor = 1 << 20},
         "beam_size"},
        {SearchOptions{.sampling = {.top_k = -1}}, "top_k"},
        {SearchOptions{.sampling = {.top_p = 0}}, "top_p"},
        {SearchOptions{.sampling = {.top_p = 1.5}}, "top_p"}}) {
    const absl::Status status = run({{60}, 1, 0}, options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message().find(absl::StrCat("`", field, "`")), 0)
        << status;
  }
}

TEST(GeneratorTest, DivergedWeightsAreReported) {
  Model model;
  std::vector<float> weights(model.rnn->flat_size(),
                             std::numeric_limits<float>::quiet_NaN());
  ASSERT_TRUE(model.rnn->SetWeights(weights).ok());
  GenerateHooks hooks;
  const absl::Status status =
      GenerateEvents(*model.rnn, *model.encoder,
                     {EventRequest{.primer = {60}, .num_events = 1}}, {},
                     SeededUniformSource(1), 1, hooks);
  EXPECT_NE(status.message().find("diverged"), std::string::npos) << status;
}

TEST(SeededUniformSourceTest, EveryPositionHasItsOwnNumber) {
  const SeededUniformSource uniforms(9);
  std::set<double> seen;
  int count = 0;
  for (uint64_t output : {0, 1, 2}) {
    for (int64_t step : {0, 1, 1000000}) {
      for (int hypothesis : {0, 1, 65535}) {
        for (int head : {0, 5}) {
          const double u = uniforms.Draw({output, step, hypothesis, head});
          EXPECT_TRUE(u >= 0 && u < 1);
          seen.insert(u);
          ++count;
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), count);
}

}  // namespace
}  // namespace continuo
