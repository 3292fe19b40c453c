// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_track.h"

#include <algorithm>

#include "data/notes/midi/midi_event_reader.h"
#include "data/notes/midi/midi_scan.h"

namespace continuo {
namespace {

class MagentaTrack : MidiEventReader<MidiRules::kMagenta> {
 public:
  MagentaTrack(const MidiTrackBytes& track, MidiParse* parse)
      : MidiEventReader(
            track, track.end != nullptr ? track.end : track.file_end, parse) {}

  absl::Status Parse(MidiTrackResult* result);
};

absl::Status MagentaTrack::Parse(MidiTrackResult* result) {
  if (p_ == track_.end) return Error("a track without events");
  while (p_ != track_.end) {
    if (CommonEvent()) continue;
    if (absl::Status s = Event(); !s.ok()) return s;
  }
  builder_.EndTrack();
  result->next = p_;
  result->end_tick = static_cast<uint32_t>(tick_);
  result->has_end = end_event_ == p_;
  return absl::OkStatus();
}

class LenientTrack : MidiEventReader<MidiRules::kLenient> {
 public:
  LenientTrack(const MidiTrackBytes& track, MidiParse* parse)
      : LenientTrack(track, parse,
                     track.end != nullptr &&
                         IsMidiChunkBoundary(track.end, track.file_end)) {}

  absl::Status Parse(MidiTrackResult* result);

 private:
  LenientTrack(const MidiTrackBytes& track, MidiParse* parse, bool sure_end)
      : MidiEventReader(track, sure_end ? track.end : track.file_end, parse),
        sure_end_(sure_end),
        look_ahead_(parse->look_ahead) {}

  MidiWalk Walk(const uint8_t* from, uint8_t running) {
    const MidiWalk walk = WalkMidiEvents(from, limit_, running);
    look_ahead_ -= walk.p - from + 1;
    return walk;
  }
  // Inside a chunk whose size is believed, four letters are not enough.
  bool IsNextTrack() const {
    return sure_end_ ? IsWholeMidiTrack(p_, track_.file_end)
                     : IsMidiTrackHeader(p_, track_.file_end);
  }
  bool GoesOnBehindClaimedEnd();
  bool GoesOnBehindEndEvent();
  // Passes over damage ahead of the first note to the next event that the rest
  // of the track follows in order.
  bool Resynchronize();
  // Decides where a track ends that could not be read further than event_.
  void Cut(const absl::Status& status, MidiTrackResult* result);
  void Finish(MidiTrackResult* result);

  const bool sure_end_;  // the chunk header's size is believed
  int64_t& look_ahead_;
};

absl::Status LenientTrack::Parse(MidiTrackResult* result) {
  for (;;) {
    if (p_ == limit_) break;
    if (IsNextTrack()) break;
    if (!sure_end_ && p_ == track_.end && !GoesOnBehindClaimedEnd()) break;
    event_ = p_;
    event_tick_ = tick_;
    ++num_events_;
    if (!ignore_delta_ && CommonEvent()) continue;
    const absl::Status status = Event();
    if (status.ok()) {
      if (!ended_) continue;
      if (!GoesOnBehindEndEvent()) break;
      ended_ = false;
      continue;
    }
    if (trouble_ == Trouble::kNone && num_signs_ == 0) return status;
    if (num_signs_ == 0 && !has_notes_ && Resynchronize()) {
      result->front_damage = status;
      continue;
    }
    Cut(status, result);
    break;
  }
  Finish(result);
  return absl::OkStatus();
}

// A size that falls between two events may be too small, or be right in a track
// that lacks its end, with something else after it.
bool LenientTrack::GoesOnBehindClaimedEnd() {
  if (look_ahead_ <= 0) return false;
  const MidiWalk walk = Walk(p_, running_);
  switch (walk.stop) {
    case MidiWalk::Stop::kEndOfTrack:
      return true;
    case MidiWalk::Stop::kLimit:
    case MidiWalk::Stop::kTrackHeader:
      return walk.has_status;  // text and zeros have none
    case MidiWalk::Stop::kDamage:
      break;
  }
  return p_ == track_.begin && walk.num_events > 0;
}

// Magenta also reads what follows in a chunk whose size is right.
bool LenientTrack::GoesOnBehindEndEvent() {
  if (p_ == limit_ || !sure_end_ || look_ahead_ <= 0 ||
      IsMidiTrackHeader(p_, track_.file_end)) {
    return false;
  }
  const MidiWalk walk = Walk(p_, running_);
  return walk.stop == MidiWalk::Stop::kLimit ||
         walk.stop == MidiWalk::Stop::kEndOfTrack;
}

bool LenientTrack::Resynchronize() {
  for (const uint8_t* from = event_ + 1; from < limit_; ++from) {
    if (look_ahead_ <= 0) return false;
    const MidiWalk walk = Walk(from, 0);
    if (walk.stop != MidiWalk::Stop::kEndOfTrack ||
        !IsMidiChunkBoundary(walk.p, track_.file_end)) {
      continue;
    }
    faults_.Add(MidiFault::kDamagedFront);
    p_ = from;
    tick_ = event_tick_;
    running_ = 0;
    ignore_delta_ = true;
    trouble_ = Trouble::kNone;
    return true;
  }
  return false;
}

void LenientTrack::Cut(const absl::Status& status, MidiTrackResult* result) {
  const bool file_ends = trouble_ == Trouble::kCut && !sure_end_;
  p_ = event_;
  if (trouble_ != Trouble::kCut) tick_ = event_tick_;
  if (mark_ != nullptr && !file_ends &&
      num_events_ - last_sign_ <= kNearEvents) {
    builder_.ReturnTo(*mark_);
    p_ = mark_event_;
    tick_ = mark_tick_;
  }
  result->damage = status;
  if (!file_ends) result->lost_bytes = limit_ - p_;
  faults_.Add(file_ends ? MidiFault::kCutTrack : MidiFault::kDamagedTrack);
}

void LenientTrack::Finish(MidiTrackResult* result) {
  // Between two events, but ahead of the claimed end.
  if (p_ == limit_ && !ended_ && track_.end == nullptr && result->damage.ok()) {
    result->damage = Truncated();
    faults_.Add(MidiFault::kCutTrack);
  }
  if (result->damage.ok()) {
    builder_.EndTrack();
  } else {
    builder_.CutTrack(static_cast<uint32_t>(tick_));
  }
  result->end_tick = static_cast<uint32_t>(tick_);
  result->has_end = ended_;
  if (IsMidiTrackHeader(p_, track_.file_end)) {
    result->next = p_;
  } else if (sure_end_) {
    result->next = track_.end;
  } else {
    result->next = FindMidiTrackHeader(p_, track_.file_end);
  }
  if (!result->damage.ok()) {
    result->lost_bytes = std::min(result->lost_bytes, result->next - p_);
  } else if (sure_end_ && result->next == track_.end && p_ < track_.end) {
    faults_.Add(MidiFault::kBehindEnd);
  } else if (p_ != track_.end) {
    faults_.Add(MidiFault::kTrackSize);
  }
}

}  // namespace

absl::Status ParseMidiTrack(const MidiTrackBytes& track, MidiRules rules,
                            MidiParse* parse, MidiTrackResult* result) {
  *result = {};
  parse->builder->StartTrack();
  return rules == MidiRules::kMagenta
             ? MagentaTrack(track, parse).Parse(result)
             : LenientTrack(track, parse).Parse(result);
}

}  // namespace continuo
