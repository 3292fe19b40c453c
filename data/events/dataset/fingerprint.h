// SPDX-License-Identifier: Apache-2.0

// Fingerprints of music, independent of name, key and kind of file, to find
// duplicates among the sequences of a data set.

#ifndef CONTINUO_DATA_EVENTS_DATASET_FINGERPRINT_H_
#define CONTINUO_DATA_EVENTS_DATASET_FINGERPRINT_H_

#include <array>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "data/proto/music.pb.h"

namespace continuo {

// Half a kilobyte, however long the piece.
struct Fingerprint {
  // A hash of all notes; both words 0 for a piece of too few to be told from
  // others (kFewestNotes).
  std::array<uint64_t, 2> notes{};
  // MinHash of its phrases: the share of equal elements of two sketches is
  // about that of the phrases that two pieces have in common, among all of both
  // (Broder, "On the resemblance and containment of documents", 1997).
  // All 0 for a piece of too few phrases.
  std::array<uint32_t, 128> sketch{};

  bool has_notes() const { return notes[0] != 0 || notes[1] != 0; }
  bool has_sketch() const { return sketch[0] != 0; }
};

// Pieces of fewer notes (or drum hits) are never taken for duplicates.
inline constexpr int kFewestNotes = 8;

// Melodies. Notes: starts in 1/24 of a quarter note from the first one's, and
// pitches from the first one's, of all notes but drums; tempo, key, velocities,
// lengths and instruments do not matter. Phrases: nine notes of the highest
// voice by their intervals, so that a tune is known in another rhythm.
Fingerprint FingerprintMelody(
    const tensorflow::magenta::NoteSequence& sequence);

// Drums. Notes: which of the nine drum classes are struck, in sixteenths from
// the first hit; what plays them and how loud does not matter. Phrases: sixteen
// hits.
Fingerprint FingerprintDrums(
    const tensorflow::magenta::NoteSequence& sequence,
    absl::FunctionRef<bool(const tensorflow::magenta::NoteSequence::Note&)>
        is_drum);

// Performances. Notes: starts on a grid of 50 ms from the first one's, and
// pitches from the first one's. Phrases: nine notes by their intervals, so that
// two performances of one composition have many in common.
Fingerprint FingerprintPerformance(
    const tensorflow::magenta::NoteSequence& sequence);

// About the share of phrases that two pieces have in common, 0 to 1; 0 if one
// has too few.
double Resemblance(const Fingerprint& a, const Fingerprint& b);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_FINGERPRINT_H_
