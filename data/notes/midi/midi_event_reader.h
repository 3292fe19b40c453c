// SPDX-License-Identifier: Apache-2.0

// Decodes the events of one track into a MidiSongBuilder, by either set of
// rules. Only midi_track.cc includes it.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_EVENT_READER_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_EVENT_READER_H_

#include <algorithm>
#include <cstdint>
#include <memory>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/midi/midi_faults.h"
#include "data/notes/midi/midi_scan.h"
#include "data/notes/midi/midi_song.h"
#include "data/notes/midi/midi_song_builder.h"
#include "data/notes/midi/midi_track.h"

namespace continuo {

// mido refuses longer meta and system exclusive messages.
inline constexpr uint64_t kMaxMagentaMessage = 1000000;

// Signs of damage at most this many events apart belong to one place; that many
// signs in one place mean that the bytes are not events.
inline constexpr int64_t kNearEvents = 32;
inline constexpr int kManySigns = 4;
// Places to return to in one track; each costs a copy of the builder.
inline constexpr int kMaxMarks = 16;

// Meta events that mido knows; the delta time of others is lost there.
inline bool IsKnownMeta(uint8_t type) {
  return type <= 0x07 || type == 0x09 || type == 0x20 || type == 0x21 ||
         type == 0x2f || type == 0x51 || type == 0x54 || type == 0x58 ||
         type == 0x59 || type == 0x7f;
}

template <MidiRules rules>
class MidiEventReader {
 public:
  // Reads from the start of the track up to `limit`.
  MidiEventReader(const MidiTrackBytes& track, const uint8_t* limit,
                  MidiParse* parse)
      : track_(track),
        limit_(limit),
        builder_(*parse->builder),
        song_(*parse->song),
        faults_(*parse->faults),
        p_(track.begin),
        tick_(track.start_tick) {}

 protected:
  static constexpr bool kMagenta = rules == MidiRules::kMagenta;

  // What the lenient rules do about an event that they cannot read.
  enum class Trouble {
    kNone,
    kCut,   // the bytes end inside it
    kLost,  // it is not an event
  };
  // Signs of bytes that are not events.
  enum class Sign { kDataByte, kSystemMessage };

  absl::Status Error(absl::string_view reason) const {
    return absl::InvalidArgumentError(absl::StrCat(
        reason, ": track ", track_.number + 1, ", byte ", p_ - track_.file));
  }
  absl::Status Truncated() {
    trouble_ = Trouble::kCut;
    return Error("the file or track ends inside an event");
  }
  absl::Status Lost(absl::string_view reason) {
    trouble_ = Trouble::kLost;
    return Error(reason);
  }
  absl::Status TickError() const {
    return absl::OutOfRangeError(
        absl::StrCat("times beyond the limit of ", kMaxMidiTick,
                     " ticks, probably damage: track ", track_.number + 1,
                     ", byte ", p_ - track_.file));
  }

  bool ReadNumber(uint64_t* value) {
    return ReadMidiNumber(&p_, limit_, value);
  }

  // Reads the length of a message and leaves p_ at its bytes.
  absl::Status ReadLength(uint64_t* size) {
    if (!ReadNumber(size)) return Truncated();
    if (kMagenta && *size > kMaxMagentaMessage) {
      return Error("a message longer than a million bytes");
    }
    if (*size > static_cast<uint64_t>(limit_ - p_)) return Truncated();
    return absl::OkStatus();
  }

  // Reads one event with its delta time if it is a whole channel message, as
  // nearly all are; else false, and nothing has changed.
  bool CommonEvent();
  // Reads one event of any kind.
  absl::Status Event();
  // Takes the data bytes of a channel message; false if they are cut off or
  // out of range, which the lenient rules ask DamagedMessage about.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool ChannelMessage(uint8_t status);
  absl::Status ChannelMessageError();
  absl::Status DamagedMessage(uint8_t status);
  // Everything else: system messages, meta events, running status in odd
  // places. p_ is at the first byte after the delta time.
  absl::Status OtherEvent();
  absl::Status Exclusive();
  absl::Status Meta();
  absl::Status ApplyMeta(uint8_t type, const uint8_t* data, uint64_t size);
  // A meta event that mido rejects and that holds nothing needed.
  absl::Status BadMeta(absl::string_view reason, MidiFault fault) {
    if (kMagenta) return Error(reason);
    faults_.Add(fault);
    return absl::OkStatus();
  }

