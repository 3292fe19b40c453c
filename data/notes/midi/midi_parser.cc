// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_parser.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/midi/midi_conductor.h"
#include "data/notes/midi/midi_faults.h"
#include "data/notes/midi/midi_scan.h"
#include "data/notes/midi/midi_song_builder.h"
#include "data/notes/midi/midi_track.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// How many bytes programs put before the MIDI file: a MacBinary header, a byte
// order mark.
constexpr size_t kMaxFront = 4096;

constexpr char kFileName[] = "MThd";

bool IsFileHeader(const uint8_t* p, const uint8_t* file_end) {
  return file_end - p >= kMidiChunkHeaderSize &&
         std::memcmp(p, kFileName, 4) == 0;
}

struct Header {
  int format;
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

absl::StatusOr<Header> ParseHeader(absl::string_view bytes, MidiRules rules,
                                   MidiFaults* faults) {
  const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto size = static_cast<int64_t>(bytes.size());
  if (bytes.empty()) {
    return absl::InvalidArgumentError("an empty file: it has no bytes");
  }
  if (!absl::StartsWith(bytes, kFileName)) {
    return absl::InvalidArgumentError(
        "not a MIDI file: it does not begin with MThd");
  }
  if (size < 14) {
    return absl::InvalidArgumentError(
        "the file ends inside its header: it has less than 14 bytes");
  }
  Header header;
  header.format = static_cast<int>(MidiBigEndian(begin + 8, 2));
  header.num_tracks = static_cast<int16_t>(MidiBigEndian(begin + 10, 2));
  header.division = static_cast<int16_t>(MidiBigEndian(begin + 12, 2));
  const int64_t header_size = MidiBigEndian(begin + 4, 4);
  const bool fits =
      header_size >= 6 && header_size <= size - kMidiChunkHeaderSize;
  header.end = fits ? begin + kMidiChunkHeaderSize + header_size : begin + 14;
  if (rules == MidiRules::kLenient) {
    const uint8_t* file_end = begin + size;
    const uint8_t* first = begin + 14;
    if (IsMidiTrackHeader(first, file_end)) {
      header.end = first;
    } else if (!fits || !IsMidiChunkBoundary(header.end, file_end)) {
      header.end = FindMidiTrackHeader(first, file_end);
    }
    if (header.end != begin + kMidiChunkHeaderSize + header_size) {
      faults->Add(MidiFault::kHeaderSize);
    }
  } else if (!fits) {
    return absl::InvalidArgumentError(
        absl::StrCat("a wrong header size: ", header_size, " bytes"));
  }
  CONTINUO_RETURN_IF_ERROR(CheckDivision(header.division));
  return header;
}

absl::Status CheckSize(const MidiSong& song) {
  const size_t events = song.notes.size() + song.controls.size() +
                        song.bends.size() + song.tempos.size() +
                        song.meters.size() + song.keys.size();
  if (events <= static_cast<size_t>(kMaxMidiEvents)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "more events than the limit of ", kMaxMidiEvents, ": at least ", events));
}

// One reading of a file.
struct ParsedMidi {
  MidiSong song;
  MidiFaults faults;
  bool is_damaged = false;  // not all of it was read
};

class FileParser {
 public:
  FileParser(absl::string_view bytes, MidiRules rules, Reading reading)
      : file_(reinterpret_cast<const uint8_t*>(bytes.data())),
        file_end_(file_ + bytes.size()),
        rules_(rules),
        reading_(reading) {}

  absl::Status Parse(ParsedMidi* parsed) {
    faults_ = &parsed->faults;
    song_ = &parsed->song;
    const absl::string_view bytes(reinterpret_cast<const char*>(file_),
                                  file_end_ - file_);
    CONTINUO_ASSIGN_OR_RETURN(header_, ParseHeader(bytes, rules_, faults_));
    song_->division = header_.division;
    MidiSongBuilder builder(song_, faults_);
    MidiParse parse = {song_, &builder, faults_, 4 * (file_end_ - file_)};
    parse_ = &parse;
    p_ = header_.end;
    if (rules_ == MidiRules::kMagenta) return ParseMagentaTracks();
    CONTINUO_RETURN_IF_ERROR(ParseLenientTracks());
    parsed->is_damaged = !damage_.ok();
    return absl::OkStatus();
  }

