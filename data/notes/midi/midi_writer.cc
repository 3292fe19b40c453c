// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_writer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/defaults.h"
#include "data/notes/midi/midi_programs.h"
#include "data/notes/midi/midi_song.h"
#include "data/notes/midi/midi_tempo.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

constexpr int64_t kMaxDelta =
    0x0fffffff;  // of four bytes, the standard's limit
constexpr int kDrumChannel = 9;

// Orders of event kinds within a tick, and the sort keys within a kind, are
// those of pretty_midi: bends by value, controls by number and value, notes by
// pitch and velocity, so that a note's end (velocity 0) precedes a start.
constexpr int kBend = 7 << 16;
constexpr int kControl = 8 << 16;
constexpr int kNote = 10 << 16;
constexpr int kSortKeyBits = 20;

absl::Status CheckRange(absl::string_view field, int value, int low, int high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot be written as MIDI: ", field, " ", value,
                   " is not in ", low, "..", high));
}

// The tick of a time, for events; times before 0 count as 0.
absl::StatusOr<int64_t> TickOf(absl::string_view field, double seconds,
                               const TempoMap& map) {
  if (!std::isfinite(seconds)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot be written as MIDI: ", field, " is not a finite number"));
  }
  const double tick = map.Tick(seconds);
  if (tick >= static_cast<double>(kMaxMidiTick)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot be written as MIDI: ", field, " ", seconds,
                     " s is later than tick ", kMaxMidiTick));
  }
  return static_cast<int64_t>(tick);
}

// The bytes of one track; Finish adds the end of the track, one tick after the
// last event.
class TrackWriter {
 public:
  // Starts an event at `tick`, not before the last one.
  void Time(int64_t tick) {
    const int64_t delta = tick - tick_;
    tick_ = tick;
    if (delta > kMaxDelta) too_long_ = true;
    Number(static_cast<uint64_t>(delta));
  }
  void Meta(int type, absl::string_view data) {
    bytes_.push_back('\xff');
    bytes_.push_back(static_cast<char>(type));
    Number(data.size());
    absl::StrAppend(&bytes_, data);
    running_ = 0;
  }
  // `second` < 0 if the message has one data byte.
  void Channel(int status, int first, int second) {
    if (status != running_) bytes_.push_back(static_cast<char>(status));
    running_ = status;
    bytes_.push_back(static_cast<char>(first));
    if (second >= 0) bytes_.push_back(static_cast<char>(second));
  }
  absl::Status Finish(std::string* file);

 private:
  void Number(uint64_t value) {
    int shift = 0;
    while (value >> (shift + 7) != 0) shift += 7;
    for (; shift > 0; shift -= 7) {
      bytes_.push_back(static_cast<char>(0x80 | (value >> shift & 0x7f)));
    }
    bytes_.push_back(static_cast<char>(value & 0x7f));
  }

  std::string bytes_;
  int64_t tick_ = 0;
  int running_ = 0;
  bool too_long_ = false;
};

void AppendBigEndian(uint32_t value, int size, std::string* out) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

absl::Status TrackWriter::Finish(std::string* file) {
  Time(tick_ + 1);
  Meta(0x2f, "");
  if (too_long_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot be written as MIDI: a gap of more than ", kMaxDelta, " ticks"));
  }
  file->append("MTrk");
  AppendBigEndian(static_cast<uint32_t>(bytes_.size()), 4, file);
  file->append(bytes_);
  return absl::OkStatus();
}

// UTF-8 as Latin-1, with "?" for what it lacks.
std::string Latin1(absl::string_view utf8) {
  std::string text;
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      text.push_back(utf8[i]);
      continue;
    }
    const bool fits = (byte == 0xc2 || byte == 0xc3) && i + 1 < utf8.size();
    text.push_back(
        fits ? static_cast<char>((byte & 3) << 6 | (utf8[i + 1] & 0x3f)) : '?');
    while (i + 1 < utf8.size() && (utf8[i + 1] & 0xc0) == 0x80) ++i;
  }
  return text;
}