  // Records a sign of damage at the current event. An error if such bytes
  // cannot be events: those show signs of both kinds close together, which a
  // file with flipped bits or odd velocities does not.
  absl::Status Suspect(Sign sign);

  const MidiTrackBytes& track_;
  const uint8_t* const limit_;
  MidiSongBuilder& builder_;
  MidiSong& song_;
  MidiFaults& faults_;
  const uint8_t* p_;
  uint64_t tick_;
  uint64_t delta_ = 0;  // time between the event before and this one
  uint8_t running_ = 0;
  const uint8_t* end_event_ = nullptr;  // after the newest end-of-track event

  // Lenient rules.
  bool ended_ = false;  // the end-of-track event was seen
  bool has_notes_ = false;
  bool ignore_delta_ = false;  // of a meta event that comes next
  Trouble trouble_ = Trouble::kNone;
  const uint8_t* event_ = nullptr;  // where the current one begins
  uint64_t event_tick_ = 0;         // of the one before it
  int64_t num_events_ = 0;
  // The newest signs that are close together: where they begin, and the state
  // before them. No mark if there are too many such places.
  int num_marks_ = 0;
  std::unique_ptr<MidiSongBuilder::Mark> mark_;
  const uint8_t* mark_event_ = nullptr;
  uint64_t mark_tick_ = 0;
  int64_t last_sign_ = 0;  // in events
  int num_signs_ = 0;
  bool has_sign_[2] = {};  // of each kind
};

template <MidiRules rules>
inline bool MidiEventReader<rules>::CommonEvent() {
  // A track whose size is larger than the file ends with the file.
  if (p_ == limit_) return false;
  const uint8_t* p = p_;
  uint64_t delta = *p++;
  if (delta >= 0x80) {
    p = p_;
    if (!ReadMidiNumber(&p, limit_, &delta)) return false;
  }
  const uint64_t tick = tick_ + delta;
  if (p == limit_ || tick > static_cast<uint64_t>(kMaxMidiTick)) return false;
  uint8_t status = *p;
  if (status >= 0x80) {
    ++p;
  } else {
    status = running_;
  }
  if (status < 0x80 || status >= 0xf0) return false;
  const uint8_t* const begin = p_;
  const uint64_t begin_tick = tick_;
  p_ = p;
  tick_ = tick;
  if (ChannelMessage(status)) {
    running_ = status;
    return true;
  }
  p_ = begin;
  tick_ = begin_tick;
  return false;
}

template <MidiRules rules>
absl::Status MidiEventReader<rules>::Event() {
  if (!ReadNumber(&delta_)) return Truncated();
  if (!kMagenta && ignore_delta_) {
    ignore_delta_ = false;
    if (p_ < limit_ && *p_ == 0xff) delta_ = 0;
  }
  tick_ += delta_;
  if (p_ == limit_) return Truncated();
  if (tick_ > static_cast<uint64_t>(kMaxMidiTick)) {
    // mido does not count the time before an unknown meta event.
    const bool uncounted =
        kMagenta && p_[0] == 0xff && limit_ - p_ > 1 && !IsKnownMeta(p_[1]);
    if (!uncounted) return TickError();
  }
  uint8_t status = *p_;
  if (status >= 0x80 && status < 0xf0) {
    running_ = status;
    ++p_;
  } else if (status < 0x80 && running_ >= 0x80 && running_ < 0xf0) {
    status = running_;
  } else {
    return OtherEvent();
  }
  if (ChannelMessage(status)) return absl::OkStatus();
  return kMagenta ? ChannelMessageError() : DamagedMessage(status);
}

template <MidiRules rules>
inline bool MidiEventReader<rules>::ChannelMessage(uint8_t status) {
  const int channel = status & 0x0f;
  const auto tick = static_cast<uint32_t>(tick_);
  const int kind = status >> 4;
  if (kind == 0xc || kind == 0xd) {
    if (p_ == limit_ || p_[0] >= 0x80) return false;
    if (kind == 0xc) builder_.Program(channel, p_[0]);
    ++p_;
    return true;
  }
  if (limit_ - p_ < 2 || ((p_[0] | p_[1]) & 0x80) != 0) return false;
  const int first = p_[0];
  const int second = p_[1];
  p_ += 2;
  switch (kind) {
    case 0x8:
      builder_.NoteOff(channel, first, tick);
      break;
    case 0x9:
      if (second > 0) {
        if constexpr (!kMagenta) has_notes_ = true;
        builder_.NoteOn(channel, first, second, tick);
      } else {
        builder_.NoteOff(channel, first, tick);
      }
      break;
    case 0xb:
      builder_.Control(channel, first, second, tick);
      break;
    case 0xe:
      builder_.Bend(channel, first + second * 128 - 8192, tick);
      break;
    default:  // 0xa: key pressure, not used
      break;
  }
  return true;
}

template <MidiRules rules>
absl::Status MidiEventReader<rules>::ChannelMessageError() {
  for (const uint8_t* p = p_; p < limit_ && p < p_ + 2; ++p) {
    if (*p >= 0x80) return Error("a data byte out of range");
  }
  return Truncated();
}

// Leaves out values that are out of range, except velocities, which are clipped
// as other readers do. p_ is after the status.
template <MidiRules rules>
absl::Status MidiEventReader<rules>::DamagedMessage(uint8_t status) {
  const int kind = status >> 4;
  const int size = kind == 0xc || kind == 0xd ? 1 : 2;
  if (limit_ - p_ < size) {
    p_ = limit_;
    return Truncated();
  }
  if (absl::Status s = Suspect(Sign::kDataByte); !s.ok()) return s;
  const int first = p_[0];
  p_ += size;
  if (kind != 0x8 && kind != 0x9) {
    faults_.Add(MidiFault::kDataByte);
    return absl::OkStatus();
  }
  if (first >= 0x80) {
    const bool is_on = kind == 0x9 && p_[-1] > 0;
    faults_.Add(is_on ? MidiFault::kPitch : MidiFault::kDataByte);
    return absl::OkStatus();
  }
  const auto tick = static_cast<uint32_t>(tick_);
  faults_.Add(MidiFault::kVelocity);
  if (kind == 0x8) {
    builder_.NoteOff(status & 0x0f, first, tick);
  } else {
    has_notes_ = true;
    builder_.NoteOn(status & 0x0f, first, 127, tick);
  }
  return absl::OkStatus();
}

template <MidiRules rules>
absl::Status MidiEventReader<rules>::Suspect(Sign sign) {
  if (num_signs_ == 0 || num_events_ - last_sign_ > kNearEvents) {
    num_signs_ = 0;
    has_sign_[0] = has_sign_[1] = false;
    mark_.reset();
    if (++num_marks_ <= kMaxMarks) {
      mark_ = std::make_unique<MidiSongBuilder::Mark>(builder_.SetMark());
      mark_event_ = event_;
      mark_tick_ = event_tick_;
    }
  }
  last_sign_ = num_events_;
  ++num_signs_;
  has_sign_[static_cast<int>(sign)] = true;
  if (has_sign_[0] && has_sign_[1] && num_signs_ >= kManySigns) {
    return Lost("bytes that are no events");
  }
  return absl::OkStatus();
}

template <MidiRules rules>
absl::Status MidiEventReader<rules>::OtherEvent() {
  uint8_t status = *p_;
  if (status == 0xff) {
    ++p_;
    return Meta();
  }
  const bool is_running = status < 0x80;
  if (is_running) {
    // Lenient rules keep the status of a channel message only, and that case
    // is handled by the caller.
    if (running_ == 0) return Lost("running status without a status");
    faults_.Add(MidiFault::kSystemRunning);
    status = running_;
  } else {
    ++p_;
    if (kMagenta) running_ = status;
  }
  if (status == 0xf0 || status == 0xf7) {
    if (is_running) ++p_;  // mido drops this byte
    return Exclusive();
  }
  const int size = MidiSystemDataBytes(status);
  if (kMagenta && (size < 0 || (is_running && size == 0))) {
    return Error("an undefined system message");
  }
  if (!kMagenta) {
    if (absl::Status s = Suspect(Sign::kSystemMessage); !s.ok()) return s;
    faults_.Add(MidiFault::kSystemMessage);
  }
  for (int i = 0; i < size; ++i, ++p_) {
    if (p_ == limit_) return Truncated();
    if (*p_ >= 0x80) return Lost("a data byte out of range");
  }
  return absl::OkStatus();
}

template <MidiRules rules>
absl::Status MidiEventReader<rules>::Exclusive() {
  uint64_t size = 0;
  if (absl::Status s = ReadLength(&size); !s.ok()) return s;
  const uint8_t* begin = p_;
  const uint8_t* end = p_ + size;
  if (kMagenta) {
    if (begin < end && begin[0] == 0xf0) ++begin;
    if (begin < end && end[-1] == 0xf7) --end;
    if (std::any_of(begin, end, [](uint8_t byte) { return byte >= 0x80; })) {
      return Error("a data byte out of range in a system exclusive message");
    }
  }
  p_ += size;
  return absl::OkStatus();
}

template <MidiRules rules>
absl::Status MidiEventReader<rules>::Meta() {
  if (p_ == limit_) return Truncated();
  const uint8_t type = *p_++;
  uint64_t size = 0;
  if (absl::Status s = ReadLength(&size); !s.ok()) return s;
  if (kMagenta && !IsKnownMeta(type) && delta_ > 0) {
    tick_ -= delta_;
    faults_.Add(MidiFault::kUnknownMetaTime);
  }
  if (absl::Status s = ApplyMeta(type, p_, size); !s.ok()) return s;
  p_ += size;
  return absl::OkStatus();
}

template <MidiRules rules>
absl::Status MidiEventReader<rules>::ApplyMeta(uint8_t type,
                                               const uint8_t* data,
                                               uint64_t size) {
  const auto tick = static_cast<uint32_t>(tick_);
  const int track = track_.number;
  switch (type) {
    case 0x00:  // sequence number
      return size == 1 ? BadMeta("a cut sequence number", MidiFault::kOtherMeta)
                       : absl::OkStatus();
    case 0x03:
      builder_.TrackName(
          absl::string_view(reinterpret_cast<const char*>(data), size));
      return absl::OkStatus();
    case 0x20:  // channel prefix
      return size == 0 ? BadMeta("a cut channel prefix", MidiFault::kOtherMeta)
                       : absl::OkStatus();
    case 0x2f:
      ended_ = true;
      end_event_ = data + size;
      return absl::OkStatus();
    case 0x51: {
      if (size < 3) return BadMeta("a cut tempo event", MidiFault::kTempo);
      const uint32_t tempo = uint32_t{data[0]} << 16 | data[1] << 8 | data[2];
      if (tempo == 0 && song_.division > 0) {
        // Magenta looks at those of the first track only.
        if (kMagenta && track > 0) return absl::OkStatus();
        return BadMeta("a tempo of zero", MidiFault::kTempo);
      }
      song_.tempos.push_back({tick, tempo, track});
      return absl::OkStatus();
    }
    case 0x54:  // SMPTE offset: minutes, seconds and hundredths of frames
      return size < 5 || data[0] >> 5 > 3 || data[1] > 59 || data[2] > 59 ||
                     data[4] > 99
                 ? BadMeta("a wrong SMPTE offset", MidiFault::kOtherMeta)
                 : absl::OkStatus();
    case 0x58: {
      if (size < 4) return BadMeta("a cut time signature", MidiFault::kMeter);
      // 2^29 fails mido's check for powers of two by rounding, and from 2^31
      // on NoteSequence has no room.
      const bool denominator_fits = data[1] <= 30 && data[1] != 29;
      if (!denominator_fits || data[0] == 0) {
        if (kMagenta && denominator_fits && track > 0) return absl::OkStatus();
        return BadMeta("a wrong time signature", MidiFault::kMeter);
      }
      song_.meters.push_back({tick, data[0], 1 << data[1], track});
      return absl::OkStatus();
    }
    case 0x59: {
      if (size < 2) return BadMeta("a cut key signature", MidiFault::kKey);
      const int sharps = static_cast<int8_t>(data[0]);
      if (sharps < -7 || sharps > 7 || data[1] > 1) {
        return BadMeta("a wrong key signature", MidiFault::kKey);
      }
      song_.keys.push_back({tick, sharps, data[1] == 1, track});
      return absl::OkStatus();
    }
    default:
      return absl::OkStatus();
  }
}

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_EVENT_READER_H_