 private:
  // Reads the track whose chunk header is at p_ and goes to the next chunk.
  absl::Status Track() {
    const int64_t size = MidiBigEndian(p_ + 4, 4);
    const uint8_t* begin = p_ + kMidiChunkHeaderSize;
    const uint8_t* end = size <= file_end_ - begin ? begin + size : nullptr;
    const MidiTrackBytes bytes = {file_,     begin,       end,
                                  file_end_, num_tracks_, start_tick_};
    CONTINUO_RETURN_IF_ERROR(ParseMidiTrack(bytes, rules_, parse_, &track_));
    CONTINUO_RETURN_IF_ERROR(CheckSize(*song_));
    p_ = track_.next;
    ++num_tracks_;
    return absl::OkStatus();
  }

  absl::Status FewerTracks() const {
    return absl::InvalidArgumentError(
        absl::StrCat("fewer tracks than the header counts: ", num_tracks_,
                     " of ", header_.num_tracks));
  }
  static absl::Status NoTracks() {
    return absl::InvalidArgumentError("no tracks: the file is only a header");
  }

  absl::Status ParseMagentaTracks();
  absl::Status ParseLenientTracks();
  // Skips chunks that are not tracks; false if no track follows.
  bool FindTrack();
  absl::Status LenientTrack();

  const uint8_t* const file_;
  const uint8_t* const file_end_;
  const MidiRules rules_;
  const Reading reading_;
  MidiFaults* faults_ = nullptr;
  MidiSong* song_ = nullptr;
  MidiParse* parse_ = nullptr;
  Header header_ = {};
  const uint8_t* p_ = nullptr;
  MidiTrackResult track_ = {};
  int num_tracks_ = 0;
  uint32_t start_tick_ = 0;
  // Lenient rules.
  absl::Status damage_;  // the first
  absl::Status front_damage_;
  int64_t read_bytes_ = 0;
  int64_t lost_bytes_ = 0;
};

absl::Status FileParser::ParseMagentaTracks() {
  while (num_tracks_ < header_.num_tracks) {
    if (file_end_ - p_ < kMidiChunkHeaderSize) return FewerTracks();
    if (!IsMidiTrackHeader(p_, file_end_)) {
      return absl::InvalidArgumentError(
          absl::StrCat("no track chunk where one should begin: track ",
                       num_tracks_ + 1, ", byte ", p_ - file_));
    }
    CONTINUO_RETURN_IF_ERROR(Track());
    if (header_.format == 2 && num_tracks_ > 1) {
      faults_->Add(MidiFault::kFormat2Together);
    }
  }
  if (num_tracks_ == 0) return NoTracks();
  if (IsMidiTrackHeader(p_, file_end_)) {
    faults_->Add(MidiFault::kTrackIgnored);
  } else if (IsFileHeader(p_, file_end_)) {
    faults_->Add(MidiFault::kOtherFile);
  } else if (!track_.has_end && p_ != file_end_) {
    faults_->Add(MidiFault::kTailIgnored);
  }
  return absl::OkStatus();
}

bool FileParser::FindTrack() {
  for (;;) {
    if (IsMidiTrackHeader(p_, file_end_)) return true;
    if (file_end_ - p_ < kMidiChunkHeaderSize) return false;
    if (IsFileHeader(p_, file_end_)) {
      faults_->Add(MidiFault::kOtherFile);
      return false;
    }
    if (IsMidiChunkBoundary(p_, file_end_)) {
      p_ += kMidiChunkHeaderSize + MidiBigEndian(p_ + 4, 4);
      continue;
    }
    // Ahead of the next track there may be another file's header.
    const uint8_t* track = FindMidiTrackHeader(p_, file_end_);
    if (track == file_end_) return false;
    const uint8_t* file = std::search(p_, track, kFileName, kFileName + 4);
    if (file == track) faults_->Add(MidiFault::kBetweenTracks);
    p_ = file;
  }
}

absl::Status FileParser::LenientTrack() {
  const bool in_turn = header_.format == 2 && reading_ == Reading::kStandard;
  const uint8_t* begin = p_;
  CONTINUO_RETURN_IF_ERROR(Track());
  lost_bytes_ += track_.lost_bytes;
  read_bytes_ += p_ - begin - track_.lost_bytes;
  if (damage_.ok()) damage_ = track_.damage;
  if (front_damage_.ok()) front_damage_ = track_.front_damage;
  if (header_.format == 2 && num_tracks_ > 1) {
    faults_->Add(in_turn ? MidiFault::kFormat2InTurn
                         : MidiFault::kFormat2Together);
  }
  if (in_turn) {
    ResetMidiConductor(num_tracks_ - 1, start_tick_, song_);
    start_tick_ = track_.end_tick;
  }
  return absl::OkStatus();
}

