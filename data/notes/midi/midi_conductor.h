// SPDX-License-Identifier: Apache-2.0

// Which tempo, time and key signature events of a file count.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_CONDUCTOR_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_CONDUCTOR_H_

#include <cstdint>

#include "data/notes/midi/midi_faults.h"
#include "data/notes/midi/midi_song.h"
#include "data/notes/reading.h"

namespace continuo {

// `song` has the events of all tracks in the order of the file. Magenta's
// reading keeps those of the first track. The standard reading orders all of
// them by tick; on one tick the event of a later track replaces those of tracks
// before it, and events of later tracks that change nothing are left out. Where
// no track but the first has any, both leave all as it is.
void ResolveMidiConductor(Reading reading, MidiSong* song, MidiFaults* faults);

// Format 2, standard reading: track number `track`, whose events begin at
// `start_tick`, starts from the standard's 120 quarters a minute and 4/4 where
// it says nothing else, and not from what the track before it had. To be called
// when it has been read.
void ResetMidiConductor(int track, uint32_t start_tick, MidiSong* song);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_CONDUCTOR_H_
