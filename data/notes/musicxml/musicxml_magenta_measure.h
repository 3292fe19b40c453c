// SPDX-License-Identifier: Apache-2.0

// One <measure> of a MusicXML part as Magenta reads it, and the NoteSequence
// that measures add to.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_MEASURE_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_MEASURE_H_

#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "data/notes/musicxml/musicxml_magenta_state.h"
#include "data/notes/reading.h"
#include "data/proto/music.pb.h"
#include "pugixml.hpp"

namespace continuo {

struct MagentaBuilder {
  tensorflow::magenta::NoteSequence* sequence = nullptr;
  ReadReport* report = nullptr;  // for warnings
  // What is in `*sequence` already: parts restate the signatures of others.
  absl::flat_hash_set<std::tuple<double, int, int>> time_signatures = {};
  absl::flat_hash_set<std::pair<double, int>> key_fifths = {};
};

// Reads `measure` of part number `part_index` (0-based) at the state's time,
// adds its notes, chord symbols, signatures and (first part only) tempos to
// `builder` and moves the state to its end. As in Magenta, the measure's length
// is that of its first voice, and
//  - without a time signature in force, that length becomes one (also 0/1);
//  - a measure of other length than the signature in force, and any measure
//    whose length in divisions is less than that signature's beats, gets its
//    length as a signature: N/N for a whole note, else reduced (6/8 is 3/4);
//  - only the last key of a measure counts, transposed with the part if the
//    <transpose> stands in the same measure, after it;
//  - a tempo is what <sound tempo> within a <direction> says, its dynamics
//    attribute the velocity from there on; other <sound>s are not read;
//  - a measure of one <forward> and no notes is a rest of that length.
//
// InvalidArgument for what Magenta rejects.
absl::Status ReadMagentaMeasure(pugi::xml_node measure, int part_index,
                                MagentaState* state, MagentaBuilder* builder);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_MAGENTA_MEASURE_H_
