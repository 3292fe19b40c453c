#include "data/notes/musicxml_reader.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/musicxml_container.h"
#include "data/notes/musicxml_document.h"
#include "data/notes/musicxml_measure.h"
#include "data/notes/musicxml_state.h"
#include "pugixml.hpp"
#include "runtime/status.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

using PartList = absl::flat_hash_map<std::string, ScorePart>;

// The original's fixed resolution, whatever the score's divisions.
constexpr int kTicksPerQuarter = 220;

// A part's measures in order, from either layout.
struct PartNodes {
  std::string id;
  std::vector<pugi::xml_node> measures;
};

// A message that has reason and details, or only a reason, with `place` in the
// details.
std::string WithPlace(absl::string_view message, absl::string_view place) {
  return absl::StrCat(message, absl::StrContains(message, ": ") ? "; " : ": ",
                      place);
}

absl::Status At(const absl::Status& status, absl::string_view place) {
  return absl::Status(status.code(), WithPlace(status.message(), place));
}

absl::StatusOr<ScorePart> ReadScorePart(pugi::xml_node node,
                                        ScoreRepair* repair) {
  ScorePart part;
  part.name = XmlText(node.child("part-name"));
  const pugi::xml_node first = node.child("midi-instrument");
  const pugi::xml_node channel = first.child("midi-channel");
  const pugi::xml_node program = first.child("midi-program");
  if (channel && program) {
    CONTINUO_ASSIGN_OR_RETURN(part.channel,
                              XmlInteger(channel, "midi-channel", repair));
    CONTINUO_ASSIGN_OR_RETURN(part.program,
                              XmlInteger(program, "midi-program", repair));
  }
  for (const pugi::xml_node instrument : node.children("midi-instrument")) {
    const pugi::xml_node unpitched = instrument.child("midi-unpitched");
    if (!unpitched) continue;
    CONTINUO_ASSIGN_OR_RETURN(const int number,
                              XmlInteger(unpitched, "midi-unpitched", repair));
    if (number < 1 || number > 128) {
      return absl::InvalidArgumentError(absl::StrCat(
          "an impossible <midi-unpitched>: ", number, ", expected 1 to 128"));
    }
    part.drum_pitches.emplace(XmlAttribute(instrument, "id"), number - 1);
  }
  return part;
}

absl::StatusOr<PartList> ReadPartList(pugi::xml_node score,
                                      ScoreRepair* repair) {
  PartList parts;
  for (const pugi::xml_node node :
       score.child("part-list").children("score-part")) {
    const std::string id = XmlAttribute(node, "id");
    if (!node.attribute("id")) repair->Add("a <score-part> without id");
    auto part = ReadScorePart(node, repair);
    if (!part.ok()) {
      return At(part.status(),
                absl::StrCat("score-part \"", QuoteForMessage(id), "\""));
    }
    parts[id] = *std::move(part);  // the last of equal ids counts
  }
  return parts;
}

// <score-partwise>: parts that hold measures.
std::vector<PartNodes> PartwiseParts(pugi::xml_node score) {
  std::vector<PartNodes> parts;
  for (const pugi::xml_node part : score.children("part")) {
    const auto measures = part.children("measure");
    parts.push_back({.id = XmlAttribute(part, "id"),
                     .measures = {measures.begin(), measures.end()}});
  }
  return parts;
}

// <score-timewise>: measures that hold parts.
std::vector<PartNodes> TimewiseParts(pugi::xml_node score) {
  std::vector<PartNodes> parts;
  absl::flat_hash_map<std::string, size_t> index_of_id;
  for (const pugi::xml_node measure : score.children("measure")) {
    for (const pugi::xml_node part : measure.children("part")) {
      const std::string id = XmlAttribute(part, "id");
      const auto [entry, is_new] = index_of_id.emplace(id, parts.size());
      if (is_new) parts.push_back({.id = id, .measures = {}});
      parts[entry->second].measures.push_back(part);
    }
  }
  return parts;
}

