// SPDX-License-Identifier: Apache-2.0

// The beam search over sampled events, for many requests in one batch.
//
// Every hypothesis of every request is a row of one EventRnnDecoder: all
// outputs of a run advance together, one event per step. A request's result
// depends on the request, the options, its draws and the weights alone.

#ifndef CONTINUO_GENERATE_DECODING_GENERATOR_H_
#define CONTINUO_GENERATE_DECODING_GENERATOR_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "data/events/encoding/event_encoder.h"
#include "generate/decoding/uniform_source.h"
#include "kernels/decoding/sampling.h"
#include "models/network/event_rnn.h"

namespace continuo {

// How to search; the defaults are those of Magenta and plain sampling.
struct SearchOptions {
  SamplingParams sampling = {};
  int beam_size = 1;            // hypotheses kept at a pruning
  int branch_factor = 1;        // copies of each hypothesis per iteration
  int steps_per_iteration = 1;  // events between prunings
};

// Hypotheses of one search at most: enough for any search worth its time, few
// enough that a typo cannot exhaust memory.
inline constexpr int64_t kMaxHypotheses = 65536;

// InvalidArgument names the field ("temperature", ...) that is out of range.
absl::Status CheckSearchOptions(const SearchOptions& options);

// One sequence to continue.
struct EventRequest {
  std::vector<Event> primer;  // at least one event
  int64_t num_events = 0;     // events to add, >= 1
  uint64_t output = 0;        // DrawPosition::output of its draws
  // Asked after each event, where a search has one hypothesis only: true ends
  // it with fewer events. (Hypotheses of a beam are compared at equal lengths.)
  std::function<bool(absl::Span<const Event> events)> enough = nullptr;
};

struct EventResult {
  std::vector<Event> events;  // primer and generated events
  // Sum of ln p, under the tempered softmax, of all events but the first.
  double log_likelihood = 0;
};

// A trace of a search, for tests against Magenta: steps and prunings of the
// first request, in order.
struct SearchTrace {
  struct Step {
    std::vector<int64_t> choice;        // [hypotheses * heads]
    std::vector<double> log_p;          // [hypotheses]
    std::vector<double> probabilities;  // [hypotheses * classes]
  };
  struct Pruning {
    std::vector<double> scores;  // [hypotheses]
    std::vector<int32_t> kept;   // best first; one at the end of the search
  };
  std::vector<Step> steps;
  std::vector<Pruning> prunings;
};

// Callbacks for progress and results.
struct GenerateHooks {
  // Takes the result of request `index` as soon as it is known. Requests that
  // end at the same step arrive in their order.
  std::function<absl::Status(int64_t index, EventResult result)> done;
  // Called after each step with the events generated so far, all requests
  // together (events of hypotheses that are pruned later do not count).
  std::function<void(int64_t events)> progress;
  // Asked before requests are started; true leaves the rest undone.
  std::function<bool()> stop;
  SearchTrace* trace = nullptr;
};

// Where the loop over events runs.
enum class GenerateLoop {
  kAuto,    // on the stream's device where that is a GPU and the encoder allows
  kHost,    // on the host, which waits for the device at every event
  kDevice,  // on the device; only for encoders with EventEncoder::InputFeedback
};

inline constexpr int kChunkSteps = 32;

struct LoopOptions {
  GenerateLoop loop = GenerateLoop::kAuto;
  // Events between two waits for the device; 0 = kChunkSteps, or the length of
  // the attention window, so that a recorded chunk fits all later ones.
  // Requests that find they have enough leave the batch then.
  int chunk_steps = 0;
};

// Continues all requests. At most `max_rows` hypotheses (but at least those of
// one request) are in the batch at once; requests beyond that wait in line.
// InvalidArgument for an empty primer, num_events < 1, options out of range, an
// event that the encoder cannot encode, or weights that have diverged. No
// result depends on `loop`.
absl::Status GenerateEvents(const EventRnn& rnn, const EventEncoder& encoder,
                            absl::Span<const EventRequest> requests,
                            const SearchOptions& options,
                            const UniformSource& uniforms, int max_rows,
                            const GenerateHooks& hooks,
                            const LoopOptions& loop = {});

}  // namespace continuo

#endif  // CONTINUO_GENERATE_DECODING_GENERATOR_H_