absl::StatusOr<TempoMap> MakeTempoMap(const NoteSequence& sequence,
                                      int resolution) {
  const NoteSequence::Tempo* initial = nullptr;
  std::vector<const NoteSequence::Tempo*> changes;
  for (const NoteSequence::Tempo& tempo : sequence.tempos()) {
    if (!std::isfinite(tempo.time()) || !std::isfinite(tempo.qpm()) ||
        tempo.qpm() <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot be written as MIDI: a tempo of ", tempo.qpm(),
                       " at ", tempo.time(), " s"));
    }
    if (initial == nullptr && tempo.time() == 0) initial = &tempo;
    changes.push_back(&tempo);
  }
  std::stable_sort(
      changes.begin(), changes.end(),
      [](const auto* a, const auto* b) { return a->time() < b->time(); });
  const double first_qpm = initial != nullptr ? initial->qpm() : kDefaultQpm;
  TempoMap map(60.0 / (first_qpm * resolution));
  for (const NoteSequence::Tempo* tempo : changes) {
    if (initial != nullptr && tempo->time() == initial->time() &&
        tempo->qpm() == initial->qpm()) {
      continue;
    }
    CONTINUO_ASSIGN_OR_RETURN(const int64_t tick,
                              TickOf("tempo.time", tempo->time(), map));
    map.Append(std::max(tick, map.segments().back().tick),
               60.0 / (resolution * tempo->qpm()));
  }
  return map;
}

struct TimingEvent {
  int64_t tick;
  int type;  // of the meta event; tempo, meter and key sort by it
  std::string data;
};

absl::Status AddTempos(const TempoMap& map, int resolution,
                       std::vector<TimingEvent>* events) {
  for (const TempoMap::Segment& segment : map.segments()) {
    const double tempo = 6e7 / (60.0 / (segment.scale * resolution));
    if (!(tempo >= 1) || tempo >= 0x1000000) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot be written as MIDI: a tempo of ", 6e7 / tempo,
                       " quarters per minute at ", segment.start,
                       " s (MIDI holds 3.58 to 60,000,000)"));
    }
    std::string data;
    AppendBigEndian(static_cast<uint32_t>(tempo), 3, &data);
    events->push_back({segment.tick, 0x51, std::move(data)});
  }
  return absl::OkStatus();
}

std::string MeterData(int numerator, int denominator) {
  int exponent = 0;
  while (1 << exponent < denominator) ++exponent;
  // 24 MIDI clocks per click, 8 thirty-seconds per quarter.
  return {static_cast<char>(numerator), static_cast<char>(exponent), 24, 8};
}

absl::Status AddMeters(const NoteSequence& sequence, const TempoMap& map,
                       std::vector<TimingEvent>* events) {
  bool has_first = false;
  for (const auto& meter : sequence.time_signatures()) {
    has_first = has_first || meter.time() <= 0;
    CONTINUO_ASSIGN_OR_RETURN(const int64_t tick,
                              TickOf("time_signature.time", meter.time(), map));
    CONTINUO_RETURN_IF_ERROR(
        CheckRange("time_signature.numerator", meter.numerator(), 1, 255));
    const int denominator = meter.denominator();
    if (denominator <= 0 || (denominator & (denominator - 1)) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot be written as MIDI: time_signature.denominator ",
                       denominator, " is not a power of two"));
    }
    events->push_back({tick, 0x58, MeterData(meter.numerator(), denominator)});
  }
  if (!has_first) events->insert(events->begin(), {0, 0x58, MeterData(4, 4)});
  return absl::OkStatus();
}

absl::Status AddKeys(const NoteSequence& sequence, const TempoMap& map,
                     std::vector<TimingEvent>* events) {
  // Sharps (flats if negative) of C, C sharp, D, ..., as Magenta spells them.
  static constexpr int kMajor[12] = {0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5};
  static constexpr int kMinor[12] = {-3, 4, -1, 6, 1, -4, 3, -2, 5, 0, -5, 2};
  for (const auto& key : sequence.key_signatures()) {
    CONTINUO_ASSIGN_OR_RETURN(const int64_t tick,
                              TickOf("key_signature.time", key.time(), map));
    CONTINUO_RETURN_IF_ERROR(CheckRange("key_signature.key", key.key(), 0, 11));
    const bool minor = key.mode() == NoteSequence::KeySignature::MINOR;
    const int sharps = (minor ? kMinor : kMajor)[key.key()];
    events->push_back({tick, 0x59, {static_cast<char>(sharps), minor}});
  }
  return absl::OkStatus();
}

