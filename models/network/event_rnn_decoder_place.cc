// Places of a decoder, for work that is recorded.

#include <algorithm>

#include "models/network/event_rnn_decoder.h"
#include "models/network/event_rnn_decoder_state.h"
#include "runtime/base/log.h"

namespace continuo {

struct EventRnnDecoder::Place {
  std::vector<DecoderLayer> layers;  // which buffer is which
  int64_t rows = 0;
};

std::shared_ptr<const EventRnnDecoder::Place> EventRnnDecoder::place() const {
  return std::make_shared<const Place>(
      Place{.layers = state_->layers, .rows = state_->rows});
}

std::vector<int64_t> EventRnnDecoder::PlaceKey() const {
  const State& state = *state_;
  std::vector<int64_t> key = {state.rows};
  // Windows look at a step's slot, and at which slots are filled.
  const int64_t slots = state.rnn->spec().attn_length;
  if (slots > 0) {
    key.push_back(state.step < slots ? state.step : slots + state.step % slots);
  }
  for (const DecoderLayer& layer : state.layers) {
    for (const Buffered* buffered :
         {&layer.c, &layer.h, &layer.attention, &layer.window_states,
          &layer.window_projected}) {
      key.push_back(reinterpret_cast<int64_t>(buffered->now.raw));
    }
  }
  return key;
}

void EventRnnDecoder::MoveTo(const Place& place, int64_t steps) {
  CONTINUO_CHECK(state_->on_gpu());
  state_->layers = place.layers;
  state_->SetRows(place.rows);
  state_->step += steps;
}

}  // namespace continuo
