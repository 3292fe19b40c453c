#include "data/notes/midi_track.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace continuo {
namespace {

// mido refuses longer meta and system exclusive messages.
constexpr uint64_t kMaxOriginalMessage = 1000000;

// A variable-length number as far as any use of it goes: larger than every
// file and every tick, and safe to add to one.
constexpr uint64_t kHugeNumber = uint64_t{1} << 40;

// Meta events that mido knows; the delta time of others is lost there.
bool IsKnownMeta(uint8_t type) {
  return type <= 0x07 || type == 0x09 || type == 0x20 || type == 0x21 ||
         type == 0x2f || type == 0x51 || type == 0x54 || type == 0x58 ||
         type == 0x59 || type == 0x7f;
}

// Number of data bytes of system messages 0xf0..0xfe but exclusive ones; -1
// for undefined statuses.
int SystemDataBytes(uint8_t status) {
  switch (status) {
    case 0xf1:
    case 0xf3:
      return 1;
    case 0xf2:
      return 2;
    case 0xf4:
    case 0xf5:
    case 0xf9:
    case 0xfd:
      return -1;
    default:
      return 0;
  }
}

template <MidiRules rules>
class TrackParser {
 public:
  TrackParser(const MidiTrackBytes& track, MidiSongBuilder* builder,
              MidiSong* song)
      : track_(track),
        builder_(*builder),
        song_(*song),
        p_(track.begin),
        limit_(kOriginal && track.end != nullptr ? track.end : track.file_end) {
  }

  absl::Status Parse(const uint8_t** next);

 private:
  static constexpr bool kOriginal = rules == MidiRules::kOriginal;

  absl::Status Error(absl::string_view reason) const {
    return absl::InvalidArgumentError(absl::StrCat(
        reason, ": track ", track_.number + 1, ", byte ", p_ - track_.file));
  }
  absl::Status Truncated() const {
    return Error("the file or track ends inside an event");
  }

  // Reads a variable-length number of any length; false at the limit.
  bool ReadNumber(uint64_t* value) {
    uint64_t number = 0;
    while (p_ < limit_) {
      const uint8_t byte = *p_++;
      number = number << 7 | (byte & 0x7f);
      if (byte < 0x80) {
        *value = number;
        return true;
      }
      number = std::min(number, kHugeNumber);
    }
    return false;
  }

  // Reads the length of a message and leaves p_ at its bytes.
  absl::Status ReadLength(uint64_t* size) {
    if (!ReadNumber(size)) return Truncated();
    if (kOriginal && *size > kMaxOriginalMessage) {
      return Error("a message longer than a million bytes");
    }
    if (*size > static_cast<uint64_t>(limit_ - p_)) return Truncated();
    return absl::OkStatus();
  }

  // Takes the data bytes of a channel message; false if they are cut off or
  // out of range.
  bool ChannelMessage(uint8_t status);
  absl::Status ChannelMessageError() const;
  // Everything else: system messages, meta events, running status in odd
  // places. p_ is at the first byte behind the delta time.
  absl::Status OtherEvent();
  absl::Status Exclusive();
  absl::Status Meta();
  absl::Status ApplyMeta(uint8_t type, const uint8_t* data, uint64_t size);
  // A meta event that mido rejects and that holds nothing needed.
  absl::Status BadMeta(absl::string_view reason) const {
    return kOriginal ? Error(reason) : absl::OkStatus();
  }
  absl::Status TickError() const {
    return absl::OutOfRangeError(
        absl::StrCat("times beyond the limit of ", kMaxMidiTick,
                     " ticks, probably damage: track ", track_.number + 1,
                     ", byte ", p_ - track_.file));
  }
  // Lenient rules: an event straddled the end by the chunk header, so that
  // going on could take the next chunk for events.
  bool RunsPastEnd() const {
    return !kOriginal && track_.end != nullptr && p_ > track_.end;
  }
  absl::Status FindNextChunk(const uint8_t** next) const;