absl::Status WriteTimingTrack(const NoteSequence& sequence, int resolution,
                              const TempoMap& map,
                              const std::vector<std::string>& texts,
                              std::string* file) {
  std::vector<TimingEvent> events;
  CONTINUO_RETURN_IF_ERROR(AddMeters(sequence, map, &events));
  CONTINUO_RETURN_IF_ERROR(AddTempos(map, resolution, &events));
  CONTINUO_RETURN_IF_ERROR(AddKeys(sequence, map, &events));
  std::stable_sort(events.begin(), events.end(),
                   [](const TimingEvent& a, const TimingEvent& b) {
                     return std::tie(a.tick, a.type) < std::tie(b.tick, b.type);
                   });
  TrackWriter track;
  for (const std::string& text : texts) {
    track.Time(0);
    track.Meta(0x01, Latin1(text));
  }
  for (const TimingEvent& event : events) {
    track.Time(event.tick);
    track.Meta(event.type, event.data);
  }
  return track.Finish(file);
}

// Instruments in the order of their tracks: number, program, drums or not.
using InstrumentKey = std::tuple<int, int, bool>;
// Events of one track but the first as tick << kSortKeyBits | kind and data,
// which sorts them into their final order.
using InstrumentEvents = std::map<InstrumentKey, std::vector<uint64_t>>;

uint64_t EventKey(int64_t tick, int event) {
  return static_cast<uint64_t>(tick) << kSortKeyBits |
         static_cast<uint64_t>(event);
}

template <typename Event>
InstrumentKey KeyOf(const Event& event) {
  return {event.instrument(), event.program(), event.is_drum()};
}

absl::Status CollectEvents(const NoteSequence& sequence, const TempoMap& map,
                           InstrumentEvents* instruments) {
  for (const auto& note : sequence.notes()) {
    CONTINUO_RETURN_IF_ERROR(CheckRange("note.pitch", note.pitch(), 0, 127));
    CONTINUO_RETURN_IF_ERROR(
        CheckRange("note.velocity", note.velocity(), 0, 127));
    CONTINUO_ASSIGN_OR_RETURN(
        const int64_t start, TickOf("note.start_time", note.start_time(), map));
    CONTINUO_ASSIGN_OR_RETURN(const int64_t end,
                              TickOf("note.end_time", note.end_time(), map));
    std::vector<uint64_t>& events = (*instruments)[KeyOf(note)];
    const int off = kNote + note.pitch() * 256;
    events.push_back(EventKey(start, off + note.velocity()));
    events.push_back(EventKey(end, off));
  }
  for (const auto& bend : sequence.pitch_bends()) {
    CONTINUO_RETURN_IF_ERROR(
        CheckRange("pitch_bend.bend", bend.bend(), -8192, 8191));
    CONTINUO_ASSIGN_OR_RETURN(const int64_t tick,
                              TickOf("pitch_bend.time", bend.time(), map));
    (*instruments)[KeyOf(bend)].push_back(EventKey(tick, kBend + bend.bend()));
  }
  for (const auto& control : sequence.control_changes()) {
    CONTINUO_RETURN_IF_ERROR(CheckRange("control_change.control_number",
                                        control.control_number(), 0, 127));
    CONTINUO_RETURN_IF_ERROR(CheckRange("control_change.control_value",
                                        control.control_value(), 0, 127));
    CONTINUO_ASSIGN_OR_RETURN(
        const int64_t tick, TickOf("control_change.time", control.time(), map));
    (*instruments)[KeyOf(control)].push_back(EventKey(
        tick,
        kControl + control.control_number() * 256 + control.control_value()));
  }
  return absl::OkStatus();
}

