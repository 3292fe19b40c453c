// SPDX-License-Identifier: Apache-2.0

// A written score, played: its NoteSequence.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SEQUENCE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SEQUENCE_H_

#include "absl/status/status.h"
#include "data/notes/musicxml/musicxml_score.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Adds the notes of `score` to `sequence`, part by part, with its chord
// symbols, tempos, time and key signatures. Repeats and jumps are played, and
// tied notes are one. A note's instrument is its part, and its notated length
// follows from its time.
//
// What is written at a place of the score holds there whenever it is played:
// after a jump the tempo is the one that is in force where it leads.
//
// InvalidArgument for a score that lasts longer than kMaxScoreSeconds.
absl::Status AddPlayedScore(const WrittenScore& score,
                            tensorflow::magenta::NoteSequence* sequence,
                            ReadReport* report);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SEQUENCE_H_
