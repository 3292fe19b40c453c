// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_sequence.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_bars.h"
#include "data/notes/musicxml/musicxml_limits.h"
#include "data/notes/musicxml/musicxml_playback_order.h"
#include "data/notes/musicxml/musicxml_ties.h"
#include "data/notes/musicxml/musicxml_timeline.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

constexpr double kDefaultQpm = 120;

// The tempos of a written measure.
struct MeasureTempos {
  double at_start = kDefaultQpm;
  std::vector<std::pair<Ticks, double>> within = {};  // ascending
};

// One tempo in each place: <sound> before metronome marks, then that of the
// first part.
std::vector<MeasureTempos> ResolveTempos(const WrittenScore& score) {
  std::vector<MeasureTempos> resolved;
  resolved.reserve(score.measures.size());
  double qpm = kDefaultQpm;
  for (const WrittenMeasure& measure : score.measures) {
    MeasureTempos tempos{.at_start = qpm};
    std::vector<WrittenTempo> marks = measure.tempos;
    std::stable_sort(marks.begin(), marks.end(),
                     [](const WrittenTempo& a, const WrittenTempo& b) {
                       if (a.start != b.start) return a.start < b.start;
                       return a.is_sound && !b.is_sound;
                     });
    Ticks last = -1;
    for (const WrittenTempo& mark : marks) {
      if (mark.start == last) continue;
      last = mark.start;
      // Factors must not take a tempo out of the range of single marks.
      qpm =
          mark.is_factor ? std::clamp(qpm * mark.value, 0.01, 1e6) : mark.value;
      tempos.within.emplace_back(mark.start, qpm);
    }
    resolved.push_back(std::move(tempos));
  }
  return resolved;
}

int64_t Cost(const WrittenMeasure& measure) {
  size_t cost =
      1 + measure.tempos.size() + measure.keys.size() + measure.meters.size();
  for (const WrittenPartMeasure& part : measure.parts) {
    cost += 1 + part.notes.size() + part.symbols.size();
  }
  return static_cast<int64_t>(cost);
}

std::vector<int> Order(const WrittenScore& score, ReadReport* report) {
  std::vector<const MeasureMarks*> marks;
  std::vector<int64_t> costs;
  for (const WrittenMeasure& measure : score.measures) {
    marks.push_back(&measure.marks);
    costs.push_back(Cost(measure));
  }
  return PlaybackOrder(marks, costs, kMaxPlayedEvents, report);
}

class Performance {
 public:
  Performance(const WrittenScore& score, NoteSequence* sequence,
              ReadReport* report)
      : score_(score),
        sequence_(*sequence),
        report_(*report),
        bars_(MeasureBars(score)),
        timeline_(score.ticks_per_quarter) {}

  absl::Status Play() {
    CONTINUO_RETURN_IF_ERROR(LayOut());
    AddTempos();
    AddMeters();
    AddKeys();
    AddNotes();
    AddSymbols();
    return absl::OkStatus();
  }

 private:
  // Sets the measures' times and the tempos.
  absl::Status LayOut() {
    // Far beyond kMaxScoreSeconds for any usual tempo.
    constexpr Ticks kMaxTicks = Ticks{1} << 52;
    const std::vector<MeasureTempos> tempos = ResolveTempos(score_);
    Ticks time = 0;
    for (const int index : Order(score_, &report_)) {
      played_.push_back({index, time});
      const Ticks length = bars_[index].length;
      timeline_.SetTempo(time, tempos[index].at_start);
      for (const auto& [start, qpm] : tempos[index].within) {
        timeline_.SetTempo(time + std::min(start, length), qpm);
      }
      time += length;
      if (time > kMaxTicks) return CheckScoreTime(2 * kMaxScoreSeconds);
    }
    const double seconds = timeline_.Seconds(time);
    sequence_.set_total_time(seconds);
    return CheckScoreTime(seconds);
  }

  void AddTempos() {
    for (const Timeline::Segment& segment : timeline_.segments()) {
      NoteSequence::Tempo* tempo = sequence_.add_tempos();
      tempo->set_time(segment.seconds);
      tempo->set_qpm(segment.qpm);
    }
  }

  void AddMeters() {
    for (const TimedMeter& timed : PlayedMeters(score_, bars_, played_)) {
      NoteSequence::TimeSignature* signature = sequence_.add_time_signatures();
      signature->set_time(timeline_.Seconds(timed.time));
      signature->set_numerator(timed.meter.numerator);
      signature->set_denominator(timed.meter.denominator);
    }
  }

