// SPDX-License-Identifier: Apache-2.0

// The names of the General MIDI programs.

#ifndef CONTINUO_DATA_NOTES_MIDI_MIDI_PROGRAMS_H_
#define CONTINUO_DATA_NOTES_MIDI_MIDI_PROGRAMS_H_

#include "absl/strings/string_view.h"

namespace continuo {

// The name of a program in 0..127, spelled as Magenta writes it into the tracks
// of its files.
absl::string_view MidiProgramName(int program);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MIDI_MIDI_PROGRAMS_H_