absl::StatusOr<std::vector<PartNodes>> FindParts(pugi::xml_node root,
                                                 ScoreRepair* repair) {
  const absl::string_view name = root.name();
  if (name == "score-partwise") return PartwiseParts(root);
  if (name == "score-timewise") {
    repair->Add("a time-wise score");
    return TimewiseParts(root);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "not a MusicXML score: the document is <", QuoteForMessage(name),
      ">, expected <score-partwise> or <score-timewise>"));
}

// "part 2 (P2), measure 17", with the measure's printed number if it has one.
std::string Place(const PartNodes& part, size_t part_index,
                  size_t measure_index) {
  const pugi::xml_node node = part.measures[measure_index];
  const pugi::xml_node measure =
      node.attribute("number") ? node : node.parent();  // of a time-wise part
  const std::string number = XmlAttribute(measure, "number");
  return absl::StrCat("part ", part_index + 1, " (", QuoteForMessage(part.id),
                      "), measure ",
                      number.empty() ? absl::StrCat("no. ", measure_index + 1)
                                     : QuoteForMessage(number));
}

absl::Status ReadPart(const PartNodes& nodes, int part_index,
                      const ScorePart& part, ScoreState* state,
                      ScoreBuilder* builder) {
  state->time = 0;
  state->transpose = 0;
  NoteSequence::PartInfo* info = builder->sequence->add_part_infos();
  info->set_part(part_index);
  info->set_name(part.name);
  for (size_t i = 0; i < nodes.measures.size(); ++i) {
    const absl::Status status =
        ReadScoreMeasure(nodes.measures[i], part_index, part, state, builder);
    if (!status.ok()) return At(status, Place(nodes, part_index, i));
  }
  builder->sequence->set_total_time(
      std::max(builder->sequence->total_time(), state->time));
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadMusicXml(absl::string_view bytes, NoteSequence* sequence,
                          const ReadOptions& /*options*/, ReadReport* report) {
  sequence->Clear();
  ScoreState state;
  std::string unpacked;
  if (IsZipArchive(bytes)) {
    CONTINUO_ASSIGN_OR_RETURN(unpacked, ExtractMusicXml(bytes, &state.repair));
    bytes = unpacked;
  }
  pugi::xml_document document;
  CONTINUO_RETURN_IF_ERROR(ParseXml(bytes, &document));
  const pugi::xml_node score = document.document_element();
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<PartNodes> parts,
                            FindParts(score, &state.repair));
  CONTINUO_ASSIGN_OR_RETURN(const PartList part_list,
                            ReadPartList(score, &state.repair));

  ScoreBuilder builder{.sequence = sequence};
  sequence->set_ticks_per_quarter(kTicksPerQuarter);
  NoteSequence::SourceInfo* source = sequence->mutable_source_info();
  source->set_source_type(NoteSequence::SourceInfo::SCORE_BASED);
  source->set_encoding_type(NoteSequence::SourceInfo::MUSIC_XML);
  source->set_parser(NoteSequence::SourceInfo::MAGENTA_MUSIC_XML);

  const ScorePart unlisted;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto listed = part_list.find(parts[i].id);
    CONTINUO_RETURN_IF_ERROR(
        ReadPart(parts[i], static_cast<int>(i),
                 listed != part_list.end() ? listed->second : unlisted, &state,
                 &builder));
  }
  // The defaults: C major, and the tempo in force at the end.
  if (!builder.has_key) sequence->add_key_signatures();
  if (sequence->tempos().empty()) sequence->add_tempos()->set_qpm(state.qpm);
  if (report != nullptr)
    *report = {.repair = state.repair.text(), .warnings = {}};
  return absl::OkStatus();
}

absl::StatusOr<NoteSequence> ReadMusicXml(absl::string_view bytes,
                                          const ReadOptions& options,
                                          ReadReport* report) {
  NoteSequence sequence;
  CONTINUO_RETURN_IF_ERROR(ReadMusicXml(bytes, &sequence, options, report));
  return sequence;
}

}  // namespace continuo
