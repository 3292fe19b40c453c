#include "data/notes/midi_parser.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/midi_song_builder.h"
#include "data/notes/midi_track.h"
#include "runtime/status.h"

namespace continuo {
namespace {

constexpr int64_t kChunkHeaderSize = 8;

uint32_t BigEndian(const uint8_t* p, int size) {
  uint32_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | p[i];
  return value;
}

struct Header {
  int num_tracks;
  int16_t division;
  const uint8_t* end;  // where the first track chunk begins
};

absl::Status CheckDivision(int16_t division) {
  if (division > 0) return absl::OkStatus();
  const int frames = -(division >> 8);
  const bool is_rate =
      frames == 24 || frames == 25 || frames == 29 || frames == 30;
  if (is_rate && (division & 0xff) != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "a time division without meaning: ", division, " in the header"));
}

absl::StatusOr<Header> ParseHeader(absl::string_view bytes, MidiRules rules) {
  const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto size = static_cast<int64_t>(bytes.size());
  if (bytes.empty()) {
    return absl::InvalidArgumentError("an empty file: it has no bytes");
  }
  if (!absl::StartsWith(bytes, "MThd")) {
    return absl::InvalidArgumentError(
        "not a MIDI file: it does not begin with MThd");
  }
  if (size < 14) {
    return absl::InvalidArgumentError(
        "the file ends inside its header: it has less than 14 bytes");
  }
  int64_t header_size = BigEndian(begin + 4, 4);
  if (rules == MidiRules::kLenient && bytes.substr(14, 4) == "MTrk") {
    header_size = 6;
  }
  if (header_size < 6 || header_size > size - kChunkHeaderSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("a wrong header size: ", header_size, " bytes"));
  }
  Header header;
  header.num_tracks = static_cast<int16_t>(BigEndian(begin + 10, 2));
  header.division = static_cast<int16_t>(BigEndian(begin + 12, 2));
  header.end = begin + kChunkHeaderSize + header_size;
  CONTINUO_RETURN_IF_ERROR(CheckDivision(header.division));
  return header;
}

bool IsChunkName(const uint8_t* p) {
  for (int i = 0; i < 4; ++i) {
    if (!std::isprint(p[i])) return false;
  }
  return true;
}

absl::Status CheckSize(const MidiSong& song) {
  const size_t events = song.notes.size() + song.controls.size() +
                        song.bends.size() + song.tempos.size() +
                        song.meters.size() + song.keys.size();
  if (events <= static_cast<size_t>(kMaxMidiEvents)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "more events than the limit of ", kMaxMidiEvents, ": at least ", events));
}

// Lenient rules read every track there is if the header counts none, and do
// with less than it counts.
absl::Status ParseTracks(const Header& header, const uint8_t* file,
                         const uint8_t* file_end, MidiRules rules,
                         MidiSong* song) {
  const bool lenient = rules == MidiRules::kLenient;
  const bool read_all = lenient && header.num_tracks <= 0;
  MidiSongBuilder builder(song);
  const uint8_t* p = header.end;
  int track = 0;
  while (read_all || track < header.num_tracks) {
    if (file_end - p < kChunkHeaderSize) {
      if (lenient && (track > 0 || read_all)) break;
      return absl::InvalidArgumentError(
          absl::StrCat("fewer tracks than the header counts: ", track, " of ",
                       header.num_tracks));
    }
    const int64_t size = BigEndian(p + 4, 4);
    const int64_t left = file_end - p - kChunkHeaderSize;
    if (std::memcmp(p, "MTrk", 4) != 0) {
      if (!lenient || !IsChunkName(p) || size > left) {
        return absl::InvalidArgumentError(
            absl::StrCat("no track chunk where one should begin: track ",
                         track + 1, ", byte ", p - file));
      }
      p += kChunkHeaderSize + size;
      continue;
    }
    const uint8_t* begin = p + kChunkHeaderSize;
    const uint8_t* end = size <= left ? begin + size : nullptr;
    const MidiTrackBytes bytes = {file, begin, end, file_end, track};
    CONTINUO_RETURN_IF_ERROR(ParseMidiTrack(bytes, rules, &builder, song, &p));
    CONTINUO_RETURN_IF_ERROR(CheckSize(*song));
    ++track;
  }
  if (track == 0) {
    return absl::InvalidArgumentError("no tracks: the file is only a header");
  }
  return absl::OkStatus();
}

absl::StatusOr<MidiSong> ParseByRules(absl::string_view bytes,
                                      MidiRules rules) {
  CONTINUO_ASSIGN_OR_RETURN(const Header header, ParseHeader(bytes, rules));
  const auto* file = reinterpret_cast<const uint8_t*>(bytes.data());
  MidiSong song;
  song.division = header.division;
  CONTINUO_RETURN_IF_ERROR(
      ParseTracks(header, file, file + bytes.size(), rules, &song));
  return song;
}

// The MIDI file in a RIFF container: its "data" chunk (sizes little-endian,
// chunks padded to even sizes). Empty if there is none.
absl::string_view UnwrapRiff(absl::string_view bytes) {
  if (bytes.size() < 12 || !absl::StartsWith(bytes, "RIFF") ||
      bytes.substr(8, 4) != "RMID") {
    return {};
  }
  size_t position = 12;
  while (bytes.size() - position >= 8) {
    size_t size = 0;
    for (size_t i = 0; i < 4; ++i) {
      size |= static_cast<size_t>(
                  static_cast<unsigned char>(bytes[position + 4 + i]))
              << (8 * i);
    }
    const size_t left = bytes.size() - position - 8;
    if (size > left) return {};
    if (bytes.substr(position, 4) == "data") {
      return bytes.substr(position + 8, size);
    }
    position += 8 + std::min(size + size % 2, left);
  }
  return {};
}

}  // namespace

absl::StatusOr<MidiSong> ParseMidi(absl::string_view bytes,
                                   const ReadOptions& /*options*/,
                                   ReadReport* report) {
  const absl::string_view inner = UnwrapRiff(bytes);
  if (!inner.empty()) bytes = inner;
  if (report != nullptr) {
    *report = {};
    if (!inner.empty()) {
      report->repair = "a RIFF container: the original reads none";
    }
  }
  absl::StatusOr<MidiSong> song = ParseByRules(bytes, MidiRules::kOriginal);
  if (!absl::IsInvalidArgument(song.status())) return song;
  absl::StatusOr<MidiSong> lenient = ParseByRules(bytes, MidiRules::kLenient);
  if (lenient.ok() && report != nullptr) {
    report->repair = std::string(song.status().message());
  }
  // What stops the lenient rules is the damage that matters.
  return lenient;
}

}  // namespace continuo