absl::Status FileParser::ParseLenientTracks() {
  const bool counted = header_.num_tracks > 0;
  while (FindTrack()) {
    if (counted && num_tracks_ >= header_.num_tracks) {
      if (reading_ == Reading::kMagenta) {
        faults_->Add(MidiFault::kTrackIgnored);
        break;
      }
      faults_->Add(MidiFault::kTrackBeyondCount);
    }
    CONTINUO_RETURN_IF_ERROR(LenientTrack());
  }
  if (num_tracks_ == 0) return counted ? FewerTracks() : NoTracks();
  if (num_tracks_ < header_.num_tracks) {
    faults_->Add(MidiFault::kMissingTracks, header_.num_tracks - num_tracks_);
  }
  if (song_->notes.empty() && !front_damage_.ok()) return front_damage_;
  // A result that is empty, the smaller part of a file or mostly noise is
  // refused.
  const bool is_little = song_->notes.empty() || lost_bytes_ > read_bytes_;
  const int64_t noise = faults_->Count(MidiFault::kDataByte) +
                        faults_->Count(MidiFault::kVelocity) +
                        faults_->Count(MidiFault::kPitch);
  const bool is_noise =
      lost_bytes_ > 0 && noise > static_cast<int64_t>(song_->notes.size());
  return is_little || is_noise ? damage_ : absl::OkStatus();
}

// True if the standard reading may differ from Magenta's.
bool StandardMayDiffer(const MidiFaults& faults) {
  constexpr MidiFault kFaults[] = {
      MidiFault::kFormat2Together, MidiFault::kUnknownMetaTime,
      MidiFault::kSystemRunning, MidiFault::kTrackIgnored,
      MidiFault::kTailIgnored};
  return std::any_of(std::begin(kFaults), std::end(kFaults),
                     [&](MidiFault fault) { return faults.Count(fault) > 0; });
}

// The MIDI file in a RIFF container (.rmi), or after bytes of another kind. The
// container's sizes do not matter: what follows the last track is not read.
absl::string_view Unwrap(absl::string_view bytes, ReadReport* report) {
  constexpr absl::string_view kStart("MThd\0\0\0\6", 8);
  if (absl::StartsWith(bytes, kFileName)) return bytes;
  const bool is_riff = absl::StartsWith(bytes, "RIFF") && bytes.size() >= 12 &&
                       bytes.substr(8, 4) == "RMID";
  const size_t start =
      (is_riff ? bytes : bytes.substr(0, kMaxFront)).find(kStart);
  if (start == absl::string_view::npos) return bytes;
  if (is_riff) {
    report->repair = "a RIFF container: Magenta reads none";
  } else {
    report->repair =
        absl::StrCat("bytes in front of the MIDI file: ", start, " bytes");
    report->Warn(MidiFaultText(MidiFault::kFileFront));
  }
  return bytes.substr(start);
}

}  // namespace

absl::StatusOr<MidiSong> ParseMidi(absl::string_view bytes,
                                   const ReadOptions& options,
                                   ReadReport* report) {
  ReadReport unused;
  if (report == nullptr) report = &unused;
  *report = {};
  bytes = Unwrap(bytes, report);
  const Reading reading = options.reading;
  ParsedMidi parsed;
  const absl::Status magenta =
      FileParser(bytes, MidiRules::kMagenta, reading).Parse(&parsed);
  if (absl::IsResourceExhausted(magenta)) return magenta;
  if (!magenta.ok()) {
    // The damage that stops the lenient rules is the one that matters.
    parsed = {};
    CONTINUO_RETURN_IF_ERROR(
        FileParser(bytes, MidiRules::kLenient, reading).Parse(&parsed));
    if (report->repair.empty()) report->repair = std::string(magenta.message());
  } else if (reading == Reading::kStandard &&
             StandardMayDiffer(parsed.faults)) {
    ParsedMidi standard;
    const absl::Status status =
        FileParser(bytes, MidiRules::kLenient, reading).Parse(&standard);
    if (status.ok() && !standard.is_damaged) parsed = std::move(standard);
  }
  ResolveMidiConductor(reading, &parsed.song, &parsed.faults);
  parsed.faults.AppendTo(report);
  return std::move(parsed.song);
}

}  // namespace continuo
