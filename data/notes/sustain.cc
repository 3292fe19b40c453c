// SPDX-License-Identifier: Apache-2.0

#include "data/notes/sustain.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr int kSustainPedal = 64;
constexpr int kPedalDown = 64;  // values from here on

// In the order in which events at one time happen.
enum class Kind { kPedalDown, kPedalUp, kOnset, kEnd };

struct Moment {
  double time;
  Kind kind;
  int instrument;
  int note;  // its position in the sequence; -1 for the pedal
};

struct Instrument {
  bool pedal = false;
  // Positions of the notes struck and not yet over, by pitch.
  std::map<int, std::vector<int>> active;
};

std::vector<Moment> SortedMoments(const NoteSequence& sequence) {
  std::vector<Moment> moments;
  for (int i = 0; i < sequence.notes_size(); ++i) {
    const NoteSequence::Note& note = sequence.notes(i);
    if (note.is_drum()) continue;
    moments.push_back({note.start_time(), Kind::kOnset, note.instrument(), i});
    moments.push_back({note.end_time(), Kind::kEnd, note.instrument(), i});
  }
  for (const NoteSequence::ControlChange& change : sequence.control_changes()) {
    if (change.control_number() != kSustainPedal) continue;
    moments.push_back({change.time(),
                       change.control_value() >= kPedalDown ? Kind::kPedalDown
                                                            : Kind::kPedalUp,
                       change.instrument(), -1});
  }
  std::stable_sort(moments.begin(), moments.end(),
                   [](const Moment& a, const Moment& b) {
                     if (a.time != b.time) return a.time < b.time;
                     return a.kind < b.kind;
                   });
  return moments;
}

// Ends the notes that only the pedal held; keys still down keep sounding.
void LiftPedal(double time, NoteSequence* sequence, Instrument* instrument) {
  auto& active = instrument->active;
  for (auto it = active.begin(); it != active.end();) {
    std::vector<int>& notes = it->second;
    std::erase_if(notes, [&](int i) {
      NoteSequence::Note* note = sequence->mutable_notes(i);
      if (note->end_time() >= time) return false;
      note->set_end_time(time);
      sequence->set_total_time(std::max(sequence->total_time(), time));
      return true;
    });
    it = notes.empty() ? active.erase(it) : std::next(it);
  }
}

}  // namespace

void ApplySustain(NoteSequence* sequence) {
  const std::vector<Moment> moments = SortedMoments(*sequence);
  std::map<int, Instrument> instruments;
  std::vector<bool> removed(static_cast<size_t>(sequence->notes_size()), false);
  for (const Moment& moment : moments) {
    Instrument& instrument = instruments[moment.instrument];
    switch (moment.kind) {
      case Kind::kPedalDown:
        instrument.pedal = true;
        break;
      case Kind::kPedalUp:
        instrument.pedal = false;
        LiftPedal(moment.time, sequence, &instrument);
        break;
      case Kind::kOnset: {
        auto& active = instrument.active[sequence->notes(moment.note).pitch()];
        if (instrument.pedal) {
          for (int i : active) {
            NoteSequence::Note* note = sequence->mutable_notes(i);
            note->set_end_time(moment.time);
            if (note->start_time() == note->end_time()) removed[i] = true;
          }
          active.clear();
        }
        active.push_back(moment.note);
        break;
      }
      case Kind::kEnd: {
        if (instrument.pedal) break;
        auto& active = instrument.active[sequence->notes(moment.note).pitch()];
        const auto found = std::find(active.begin(), active.end(), moment.note);
        if (found != active.end()) active.erase(found);
        break;
      }
    }
  }
  for (auto& [number, instrument] : instruments) {
    for (auto& [pitch, notes] : instrument.active) {
      for (int i : notes) {
        sequence->mutable_notes(i)->set_end_time(moments.back().time);
        sequence->set_total_time(moments.back().time);
      }
    }
  }
  int kept = 0;
  for (int i = 0; i < sequence->notes_size(); ++i) {
    if (removed[static_cast<size_t>(i)]) continue;
    if (kept != i) sequence->mutable_notes()->SwapElements(kept, i);
    ++kept;
  }
  sequence->mutable_notes()->DeleteSubrange(kept,
                                            sequence->notes_size() - kept);
}

}  // namespace continuo
