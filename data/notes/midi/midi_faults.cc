// SPDX-License-Identifier: Apache-2.0

#include "data/notes/midi/midi_faults.h"

namespace continuo {

absl::string_view MidiFaultText(MidiFault fault) {
  switch (fault) {
    case MidiFault::kTempoElsewhere:
      return "a tempo outside the first track, ignored as Magenta does";
    case MidiFault::kMeterElsewhere:
      return "a time signature outside the first track, ignored as Magenta "
             "does";
    case MidiFault::kKeyElsewhere:
      return "a key signature outside the first track, ignored as Magenta does";
    case MidiFault::kFormat2Together:
      return "a track of format 2 played together with the first, as Magenta "
             "does";
    case MidiFault::kUnknownMetaTime:
      return "time in front of an unknown meta event, dropped as Magenta does";
    case MidiFault::kSystemRunning:
      return "data behind a system message, read as Magenta does";
    case MidiFault::kTrackIgnored:
      return "a track beyond the number in the header, ignored as Magenta does";
    case MidiFault::kTailIgnored:
      return "bytes behind a last track without end, ignored as Magenta does";
    case MidiFault::kFormat2InTurn:
      return "a track of format 2, played after the one before it";
    case MidiFault::kOverride:
      return "a tempo, time or key signature replaced by another track's at "
             "the same time";
    case MidiFault::kTrackBeyondCount:
      return "a track beyond the number in the header, read";
    case MidiFault::kEndlessNote:
      return "a note without an end, left out";
    case MidiFault::kEmptyNote:
      return "a note that ends where it begins, left out";
    case MidiFault::kDataByte:
      return "an event with a data byte above 127, left out";
    case MidiFault::kVelocity:
      return "a velocity above 127, taken as 127";
    case MidiFault::kPitch:
      return "a note number above 127, left out";
    case MidiFault::kSystemMessage:
      return "a system message that no file should have, left out";
    case MidiFault::kTempo:
      return "a wrong tempo, left out";
    case MidiFault::kMeter:
      return "a wrong time signature, left out";
    case MidiFault::kKey:
      return "a wrong key signature, left out";
    case MidiFault::kOtherMeta:
      return "a damaged meta event that is not used, left out";
    case MidiFault::kTrackSize:
      return "a track of another size than it says, read to its end";
    case MidiFault::kBehindEnd:
      return "bytes behind the end of a track, left out";
    case MidiFault::kBetweenTracks:
      return "bytes between tracks, left out";
    case MidiFault::kMissingTracks:
      return "a track that the header counts and the file does not have";
    case MidiFault::kOtherFile:
      return "another MIDI file behind the first, left out";
    case MidiFault::kFileFront:
      return "bytes in front of the MIDI file, left out";
    case MidiFault::kHeaderSize:
      return "a wrong header size";
    case MidiFault::kCutTrack:
      return "a track cut off by the end of the file, read so far";
    case MidiFault::kDamagedTrack:
      return "a damaged track, read up to the damage";
    case MidiFault::kDamagedFront:
      return "damage ahead of the notes of a track, left out";
    case MidiFault::kCutNote:
      return "a note without an end in a cut track, ended with the track";
    case MidiFault::kNumFaults:
      break;
  }
  return "";
}

void MidiFaults::AppendTo(ReadReport* report) const {
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    report->Warn(MidiFaultText(static_cast<MidiFault>(i)), counts_[i]);
  }
}

}  // namespace continuo
