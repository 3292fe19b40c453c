// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_parts.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace continuo {
namespace {

using ::tensorflow::magenta::NoteSequence;

using PartList = absl::flat_hash_map<std::string, pugi::xml_node>;

PartList ReadPartList(pugi::xml_node score, ScoreRepair* repair) {
  PartList parts;
  for (const pugi::xml_node node :
       score.child("part-list").children("score-part")) {
    if (!node.attribute("id")) repair->Add("a <score-part> without id");
    parts[XmlAttribute(node, "id")] = node;  // the last of equal ids counts
  }
  return parts;
}

// <score-partwise>: parts that hold measures.
std::vector<PartNodes> PartwiseParts(pugi::xml_node score) {
  std::vector<PartNodes> parts;
  for (const pugi::xml_node node : score.children("part")) {
    PartNodes part{.id = XmlAttribute(node, "id"), .measures = {}};
    for (const pugi::xml_node measure : node.children("measure")) {
      part.measures.push_back({part.measures.size(), measure});
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

// <score-timewise>: measures that hold parts.
std::vector<PartNodes> TimewiseParts(pugi::xml_node score) {
  std::vector<PartNodes> parts;
  absl::flat_hash_map<std::string, size_t> index_of_id;
  size_t measure_index = 0;
  for (const pugi::xml_node measure : score.children("measure")) {
    for (const pugi::xml_node part : measure.children("part")) {
      const std::string id = XmlAttribute(part, "id");
      const auto [entry, is_new] = index_of_id.emplace(id, parts.size());
      if (is_new) parts.push_back({.id = id, .measures = {}});
      parts[entry->second].measures.push_back({measure_index, part});
    }
    ++measure_index;
  }
  return parts;
}

}  // namespace

absl::StatusOr<std::vector<PartNodes>> FindParts(pugi::xml_node root,
                                                 ScoreRepair* repair) {
  const absl::string_view name = root.name();
  std::vector<PartNodes> parts;
  if (name == "score-partwise") {
    parts = PartwiseParts(root);
  } else if (name == "score-timewise") {
    repair->Add("a time-wise score");
    parts = TimewiseParts(root);
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a MusicXML score: the document is <", QuoteForMessage(name),
        ">, expected <score-partwise> or <score-timewise>"));
  }
  const PartList list = ReadPartList(root, repair);
  for (PartNodes& part : parts) {
    if (const auto listed = list.find(part.id); listed != list.end()) {
      part.listed = listed->second;
    }
  }
  return parts;
}

absl::Status AddPartInfos(const std::vector<PartNodes>& parts,
                          NoteSequence* sequence) {
  size_t total = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string name = XmlText(parts[i].listed.child("part-name"));
    total += name.size();
    if (total > kMaxXmlBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("part names beyond the limit: more than ", kMaxXmlBytes,
                       " bytes in ", i + 1, " parts; shorten <part-name>"));
    }
    NoteSequence::PartInfo* info = sequence->add_part_infos();
    info->set_part(static_cast<int>(i));
    info->set_name(std::move(name));
  }
  return absl::OkStatus();
}

std::string PlaceOf(const PartNodes& part, size_t part_index,
                    const MeasureNode& measure) {
  const pugi::xml_node node =
      measure.node.attribute("number")
          ? measure.node
          : measure.node.parent();  // of a time-wise part
  const std::string number = XmlAttribute(node, "number");
  return absl::StrCat("part ", part_index + 1, " (", QuoteForMessage(part.id),
                      "), measure ",
                      number.empty() ? absl::StrCat("no. ", measure.index + 1)
                                     : QuoteForMessage(number));
}

absl::Status AtPlace(const absl::Status& status, absl::string_view place) {
  const absl::string_view message = status.message();
  return absl::Status(
      status.code(),
      absl::StrCat(message, absl::StrContains(message, ": ") ? "; " : ": ",
                   place));
}

}  // namespace continuo
