// SPDX-License-Identifier: Apache-2.0

// Requests to Magenta's bundles: with its uniform draws everything it chose,
// scored, pruned and wrote must follow (golden family "generation"). One body
// for all devices.

#ifndef CONTINUO_TESTS_GENERATE_DECODING_GENERATION_GOLDEN_H_
#define CONTINUO_TESTS_GENERATE_DECODING_GENERATION_GOLDEN_H_

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "data/events/drums/drums.h"
#include "generate/decoding/generator.h"
#include "generate/model/load_model.h"
#include "generate/requests/drums_continuation.h"
#include "generate/requests/melody_continuation.h"
#include "generate/requests/performance_continuation.h"
#include "generate/requests/performance_controls.h"
#include "generate/requests/sections.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "models/checkpoint/bundle.h"
#include "runtime/files/file.h"
#include "tests/data/events/encoding/golden_events.h"
#include "tests/testing/golden.h"
#include "tests/testing/npy.h"

namespace continuo::testing {

using google::protobuf::util::MessageDifferencer;
using tensorflow::magenta::GeneratorOptions;
using tensorflow::magenta::NoteSequence;

// Magenta's numbers: step by step, batch by batch, the last batch filled up
// with copies of the last hypothesis that draw too.
class ListedUniformSource : public UniformSource {
 public:
  ListedUniformSource(std::vector<double> u, int64_t first_step, int64_t stride)
      : u_(std::move(u)), first_step_(first_step), stride_(stride) {}
  double Draw(const DrawPosition& position) const override {
    return u_.at((first_step_ + position.step) * stride_ + position.hypothesis);
  }

