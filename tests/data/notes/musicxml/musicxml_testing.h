// SPDX-License-Identifier: Apache-2.0

// Small MusicXML scores for tests.

#ifndef CONTINUO_TESTS_DATA_NOTES_MUSICXML_MUSICXML_TESTING_H_
#define CONTINUO_TESTS_DATA_NOTES_MUSICXML_MUSICXML_TESTING_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "data/notes/musicxml/musicxml_reader.h"
#include "data/proto/music.pb.h"
#include "gtest/gtest.h"
#include "runtime/base/log.h"

namespace continuo::testing {

inline std::string XmlMeasure(absl::string_view content) {
  return absl::StrCat("<measure>", content, "</measure>");
}

inline std::string XmlPart(absl::string_view id, absl::string_view measures) {
  return absl::StrCat("<part id=\"", id, "\">", measures, "</part>");
}

inline std::string XmlScore(absl::string_view parts,
                            absl::string_view part_list = "") {
  return absl::StrCat("<?xml version=\"1.0\"?><score-partwise><part-list>",
                      part_list, "</part-list>", parts, "</score-partwise>");
}

// A score of one part with one measure.
inline std::string XmlScoreOf(absl::string_view content) {
  return XmlScore(XmlPart("P1", XmlMeasure(content)));
}

// Middle C for `duration` divisions, with `extra` elements after that.
inline std::string XmlC4(int duration, absl::string_view extra = "") {
  return absl::StrCat(
      "<note><pitch><step>C</step><octave>4</octave></pitch><duration>",
      duration, "</duration>", extra, "</note>");
}

inline std::string XmlPitch(absl::string_view step, absl::string_view alter,
                            int octave) {
  return absl::StrCat("<note><pitch><step>", step, "</step><alter>", alter,
                      "</alter><octave>", octave,
                      "</octave></pitch><duration>1</duration></note>");
}

inline std::string XmlTime(absl::string_view beats,
                           absl::string_view beat_type) {
  return absl::StrCat("<attributes><time><beats>", beats, "</beats><beat-type>",
                      beat_type, "</beat-type></time></attributes>");
}

inline std::string XmlDivisions(int divisions) {
  return absl::StrCat("<attributes><divisions>", divisions,
                      "</divisions></attributes>");
}

inline tensorflow::magenta::NoteSequence MustReadMusicXml(
    absl::string_view xml, Reading reading = Reading::kStandard) {
  auto sequence = ReadMusicXml(xml, {reading});
  EXPECT_TRUE(sequence.ok()) << sequence.status() << "\n" << xml;
  return sequence.ok() ? *std::move(sequence)
                       : tensorflow::magenta::NoteSequence();
}

// The same as Magenta reads it, and would read it.
inline tensorflow::magenta::NoteSequence MustReadAsMagenta(
    absl::string_view xml) {
  ReadReport report;
  auto sequence = ReadMusicXml(xml, {Reading::kMagenta}, &report);
  EXPECT_TRUE(sequence.ok()) << sequence.status() << "\n" << xml;
  EXPECT_EQ(report.repair, "") << xml;
  return sequence.ok() ? *std::move(sequence)
                       : tensorflow::magenta::NoteSequence();
}

// What Magenta stumbles over in `xml`, which must be read by the standard.
inline std::string MagentaRejection(absl::string_view xml) {
  ReadReport report;
  const auto sequence = ReadMusicXml(xml, {Reading::kMagenta}, &report);
  EXPECT_TRUE(sequence.ok()) << sequence.status() << "\n" << xml;
  if (sequence.ok() && !report.repair.empty()) {
    const auto standard = ReadMusicXml(xml);
    EXPECT_TRUE(standard.ok());
    EXPECT_EQ(standard->SerializeAsString(), sequence->SerializeAsString())
        << xml;
  }
  return report.repair;
}

// The warnings about `xml`, as in "2 x a grace note, left out".
inline std::string MusicXmlWarnings(absl::string_view xml) {
  ReadReport report;
  const auto sequence = ReadMusicXml(xml, {}, &report);
  EXPECT_TRUE(sequence.ok()) << sequence.status() << "\n" << xml;
  return report.WarningText();
}

// The message of the error that reading `xml` must give.
inline std::string MusicXmlError(absl::string_view xml) {
  const auto sequence = ReadMusicXml(xml);
  EXPECT_FALSE(sequence.ok()) << xml;
  return std::string(sequence.status().message());
}

// "4/4@0 3/4@2": the time signatures and their times.
inline std::string TimeSignatures(
    const tensorflow::magenta::NoteSequence& sequence) {
  std::string text;
  for (const auto& signature : sequence.time_signatures()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", signature.numerator(), "/",
                    signature.denominator(), "@", signature.time());
  }
  return text;
}

// "120@0 60@0.5": the tempos and their times.
inline std::string Tempos(const tensorflow::magenta::NoteSequence& sequence) {
  std::string text;
  for (const auto& tempo : sequence.tempos()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", tempo.qpm(), "@",
                    tempo.time());
  }
  return text;
}

// "0@0 9m@2": keys by the pitch class of their tonic, "m" for minor, and times.
inline std::string Keys(const tensorflow::magenta::NoteSequence& sequence) {
  std::string text;
  for (const auto& key : sequence.key_signatures()) {
    absl::StrAppend(
        &text, text.empty() ? "" : " ", static_cast<int>(key.key()),
        key.mode() == tensorflow::magenta::NoteSequence::KeySignature::MINOR
            ? "m"
            : "",
        "@", key.time());
  }
  return text;
}

// "60@0-0.5 62@0.5-1": the notes in the order of the score.
inline std::string Notes(const tensorflow::magenta::NoteSequence& sequence) {
  std::string text;
  for (const auto& note : sequence.notes()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", note.pitch(), "@",
                    note.start_time(), "-", note.end_time());
  }
  return text;
}

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_DATA_NOTES_MUSICXML_MUSICXML_TESTING_H_