  void AddKey(Ticks time, const WrittenKey& key) {
    const int count = sequence_.key_signatures_size();
    if (count > 0) {
      const auto& last = sequence_.key_signatures(count - 1);
      if (last.key() == key.key && last.mode() == key.mode) return;
    }
    NoteSequence::KeySignature* signature = sequence_.add_key_signatures();
    signature->set_time(timeline_.Seconds(time));
    signature->set_key(key.key);
    signature->set_mode(key.mode);
  }

  void AddKeys() {
    // In force at the start of each written measure.
    std::vector<const WrittenKey*> in_force(score_.measures.size());
    const WrittenKey* key = nullptr;
    for (size_t i = 0; i < score_.measures.size(); ++i) {
      in_force[i] = key;
      if (!score_.measures[i].keys.empty()) {
        key = &score_.measures[i].keys.back();
      }
    }
    for (const PlayedMeasure& played : played_) {
      const auto& keys = score_.measures[played.index].keys;
      const bool starts_with_key = !keys.empty() && keys[0].start == 0;
      if (!starts_with_key && in_force[played.index] != nullptr) {
        AddKey(played.start, *in_force[played.index]);
      }
      for (const WrittenKey& change : keys) {
        AddKey(
            played.start + std::min(change.start, bars_[played.index].length),
            change);
      }
    }
  }

  void AddNotes() {
    std::vector<PlayedNote> notes;
    TieJoiner ties(score_.ticks_per_quarter);
    for (size_t i = 0; i < played_.size(); ++i) {
      const Ticks start = played_[i].start;
      ties.BeginMeasure(i > 0 && played_[i].index <= played_[i - 1].index);
      for (const auto& part : score_.measures[played_[i].index].parts) {
        for (const WrittenNote& note : part.notes) {
          ties.Add({.part = part.part,
                    .start = start + note.start,
                    .end = start + note.start + note.duration,
                    .written = &note},
                   &notes);
        }
      }
    }
    if (ties.guessed() > 0) {
      report_.Warn("a tie whose end is not marked, led to the next note",
                   ties.guessed());
    }
    if (ties.unjoined() > 0) {
      report_.Warn("a tie from no note, read as a new note", ties.unjoined());
    }
    std::stable_sort(notes.begin(), notes.end(),
                     [](const PlayedNote& a, const PlayedNote& b) {
                       return a.part < b.part;
                     });
    sequence_.mutable_notes()->Reserve(static_cast<int>(notes.size()));
    for (const PlayedNote& note : notes) AddNote(note);
  }

  void AddNote(const PlayedNote& played) {
    const WrittenNote& written = *played.written;
    NoteSequence::Note* note = sequence_.add_notes();
    note->set_part(played.part);
    note->set_instrument(played.part);
    note->set_voice(written.voice);
    note->set_program(written.program);
    note->set_is_drum(written.is_drum);
    note->set_pitch(written.pitch);
    note->set_velocity(written.velocity);
    note->set_start_time(timeline_.Seconds(played.start));
    note->set_end_time(timeline_.Seconds(played.end));
    const int64_t whole = 4 * score_.ticks_per_quarter;
    const int64_t length = played.end - played.start;
    const int64_t divisor = std::gcd(length, whole);
    note->set_denominator(1);
    if (length / divisor <= std::numeric_limits<int>::max()) {
      note->set_numerator(static_cast<int>(length / divisor));
      note->set_denominator(static_cast<int>(whole / divisor));
    }
  }

  void AddSymbols() {
    // Parts repeat each other's.
    absl::flat_hash_set<std::pair<Ticks, absl::string_view>> added;
    for (const PlayedMeasure& played : played_) {
      for (const auto& part : score_.measures[played.index].parts) {
        for (const WrittenSymbol& symbol : part.symbols) {
          const Ticks time =
              played.start + std::min(symbol.start, bars_[played.index].length);
          if (!added.emplace(time, symbol.text).second) continue;
          NoteSequence::TextAnnotation* annotation =
              sequence_.add_text_annotations();
          annotation->set_time(timeline_.Seconds(time));
          annotation->set_text(symbol.text);
          annotation->set_annotation_type(
              NoteSequence::TextAnnotation::CHORD_SYMBOL);
        }
      }
    }
  }

  const WrittenScore& score_;
  NoteSequence& sequence_;
  ReadReport& report_;
  const std::vector<Bar> bars_;
  std::vector<PlayedMeasure> played_;
  Timeline timeline_;
};

}  // namespace

absl::Status AddPlayedScore(const WrittenScore& score, NoteSequence* sequence,
                            ReadReport* report) {
  return Performance(score, sequence, report).Play();
}

}  // namespace continuo