 private:
  std::vector<double> u_;
  int64_t first_step_;  // steps of earlier calls
  int64_t stride_;      // draws of one step
};

template <typename Message>
Message MustParse(const std::string& path) {
  Message message;
  CONTINUO_CHECK(message.ParseFromString(MustRead(path)));
  return message;
}

inline void ExpectTrace(const SearchTrace& trace, const nlohmann::json& golden,
                        int64_t hypotheses, int64_t stride) {
  const auto& choice = golden["choice"];
  const auto& p = golden["p"];
  ASSERT_EQ(trace.steps.size() * stride, choice.size());
  for (size_t step = 0; step < trace.steps.size(); ++step) {
    for (int64_t i = 0; i < hypotheses; ++i) {
      const size_t draw = step * stride + i;
      ASSERT_EQ(trace.steps[step].choice[i], choice[draw].get<int64_t>())
          << "draw " << draw;
      EXPECT_NEAR(std::exp(trace.steps[step].log_p[i]), p[draw].get<double>(),
                  2e-5);
    }
  }
  ASSERT_EQ(trace.prunings.size(), golden["prunes"].size());
  for (size_t i = 0; i < trace.prunings.size(); ++i) {
    const SearchTrace::Pruning& pruning = trace.prunings[i];
    const auto& want = golden["prunes"][i];
    EXPECT_EQ(pruning.kept, want["kept"].get<std::vector<int32_t>>());
    const std::vector<double> scores = want["scores"];
    ASSERT_EQ(pruning.scores.size(), scores.size());
    for (size_t k = 0; k < scores.size(); ++k) {
      EXPECT_NEAR(pruning.scores[k], scores[k], 1e-4 * std::abs(scores[k]));
    }
  }
}

// The last batch of a step is filled up with hypotheses that we do not compute.
inline void ExpectSoftmax(const SearchTrace& trace, const std::string& path,
                          int64_t hypotheses, int64_t stride) {
  const NpyArray golden = MustReadNpy(path);
  const int64_t classes = golden.shape[1];
  ASSERT_LE(golden.shape[0], static_cast<int64_t>(trace.steps.size()) * stride);
  for (int64_t draw = 0; draw < golden.shape[0]; ++draw) {
    const auto& probabilities = trace.steps[draw / stride].probabilities;
    ASSERT_EQ(static_cast<int64_t>(probabilities.size()), hypotheses * classes);
    const int64_t hypothesis = draw % stride;
    if (hypothesis >= hypotheses) continue;
    for (int64_t c = 0; c < classes; ++c) {
      ASSERT_NEAR(probabilities[hypothesis * classes + c],
                  golden.floats[draw * classes + c], 2e-5)
          << "draw " << draw << " class " << c;
    }
  }
}

inline absl::StatusOr<std::unique_ptr<Continuation>> MakeContinuation(
    const NoteSequence& primer, const GeneratorOptions& options,
    const ModelConfig& config, std::unique_ptr<EventEncoder>* encoder) {
  switch (config.family) {
    case Family::kMelody:
      return MakeMelodyContinuation(primer, options, config);
    case Family::kDrums:
      return MakeDrumsContinuation(primer, options, config);
    case Family::kPerformance:
      break;
  }
  const absl::StatusOr<RequestedControls> controls = ControlsFromArgs(options);
  if (!controls.ok()) return controls.status();
  auto continuation = MakePerformanceContinuation(primer, options, config,
                                                  MeanDensity(*controls));
  if (!continuation.ok()) return continuation.status();
  *encoder = MakeEventEncoder(
      config.encoding, std::make_shared<ControlSchedule>(MakeControlSchedule(
                           *controls, (*continuation)->total_steps())));
  return *std::move(continuation);
}

// The golden events as the model sees them.
inline std::vector<Event> ModelEvents(const ModelConfig& config,
                                      const nlohmann::json& events) {
  if (config.family == Family::kMelody) return events;
  if (config.family == Family::kPerformance) {
    return PerformanceEventsFromJson(events);
  }
  DrumTrack track;
  track.hits = DrumHitsFromJson(events);
  return DrumTrackToEvents(DrumClassesOf(config.encoding), track);
}

// Drum notes of one step are in no particular order.
inline void SortNotes(NoteSequence* sequence) {
  std::stable_sort(sequence->mutable_notes()->begin(),
                   sequence->mutable_notes()->end(),
                   [](const auto& a, const auto& b) {
                     if (a.start_time() != b.start_time()) {
                       return a.start_time() < b.start_time();
                     }
                     return a.pitch() < b.pitch();
                   });
}

inline void RunCase(const LoadedModel& model, const std::string& path,
                    int batch, const LoopOptions& loop) {
  const nlohmann::json golden = MustReadJson(path + ".json");
  const auto options = MustParse<GeneratorOptions>(path + ".options.pb");
  // A request without control values uses the model's own encoder.
  std::unique_ptr<EventEncoder> own_encoder;
  const auto continuation =
      MakeContinuation(MustParse<NoteSequence>(path + ".primer.pb"), options,
                       model.config, &own_encoder);
  const EventEncoder& encoder =
      own_encoder != nullptr ? *own_encoder : *model.encoder;
  if (golden.contains("error")) {
    EXPECT_FALSE(continuation.ok());
    EXPECT_FALSE(continuation.status().message().empty());
    return;
  }
  ASSERT_TRUE(continuation.ok()) << continuation.status();
  const SearchOptions search = SearchOptionsFromArgs(options);
  const int64_t hypotheses = search.beam_size * search.branch_factor;
  const int64_t stride = (hypotheses + batch - 1) / batch * batch;
  SearchTrace trace;
  std::vector<Event> events = (*continuation)->primer();
  // One call, or several where the music's length in time counts.
  for (const nlohmann::json& call : golden["model_calls"]) {
    const EventRequest request{.primer = events,
                               .num_events = (*continuation)->Missing(events),
                               .output = 0};
    EXPECT_EQ(request.primer, ModelEvents(model.config, call["primer_events"]));
    ASSERT_EQ(static_cast<int64_t>(request.primer.size()) + request.num_events,
              call["num_steps"].get<int64_t>());
    const ListedUniformSource uniforms(golden["u"].get<std::vector<double>>(),
                                       static_cast<int64_t>(trace.steps.size()),
                                       stride);
    SearchTrace call_trace;
    GenerateHooks hooks;
    hooks.trace = &call_trace;
    hooks.done = [&](int64_t, EventResult value) {
      events = std::move(value.events);
      return absl::OkStatus();
    };
    const absl::Status status = GenerateEvents(
        *model.rnn, encoder, {request}, search, uniforms, 1, hooks, loop);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(events, ModelEvents(model.config, call["output_events"]));
    trace.steps.insert(trace.steps.end(), call_trace.steps.begin(),
                       call_trace.steps.end());
    trace.prunings.insert(trace.prunings.end(), call_trace.prunings.begin(),
                          call_trace.prunings.end());
  }
  ExpectTrace(trace, golden, hypotheses, stride);
  const std::string softmax = path + ".softmax.npy";
  if (FileExists(softmax)) ExpectSoftmax(trace, softmax, hypotheses, stride);

  auto sequence = (*continuation)->Finish(events);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  auto want = MustParse<NoteSequence>(path + ".out.pb");
  if (model.config.family == Family::kDrums) {
    SortNotes(&*sequence);
    SortNotes(&want);
  }
  EXPECT_TRUE(MessageDifferencer::Equals(*sequence, want))
      << sequence->DebugString() << "expected\n"
      << want.DebugString();
}

inline Family FamilyOfBundle(const std::string& path) {
  const auto bundle = ReadBundle(path);
  CONTINUO_CHECK(bundle.ok());
  for (Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const ModelConfig& config : Configs(family)) {
      if (config.id == bundle->id) return family;
    }
  }
  ADD_FAILURE() << path << ": unknown generator " << bundle->id;
  return Family::kMelody;
}

// All requests to all bundles, on a stream.
inline void ExpectGoldenGeneration(const Stream& stream,
                                   const LoopOptions& loop) {
  const std::string root = GoldenDir("generation");
  int cases = 0;
  for (const std::string& name : ListFolders(root)) {
    const std::string bundle = GoldenDir("bundles/" + name + ".mag");
    ModelSource source;
    source.bundle_file = bundle;
    const auto model = LoadModel(source, FamilyOfBundle(bundle), stream);
    ASSERT_TRUE(model.ok()) << model.status();
    LoopOptions own_loop = loop;
    if (!model->encoder->InputFeedback().has_value()) {
      own_loop.loop = GenerateLoop::kAuto;
    }
    const int batch = MustReadJson(
        GoldenDir("bundles/" + name + ".json"))["hparams"]["batch_size"];
    const std::string folder = root + "/" + name;
    for (const std::string& file : ListFiles(folder, ".options.pb")) {
      const std::string stem =
          file.substr(0, file.size() - std::string(".options.pb").size());
      SCOPED_TRACE(name + "/" + stem);
      RunCase(*model, folder + "/" + stem, batch, own_loop);
      ++cases;
    }
  }
  std::cout << cases << " requests\n";
  if (cases == 0 && GoldenDirIsForeign()) GTEST_SKIP();
  EXPECT_GT(cases, 0) << "no request in " << root;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_GENERATE_DECODING_GENERATION_GOLDEN_H_
