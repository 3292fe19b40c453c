// SPDX-License-Identifier: Apache-2.0

// Places of a decoder, for work that is recorded.

#include <algorithm>

#include "models/network/event_rnn_decoder.h"
#include "models/network/event_rnn_decoder_state.h"
#include "runtime/base/log.h"

namespace continuo {

struct EventRnnDecoder::Place {
  std::vector<StateTensor> states;  // which buffer is which
  int64_t rows = 0;
};

std::shared_ptr<const EventRnnDecoder::Place> EventRnnDecoder::place() const {
  return std::make_shared<const Place>(
      Place{.states = state_->states, .rows = state_->rows});
}

std::vector<int64_t> EventRnnDecoder::PlaceKey() const {
  const State& state = *state_;
  std::vector<int64_t> key = {state.rows};
  // Windows look at a step's slot, and at which slots are filled.
  const int64_t slots = state.rnn->spec().attn_length;
  if (slots > 0) {
    key.push_back(state.step < slots ? state.step : slots + state.step % slots);
  }
  for (const StateTensor& tensor : state.states) {
    key.push_back(reinterpret_cast<int64_t>(tensor.now.raw));
  }
  return key;
}

void EventRnnDecoder::MoveTo(const Place& place, int64_t steps) {
  CONTINUO_CHECK(state_->on_gpu());
  state_->states = place.states;
  state_->SetRows(place.rows);
  state_->step += steps;
}

}  // namespace continuo