  const MidiTrackBytes& track_;
  MidiSongBuilder& builder_;
  MidiSong& song_;
  const uint8_t* p_;
  const uint8_t* const limit_;  // nothing is read from here on
  uint64_t tick_ = 0;
  uint64_t delta_ = 0;  // time between the event before and this one
  uint8_t running_ = 0;
  bool ended_ = false;  // lenient rules: the end-of-track event was seen
};

template <MidiRules rules>
absl::Status TrackParser<rules>::Parse(const uint8_t** next) {
  if (kOriginal && p_ == track_.end) return Error("a track without events");
  while (p_ != track_.end && !ended_) {
    if (!ReadNumber(&delta_) || p_ == limit_) return Truncated();
    tick_ += delta_;
    if (tick_ > static_cast<uint64_t>(kMaxMidiTick)) {
      // mido does not count the time in front of an unknown meta event.
      const bool uncounted =
          kOriginal && p_[0] == 0xff && limit_ - p_ > 1 && !IsKnownMeta(p_[1]);
      if (!uncounted) return TickError();
    }
    uint8_t status = *p_;
    if (status >= 0x80 && status < 0xf0) {
      running_ = status;
      ++p_;
    } else if (status < 0x80 && running_ >= 0x80 && running_ < 0xf0) {
      status = running_;
    } else {
      if (absl::Status s = OtherEvent(); !s.ok()) return s;
      if (RunsPastEnd()) break;
      continue;
    }
    if (!ChannelMessage(status)) return ChannelMessageError();
    if (RunsPastEnd()) break;
  }
  return FindNextChunk(next);
}

template <MidiRules rules>
inline bool TrackParser<rules>::ChannelMessage(uint8_t status) {
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
absl::Status TrackParser<rules>::ChannelMessageError() const {
  for (const uint8_t* p = p_; p < limit_ && p < p_ + 2; ++p) {
    if (*p >= 0x80) return Error("a data byte out of range");
  }
  return Truncated();
}

template <MidiRules rules>
absl::Status TrackParser<rules>::OtherEvent() {
  uint8_t status = *p_;
  if (status == 0xff) {
    ++p_;
    return Meta();
  }
  const bool is_running = status < 0x80;
  if (is_running) {
    // Lenient rules keep the status of a channel message only, and that case
    // is handled by the caller.
    if (running_ == 0) return Error("running status without a status");
    status = running_;
  } else {
    ++p_;
    if (kOriginal) running_ = status;
  }
  if (status == 0xf0 || status == 0xf7) {
    if (is_running) ++p_;  // mido drops this byte
    return Exclusive();
  }
  const int size = SystemDataBytes(status);
  if (kOriginal && (size < 0 || (is_running && size == 0))) {
    return Error("an undefined system message");
  }
  for (int i = 0; i < size; ++i, ++p_) {
    if (p_ == limit_) return Truncated();
    if (*p_ >= 0x80) return Error("a data byte out of range");
  }
  return absl::OkStatus();
}

template <MidiRules rules>
absl::Status TrackParser<rules>::Exclusive() {
  uint64_t size = 0;
  if (absl::Status s = ReadLength(&size); !s.ok()) return s;
  const uint8_t* begin = p_;
  const uint8_t* end = p_ + size;
  if (kOriginal) {
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
absl::Status TrackParser<rules>::Meta() {
  if (p_ == limit_) return Truncated();
  const uint8_t type = *p_++;
  uint64_t size = 0;
  if (absl::Status s = ReadLength(&size); !s.ok()) return s;
  if (kOriginal && !IsKnownMeta(type)) tick_ -= delta_;
  if (absl::Status s = ApplyMeta(type, p_, size); !s.ok()) return s;
  p_ += size;
  return absl::OkStatus();
}

template <MidiRules rules>
absl::Status TrackParser<rules>::ApplyMeta(uint8_t type, const uint8_t* data,
                                           uint64_t size) {
  const auto tick = static_cast<uint32_t>(tick_);
  const bool first_track = track_.number == 0;
  switch (type) {
    case 0x00:  // sequence number
      return size == 1 ? BadMeta("a cut sequence number") : absl::OkStatus();
    case 0x03:
      builder_.TrackName(
          absl::string_view(reinterpret_cast<const char*>(data), size));
      return absl::OkStatus();
    case 0x20:  // channel prefix
      return size == 0 ? BadMeta("a cut channel prefix") : absl::OkStatus();
    case 0x2f:
      ended_ = !kOriginal;
      return absl::OkStatus();
    case 0x51: {
      if (size < 3) return BadMeta("a cut tempo event");
      if (!first_track) return absl::OkStatus();
      const uint32_t tempo = uint32_t{data[0]} << 16 | data[1] << 8 | data[2];
      if (tempo == 0 && song_.division > 0) return BadMeta("a tempo of zero");
      song_.tempos.push_back({tick, tempo});
      return absl::OkStatus();
    }
    case 0x54:  // SMPTE offset: minutes, seconds and hundredths of frames
      return size < 5 || data[0] >> 5 > 3 || data[1] > 59 || data[2] > 59 ||
                     data[4] > 99
                 ? BadMeta("a wrong SMPTE offset")
                 : absl::OkStatus();
    case 0x58: {
      if (size < 4) return BadMeta("a cut time signature");
      // 2^29 fails mido's check for powers of two by rounding, and from 2^31
      // on NoteSequence has no room.
      const bool denominator_fits = data[1] <= 30 && data[1] != 29;
      if (!denominator_fits || (first_track && data[0] == 0)) {
        return BadMeta("a wrong time signature");
      }
      if (first_track) song_.meters.push_back({tick, data[0], 1 << data[1]});
      return absl::OkStatus();
    }
    case 0x59: {
      if (size < 2) return BadMeta("a cut key signature");
      const int sharps = static_cast<int8_t>(data[0]);
      if (sharps < -7 || sharps > 7 || data[1] > 1) {
        return BadMeta("a wrong key signature");
      }
      if (first_track) song_.keys.push_back({tick, sharps, data[1] == 1});
      return absl::OkStatus();
    }
    default:
      return absl::OkStatus();
  }
}

// The original goes by the chunk size alone, and Parse has stopped there.
// Otherwise an end-of-track event with the next chunk right behind it, or at
// the end of the file, tells a wrong size.
template <MidiRules rules>
absl::Status TrackParser<rules>::FindNextChunk(const uint8_t** next) const {
  const bool chunk_follows =
      limit_ - p_ >= 8 && std::memcmp(p_, "MTrk", 4) == 0;
  if (p_ == track_.end || (ended_ && p_ == limit_) || chunk_follows) {
    *next = p_;
  } else if (track_.end != nullptr && p_ < track_.end) {
    *next = track_.end;  // something behind the end-of-track event
  } else {
    return Error("a track whose size does not fit the file");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseMidiTrack(const MidiTrackBytes& track, MidiRules rules,
                            MidiSongBuilder* builder, MidiSong* song,
                            const uint8_t** next) {
  builder->StartTrack();
  if (rules == MidiRules::kOriginal) {
    return TrackParser<MidiRules::kOriginal>(track, builder, song).Parse(next);
  }
  return TrackParser<MidiRules::kLenient>(track, builder, song).Parse(next);
}

}  // namespace continuo