absl::Status WriteInstrumentTrack(absl::string_view name, int channel,
                                  int program, std::vector<uint64_t> events,
                                  std::string* file) {
  CONTINUO_RETURN_IF_ERROR(CheckRange("program", program, 0, 127));
  std::sort(events.begin(), events.end());
  TrackWriter track;
  if (!name.empty()) {
    track.Time(0);
    track.Meta(0x03, Latin1(name));
  }
  track.Time(0);
  track.Channel(0xc0 | channel, program, -1);
  for (const uint64_t key : events) {
    track.Time(static_cast<int64_t>(key >> kSortKeyBits));
    const int event = static_cast<int>(key & ((1 << kSortKeyBits) - 1));
    if (event >= kControl) {
      track.Channel((event >= kNote ? 0x90 : 0xb0) | channel, event >> 8 & 0x7f,
                    event & 0x7f);
    } else {
      const int bend = event - kBend + 8192;
      track.Channel(0xe0 | channel, bend & 0x7f, bend >> 7);
    }
  }
  return track.Finish(file);
}

absl::Status WriteInstrumentTracks(const NoteSequence& sequence,
                                   InstrumentEvents instruments,
                                   std::string* file) {
  std::map<int, std::string> names;
  for (const auto& info : sequence.instrument_infos()) {
    names[info.instrument()] = info.name();
  }
  // The first track is that of instrument 0, even if that is empty.
  if (instruments.empty() || std::get<0>(instruments.begin()->first) > 0) {
    CONTINUO_RETURN_IF_ERROR(WriteInstrumentTrack("", 0, 0, {}, file));
  }
  int track = instruments.empty() || std::get<0>(instruments.begin()->first) > 0
                  ? 1
                  : 0;
  for (auto& [key, events] : instruments) {
    const auto& [instrument, program, is_drum] = key;
    CONTINUO_RETURN_IF_ERROR(CheckRange("program", program, 0, 127));
    std::string name;
    if (const auto found = names.find(instrument); found != names.end()) {
      name = found->second;
    } else if (track > 0) {
      name = is_drum ? "Drums" : std::string(MidiProgramName(program));
    }
    // Channels go by track, past the one for drums.
    const int melodic = track % 15;
    const int channel =
        is_drum ? kDrumChannel : melodic + (melodic >= kDrumChannel ? 1 : 0);
    CONTINUO_RETURN_IF_ERROR(
        WriteInstrumentTrack(name, channel, program, std::move(events), file));
    ++track;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> WriteMidi(const NoteSequence& sequence,
                                      const std::vector<std::string>& texts) {
  const int resolution = sequence.ticks_per_quarter() != 0
                             ? sequence.ticks_per_quarter()
                             : kDefaultTicksPerQuarter;
  CONTINUO_RETURN_IF_ERROR(
      CheckRange("ticks_per_quarter", resolution, 1, 32767));
  CONTINUO_ASSIGN_OR_RETURN(const TempoMap map,
                            MakeTempoMap(sequence, resolution));
  InstrumentEvents instruments;
  CONTINUO_RETURN_IF_ERROR(CollectEvents(sequence, map, &instruments));

  const bool first_is_empty =
      instruments.empty() || std::get<0>(instruments.begin()->first) > 0;
  const size_t num_tracks = 1 + first_is_empty + instruments.size();
  CONTINUO_RETURN_IF_ERROR(CheckRange("the number of tracks",
                                      static_cast<int>(num_tracks), 1, 32767));
  std::string file = "MThd";
  AppendBigEndian(6, 4, &file);
  AppendBigEndian(1, 2, &file);
  AppendBigEndian(static_cast<uint32_t>(num_tracks), 2, &file);
  AppendBigEndian(static_cast<uint32_t>(resolution), 2, &file);
  CONTINUO_RETURN_IF_ERROR(
      WriteTimingTrack(sequence, resolution, map, texts, &file));
  CONTINUO_RETURN_IF_ERROR(
      WriteInstrumentTracks(sequence, std::move(instruments), &file));
  return file;
}

}  // namespace continuo
