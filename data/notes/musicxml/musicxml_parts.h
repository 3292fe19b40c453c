// SPDX-License-Identifier: Apache-2.0

// The parts of a MusicXML score, from either layout, and the part list.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PARTS_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PARTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/proto/music.pb.h"
#include "pugixml.hpp"

namespace continuo {

// A measure of one part: <measure>, or the <part> within a time-wise one.
struct MeasureNode {
  size_t index = 0;  // among the measures of the score
  pugi::xml_node node;
};

struct PartNodes {
  std::string id;
  std::vector<MeasureNode> measures = {};  // by index
  pugi::xml_node listed = {};  // its <score-part>; null if there is none
};

// The score's parts in order. Why Magenta rejects the score goes to `repair`: a
// time-wise score, in which it finds no notes, and a <score-part> without id.
// InvalidArgument if `root` is no score.
absl::StatusOr<std::vector<PartNodes>> FindParts(pugi::xml_node root,
                                                 ScoreRepair* repair);

// Adds the names of `parts` to `sequence`. ResourceExhausted if they are longer
// than any document: a name stands in the file once, and here for every part
// that refers to it.
absl::Status AddPartInfos(const std::vector<PartNodes>& parts,
                          tensorflow::magenta::NoteSequence* sequence);

// "part 2 (P2), measure 17", with the measure's printed number if it has one.
std::string PlaceOf(const PartNodes& part, size_t part_index,
                    const MeasureNode& measure);

// `status` with `place` among its details.
absl::Status AtPlace(const absl::Status& status, absl::string_view place);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_PARTS_H_
