// SPDX-License-Identifier: Apache-2.0

// Whole MusicXML scores: layouts, part list, defaults, places in messages.

#include "data/notes/musicxml/musicxml_reader.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/data/notes/musicxml/musicxml_testing.h"

namespace continuo {
namespace {

using ::continuo::testing::MagentaRejection;
using ::continuo::testing::MusicXmlError;
using ::continuo::testing::MustReadAsMagenta;
using ::continuo::testing::MustReadMusicXml;
using ::continuo::testing::Notes;
using ::continuo::testing::XmlC4;
using ::continuo::testing::XmlDivisions;
using ::continuo::testing::XmlMeasure;
using ::continuo::testing::XmlPart;
using ::continuo::testing::XmlScore;
using ::continuo::testing::XmlScoreOf;
using ::tensorflow::magenta::NoteSequence;

std::string ScorePart(absl::string_view id, absl::string_view content) {
  return absl::StrCat("<score-part id=\"", id, "\">", content, "</score-part>");
}

TEST(MusicXmlReaderTest, HeaderAndDefaults) {
  const NoteSequence sequence = MustReadAsMagenta(XmlScoreOf(XmlC4(1)));
  EXPECT_EQ(sequence.ticks_per_quarter(), 220);
  EXPECT_EQ(sequence.source_info().source_type(),
            NoteSequence::SourceInfo::SCORE_BASED);
  EXPECT_EQ(sequence.source_info().encoding_type(),
            NoteSequence::SourceInfo::MUSIC_XML);
  EXPECT_EQ(sequence.source_info().parser(),
            NoteSequence::SourceInfo::MAGENTA_MUSIC_XML);
  EXPECT_EQ(sequence.total_time(), 0.5);
  ASSERT_EQ(sequence.tempos_size(), 1);
  EXPECT_EQ(sequence.tempos(0).qpm(), 120);
  ASSERT_EQ(sequence.key_signatures_size(), 1);
  EXPECT_EQ(sequence.key_signatures(0).key(), NoteSequence::KeySignature::C);
  EXPECT_EQ(sequence.notes(0).velocity(), 64);
  EXPECT_EQ(sequence.notes(0).voice(), 1);
  EXPECT_TRUE(sequence.id().empty());
  EXPECT_TRUE(sequence.filename().empty());

  // The standard makes up no key.
  NoteSequence standard = MustReadMusicXml(XmlScoreOf(XmlC4(1)));
  EXPECT_EQ(standard.key_signatures_size(), 0);
  standard.add_key_signatures();
  EXPECT_EQ(standard.SerializeAsString(), sequence.SerializeAsString());
}

TEST(MusicXmlReaderTest, PartListGivesNamesAndInstruments) {
  const auto midi = [](int channel, int program) {
    return absl::StrCat("<midi-instrument><midi-channel>", channel,
                        "</midi-channel><midi-program>", program,
                        "</midi-program></midi-instrument>");
  };
  const std::string part_list = absl::StrCat(
      ScorePart("P1", absl::StrCat("<part-name> Pi&#xe9;no\n</part-name>",
                                   midi(1, 7), midi(3, 9))),
      ScorePart("P2",
                "<part-name> </part-name><midi-instrument>"
                "<midi-channel>4</midi-channel></midi-instrument>"));
  const std::string measure = XmlMeasure(XmlC4(1));
  const NoteSequence sequence = MustReadAsMagenta(
      XmlScore(absl::StrCat(XmlPart("P1", measure), XmlPart("P2", measure),
                            XmlPart("unlisted", measure)),
               part_list));
  ASSERT_EQ(sequence.part_infos_size(), 3);
  EXPECT_EQ(sequence.part_infos(0).name(), " Pi\u00e9no\n");
  EXPECT_EQ(sequence.part_infos(1).name(), " ");
  EXPECT_EQ(sequence.part_infos(2).name(), "");
  EXPECT_EQ(sequence.part_infos(2).part(), 2);
  ASSERT_EQ(sequence.notes_size(), 3);
  EXPECT_EQ(sequence.notes(0).instrument(), 1);
  EXPECT_EQ(sequence.notes(0).program(), 7);
  // A channel without a program counts for nothing.
  EXPECT_EQ(sequence.notes(1).instrument(), 0);
  EXPECT_EQ(sequence.notes(1).part(), 1);
}

TEST(MusicXmlReaderTest, DivisionsHoldInTheNextPart) {
  const auto second_part = [](int divisions, absl::string_view content) {
    return XmlScore(absl::StrCat(
        XmlPart("P1",
                XmlMeasure(absl::StrCat(XmlDivisions(4), XmlC4(4),
                                        XmlDivisions(divisions), XmlC4(2)))),
        XmlPart("P2", XmlMeasure(content))));
  };
  EXPECT_EQ(Notes(MustReadAsMagenta(second_part(2, XmlC4(2)))),
            "60@0-0.5 60@0.5-1 60@0-0.5");
  // By the standard a part has its own; without any, it is likely to have those
  // with which the first one begins.
  EXPECT_EQ(Notes(MustReadMusicXml(second_part(2, XmlC4(2)))),
            "60@0-0.5 60@0.5-1 60@0-0.25");
}

TEST(MusicXmlReaderTest, TimewiseScoresAreTheSameMusic) {
  const auto part = [](absl::string_view id, int duration) {
    return XmlPart(id, XmlC4(duration));
  };
  const std::string list = ScorePart("P1", "<part-name>A</part-name>");
  const std::string timewise = absl::StrCat(
      "<score-timewise><part-list>", list, "</part-list>",
      XmlMeasure(part("P1", 1) + part("P2", 2)),
      XmlMeasure(part("P1", 3) + part("P2", 4)), "</score-timewise>");
  const auto measures = [](int first, int second) {
    return XmlMeasure(XmlC4(first)) + XmlMeasure(XmlC4(second));
  };
  const std::string partwise = XmlScore(
      XmlPart("P1", measures(1, 3)) + XmlPart("P2", measures(2, 4)), list);
  const NoteSequence sequence = MustReadMusicXml(timewise);
  EXPECT_EQ(sequence.notes_size(), 4);
  EXPECT_EQ(sequence.SerializeAsString(),
            MustReadMusicXml(partwise).SerializeAsString());

  // Both readings: Magenta finds no notes in time-wise scores.
  EXPECT_EQ(MagentaRejection(timewise), "a time-wise score");
  // A part may pause for a measure.
  EXPECT_EQ(
      Notes(MustReadMusicXml(absl::StrCat(
          "<score-timewise>", XmlMeasure(part("P1", 1)),
          XmlMeasure(part("P1", 1) + part("P2", 1)), "</score-timewise>"))),
      "60@0-0.5 60@0.5-1 60@0.5-1");
}

TEST(MusicXmlReaderTest, AScoreWithoutPartsIsEmpty) {
  const NoteSequence sequence = MustReadMusicXml(XmlScore(""));
  EXPECT_EQ(sequence.notes_size(), 0);
  EXPECT_EQ(sequence.tempos_size(), 1);
  EXPECT_EQ(sequence.time_signatures_size(), 0);
}

TEST(MusicXmlReaderTest, OtherDocumentsAreNoScores) {
  for (const char* text :
       {"<html/>", "<opus><score/></opus>", "<?xml version=\"1.0\"?>"}) {
    EXPECT_FALSE(ReadMusicXml(text).ok()) << text;
  }
  EXPECT_TRUE(absl::StrContains(MusicXmlError("<html/>"), "<html>"));
}

TEST(MusicXmlReaderTest, RejectionsNamePartAndMeasure) {
  const std::string bad = "<note><duration>1</duration></note>";
  const std::string message = MagentaRejection(XmlScore(absl::StrCat(
      XmlPart("P1", XmlMeasure(XmlC4(1))),
      XmlPart("P2",
              absl::StrCat(XmlMeasure(XmlC4(1)), "<measure number=\"5b\">", bad,
                           "</measure>")))));
  EXPECT_EQ(message,
            "a note without <pitch> or <rest>: part 2 (P2), measure 5b");
  EXPECT_TRUE(absl::StrContains(MagentaRejection(XmlScoreOf(bad)),
                                "part 1 (P1), measure no. 1"));
  const std::string listed = MagentaRejection(XmlScore(
      XmlPart("P7", ""), ScorePart("P7",
                                   "<midi-instrument><midi-channel>x"
                                   "</midi-channel><midi-program>1"
                                   "</midi-program></midi-instrument>")));
  EXPECT_EQ(listed,
            "<midi-channel> is no number: \"x\"; expected one within 1e9; "
            "score-part \"P7\"");
}

// A name stands in the file once, and in the sequence for every part.
TEST(MusicXmlReaderTest, NamesOfManyPartsAreBounded) {
  const std::string list = ScorePart(
      "P1",
      absl::StrCat("<part-name>", std::string(1 << 20, 'x'), "</part-name>"));
  const auto score = [&](int parts) {
    std::string content;
    for (int i = 0; i < parts; ++i) content += XmlPart("P1", "");
    return XmlScore(content, list);
  };
  EXPECT_EQ(MustReadMusicXml(score(3)).part_infos_size(), 3);
  for (const Reading reading : {Reading::kStandard, Reading::kMagenta}) {
    const auto sequence = ReadMusicXml(score(2000), {reading});
    EXPECT_EQ(sequence.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(absl::StartsWith(sequence.status().message(),
                                 "part names beyond the limit: "))
        << sequence.status();
  }
}

// Repeats multiply notes and symbols.
TEST(MusicXmlReaderTest, PlayedRepeatsAreBounded) {
  const std::string score = XmlScoreOf(absl::StrCat(
      XmlDivisions(1),
      "<harmony><root><root-step>C</root-step></root></harmony>", XmlC4(1),
      "<barline><repeat direction=\"backward\" times=\"1000000\"/>"
      "</barline>"));
  ReadReport report;
  const auto sequence = ReadMusicXml(score, {}, &report);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_EQ(sequence->notes_size(), 1);
  EXPECT_EQ(report.WarningText(), "1 x repeats beyond all measure, not played");
}

TEST(MusicXmlReaderTest, LongerThanAnyScoreIsAnError) {
  std::string measures;
  for (int i = 0; i < 100; ++i) {
    measures += XmlMeasure("<sound tempo=\"0.01\"/>" + XmlC4(4));
  }
  EXPECT_TRUE(absl::StrContains(MusicXmlError(XmlScore(XmlPart("P", measures))),
                                "a score of impossible length: "));
}

// What Magenta rejects and this reads says so; what both read does not.
TEST(MusicXmlReaderTest, RepairsAreNamed) {
  const auto repair = [](absl::string_view xml) {
    ReadReport report = {.repair = "unset", .warnings = {}};
    EXPECT_TRUE(ReadMusicXml(xml, {}, &report).ok()) << xml;
    const std::string rejection = MagentaRejection(xml);
    EXPECT_EQ(rejection.substr(0, report.repair.size()), report.repair);
    return report.repair;
  };
  const auto attributes = [](absl::string_view content) {
    return XmlScoreOf(
        absl::StrCat("<attributes>", content, "</attributes>", XmlC4(4)));
  };
  EXPECT_EQ(repair(XmlScoreOf(XmlC4(1))), "");
  EXPECT_EQ(repair("<score-timewise/>"), "a time-wise score");
  EXPECT_EQ(repair(XmlScoreOf("<note><chord/><rest/><duration>1</duration>"
                              "</note>")),
            "a chord note that follows no note");
  EXPECT_EQ(repair(attributes("<divisions>1.0</divisions>")),
            "a decimal number");
  EXPECT_EQ(repair(attributes("<time><senza-misura/></time>")),
            "a passage without time signature (senza misura)");
  EXPECT_EQ(repair(attributes("<time><beats>2+2</beats>"
                              "<beat-type>4</beat-type></time>")),
            "a compound time signature");
  EXPECT_EQ(repair(attributes("<key><fifths>8</fifths></key>")),
            "a key of more than seven accidentals");
  EXPECT_EQ(repair(attributes("<key><key-step>C</key-step></key>")),
            "a key off the circle of fifths");
  EXPECT_EQ(repair(XmlScoreOf("<harmony><root><root-step>C</root-step></root>"
                              "<kind>Tristan</kind></harmony>")),
            "a chord symbol of unknown kind");
}

// Every prefix of a score is read or refused, never more.
TEST(MusicXmlReaderTest, TruncationAtEveryByte) {
  const std::string score = XmlScore(
      XmlPart("P1", XmlMeasure(absl::StrCat(
                        XmlDivisions(2), XmlC4(2, "<type>half</type><dot/>"),
                        "<harmony><root><root-step>C</root-step></root>"
                        "</harmony>"))),
      ScorePart("P1", "<part-name>A</part-name>"));
  for (size_t size = 0; size < score.size(); ++size) {
    EXPECT_FALSE(ReadMusicXml(score.substr(0, size)).ok()) << size;
  }
  EXPECT_TRUE(ReadMusicXml(score).ok());
}

}  // namespace
}  // namespace continuo
