// SPDX-License-Identifier: Apache-2.0

// From the measures of a MusicXML document to a written score.

#ifndef CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_READER_H_
#define CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_READER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "data/notes/musicxml/musicxml_document.h"
#include "data/notes/musicxml/musicxml_parts.h"
#include "data/notes/musicxml/musicxml_score.h"
#include "data/notes/reading.h"

namespace continuo {

// Reads all parts, each from its own start: nothing of one holds in the next.
// Why Magenta rejects the score goes to `repair`, what is left out or guessed
// to `report`. ResourceExhausted for more than kMaxMeasures.
absl::StatusOr<WrittenScore> ReadWrittenScore(
    const std::vector<PartNodes>& parts, ScoreRepair* repair,
    ReadReport* report);

}  // namespace continuo

#endif  // CONTINUO_DATA_NOTES_MUSICXML_MUSICXML_SCORE_READER_H_
