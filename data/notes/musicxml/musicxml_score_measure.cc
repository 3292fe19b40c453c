// SPDX-License-Identifier: Apache-2.0

#include "data/notes/musicxml/musicxml_score_measure.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_chord_symbol.h"
#include "data/notes/musicxml/musicxml_score_attributes.h"
#include "data/notes/musicxml/musicxml_score_note.h"
#include "data/notes/musicxml/musicxml_tempo.h"

namespace continuo {
namespace {

// A measure while it is read.
class MeasureReader {
 public:
  MeasureReader(PartReader* part, WrittenMeasure* measure)
      : part_(*part), measure_(*measure) {
    content_.part = part->part;
  }

  void Read(pugi::xml_node node) {
    for (const pugi::xml_node child : node.children()) {
      const absl::string_view name = child.name();
      if (name == "note") {
        ReadScoreNote(child, &part_, &cursor_, &content_.notes);
      } else if (name == "attributes") {
        ReadScoreAttributes(child, cursor_.time, &part_, &measure_);
      } else if (name == "direction") {
        ReadDirection(child);
      } else if (name == "sound") {
        ReadSound(child, 0);
      } else if (name == "harmony") {
        ReadHarmony(child);
      } else if (name == "backup") {
        Move(-Length(child.child("duration")));
      } else if (name == "forward") {
        Move(Length(child.child("duration")));
        cursor_.extent = std::max(cursor_.extent, cursor_.time);
      }
    }
    // Rests alone make no measure longer.
    Ticks& extent = cursor_.has_notes ? measure_.extent : measure_.measure_rest;
    extent = std::max(extent, cursor_.extent);
    measure_.measure_rest =
        std::max(measure_.measure_rest, cursor_.measure_rest);
    if (content_.notes.empty() && content_.symbols.empty()) return;
    // Voices follow each other; ties want time to ascend.
    std::stable_sort(content_.notes.begin(), content_.notes.end(),
                     [](const WrittenNote& a, const WrittenNote& b) {
                       return a.start < b.start;
                     });
    measure_.parts.push_back(std::move(content_));
  }

 private:
  // In ticks; 0, with a warning, for what is none.
  Ticks Length(pugi::xml_node node) {
    return ReadLength(node, &part_).value_or(0);
  }

  void Move(Ticks ticks) { MoveCursor(ticks, &part_, &cursor_); }

  void ReadDirection(pugi::xml_node direction) {
    // <offset> moves the sign on paper, and the sound only if it says so.
    Ticks offset = 0;
    if (const pugi::xml_node node = direction.child("offset");
        absl::string_view(node.attribute("sound").value()) == "yes") {
      offset = Length(node);
    }
    for (const pugi::xml_node type : direction.children("direction-type")) {
      for (const pugi::xml_node mark : type.children("metronome")) {
        if (const auto tempo = ReadMetronome(mark, part_.report)) {
          AddTempo(offset,
                   {.value = tempo->value, .is_factor = tempo->is_factor});
        }
      }
    }
    for (const pugi::xml_node sound : direction.children("sound")) {
      ReadSound(sound, offset);
    }
  }

  void AddTempo(Ticks offset, WrittenTempo tempo) {
    tempo.start = std::clamp(cursor_.time + offset, Ticks{0}, kMaxMeasureTicks);
    measure_.tempos.push_back(tempo);
  }

  void ReadSound(pugi::xml_node sound, Ticks offset) {
    if (const pugi::xml_node own = sound.child("offset")) {
      offset = Length(own);
    }
    if (const pugi::xml_attribute attribute = sound.attribute("tempo")) {
      if (const auto qpm = ReadSoundTempo(attribute.value(), part_.report)) {
        AddTempo(offset, {.value = *qpm, .is_sound = true});
      }
    }
    if (const pugi::xml_attribute dynamics = sound.attribute("dynamics")) {
      part_.velocity = ReadVelocity(dynamics, &part_).value_or(part_.velocity);
    }
  }

  void ReadHarmony(pugi::xml_node node) {
    // Far longer than any chord symbol, and repeats multiply it.
    constexpr size_t kLongestSymbol = 200;
    auto symbol = ReadChordSymbol(node, TranspositionOf(part_, 1).semitones,
                                  part_.repair);
    if (!symbol.ok() || symbol->text.size() > kLongestSymbol) {
      part_.Warn("a chord symbol that cannot be understood, left out");
      return;
    }
    if (symbol->text.empty()) return;
    Ticks offset = 0;
    if (symbol->offset != 0) offset = Length(node.child("offset"));
    content_.symbols.push_back(
        {std::clamp(cursor_.time + offset, Ticks{0}, kMaxMeasureTicks),
         std::move(symbol->text)});
  }

  PartReader& part_;
  WrittenMeasure& measure_;
  WrittenPartMeasure content_;
  MeasureCursor cursor_;
};

}  // namespace

void ReadPartMeasure(pugi::xml_node node, PartReader* reader,
                     WrittenMeasure* measure) {
  MeasureReader(reader, measure).Read(node);
}

}  // namespace continuo
