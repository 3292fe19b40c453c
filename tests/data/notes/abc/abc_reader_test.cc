// SPDX-License-Identifier: Apache-2.0

#include "data/notes/abc/abc_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// A note as (pitch, start in quarters at 120 to the minute, its end).
struct PlayedNote {
  int pitch;
  double start;
  double end;

  bool operator==(const PlayedNote&) const = default;
};

void PrintTo(const PlayedNote& note, std::ostream* out) {
  *out << note.pitch << " " << note.start << ".." << note.end;
}

NoteSequence ReadOne(const std::string& body, const std::string& fields = "") {
  const auto book =
      ReadAbc(absl::StrCat("X:1\nT:t\nM:4/4\nL:1/4\n", fields, "K:C\n", body));
  EXPECT_TRUE(book.ok()) << book.status();
  EXPECT_EQ(book->tunes.size(), 1);
  EXPECT_TRUE(book->tunes[0].status.ok()) << book->tunes[0].status;
  return book->tunes[0].sequence;
}

std::vector<PlayedNote> Notes(const NoteSequence& sequence) {
  std::vector<PlayedNote> notes;
  for (const auto& note : sequence.notes()) {
    notes.push_back({note.pitch(), note.start_time() * 2, note.end_time() * 2});
  }
  return notes;
}

std::vector<int> Pitches(const NoteSequence& sequence) {
  std::vector<int> pitches;
  for (const auto& note : sequence.notes()) pitches.push_back(note.pitch());
  return pitches;
}

using Ints = std::vector<int>;
using Playeds = std::vector<PlayedNote>;

TEST(AbcReaderTest, RestsTakeTheirTime) {
  EXPECT_EQ(Notes(ReadOne("C z D/ x3/2 E | Z F")),
            (Playeds{{60, 0, 1}, {62, 2, 2.5}, {64, 4, 5}, {65, 9, 10}}));
}

TEST(AbcReaderTest, ChordsGiveTheirHighestNoteForTheFirstOnesLength) {
  EXPECT_EQ(Notes(ReadOne("[CEG]2 [G2C]/ z [C'E]")),
            (Playeds{{67, 0, 2}, {67, 2, 3}, {72, 4, 5}}));
  // As written before brackets became the rule.
  EXPECT_EQ(Pitches(ReadOne("z +CEG+ D")), (Ints{67, 62}));
}

TEST(AbcReaderTest, Tuplets) {
  EXPECT_EQ(
      Notes(ReadOne("(3CDE F", "")),
      (Playeds{
          {60, 0, 2. / 3}, {62, 2. / 3, 4. / 3}, {64, 4. / 3, 2}, {65, 2, 3}}));
  // Five in the time of two, or of three in compound meter; given in full;
  // with rests and broken rhythm inside.
  EXPECT_DOUBLE_EQ(ReadOne("(5CDEFG").total_time() * 2, 2);
  EXPECT_DOUBLE_EQ(ReadOne("(5CDEFG", "M:6/8\n").total_time() * 2, 3);
  EXPECT_DOUBLE_EQ(ReadOne("(3:4:2CD E").total_time() * 2, 8. / 3 + 1);
  EXPECT_DOUBLE_EQ(ReadOne("(3::2CD E").total_time() * 2, 4. / 3 + 1);
  EXPECT_DOUBLE_EQ(Notes(ReadOne("(3zC>D E"))[1].start, (2. / 3) * 2.5);
}

TEST(AbcReaderTest, BrokenRhythm) {
  EXPECT_EQ(
      Notes(ReadOne("z C>D E<<F")),
      (Playeds{{60, 1, 2.5}, {62, 2.5, 3}, {64, 3, 3.25}, {65, 3.25, 5}}));
  // The second note written short already; lengths that do not fit.
  EXPECT_EQ(Notes(ReadOne("z C>D/ E/<F G>A3")), (Playeds{{60, 1, 2.5},
                                                         {62, 2.5, 3},
                                                         {64, 3, 3.5},
                                                         {65, 3.5, 5},
                                                         {67, 5, 6},
                                                         {69, 6, 9}}));
  // Also of rests, and across a bar line.
  EXPECT_EQ(Notes(ReadOne("z>C D> | (E)")),
            (Playeds{{60, 1.5, 2}, {62, 2, 3.5}, {64, 3.5, 4}}));
}

TEST(AbcReaderTest, GraceNotesDecorationsAndSlursArePassedOver) {
  EXPECT_EQ(
      Pitches(ReadOne("z {/cde}~C !trill!vD +fermata+E .(F uTG) y2 `A $ \\")),
      (Ints{60, 62, 64, 65, 67, 69}));
}

TEST(AbcReaderTest, AnExclamationMarkAloneIsALineBreak) {
  EXPECT_EQ(Pitches(ReadOne("z C D ! E F |! G")), (Ints{60, 62, 64, 65, 67}));
}

TEST(AbcReaderTest, TiesJoinEqualNotesBeyondMagentasSubset) {
  EXPECT_EQ(Notes(ReadOne("z C- | C D-E")),
            (Playeds{{60, 1, 3}, {62, 3, 4}, {64, 4, 5}}));
  // The tied note keeps its accidental behind the bar line, the next has none.
  EXPECT_EQ(Notes(ReadOne("z ^F- | F F")), (Playeds{{66, 1, 3}, {65, 3, 4}}));
  EXPECT_EQ(Notes(ReadOne("z [CE-] | [CE]")), (Playeds{{64, 1, 3}}));
}

TEST(AbcReaderTest, AccidentalsHoldForTheBarInAllOctaves) {
  EXPECT_EQ(Pitches(ReadOne("z ^F f =f F | F __B B ^^c")),
            (Ints{66, 78, 77, 65, 65, 69, 69, 74}));
}

TEST(AbcReaderTest, Keys) {
  const std::vector<std::pair<std::string, Ints>> cases = {
      {"G", {65 + 1, 60}},    {"F#m", {66, 61}},     {"D dorian", {65, 60}},
      {"Eb", {65, 60}},       {"A Mix", {66, 61}},   {"C clef=bass", {65, 60}},
      {"D exp ^c", {65, 61}}, {"HP", {66, 61}},      {"none", {65, 60}},
      {"", {65, 60}},         {"C ^f _c", {66, 59}}, {"C^f^c", {66, 61}},
      {"Cb", {64, 59}},       {"G#", {65, 60}},  // eight sharps: not a key, C
                                                 // stays
  };
  for (const auto& [key, want] : cases) {
    SCOPED_TRACE(key);
    const auto book =
        ReadAbc(absl::StrCat("X:1\nM:4/4\nL:1/4\nK:C\nK:", key, "\nz F C|\n"));
    ASSERT_TRUE(book.ok());
    EXPECT_EQ(Pitches(book->tunes[0].sequence), want);
  }
}

TEST(AbcReaderTest, FieldsInsideTheTuneChangeWhatFollows) {
  const NoteSequence sequence = ReadOne(
      "z C | [M:3/4][L:1/8][K:G][Q:1/4=60] F2 z4 |\nM:2/4\nK:D\nC2 C2 |");
  ASSERT_EQ(sequence.notes_size(), 4);
  EXPECT_EQ(Pitches(sequence), (Ints{60, 66, 61, 61}));
  EXPECT_DOUBLE_EQ(sequence.notes(1).start_time(), 1);
  EXPECT_DOUBLE_EQ(sequence.notes(1).end_time(), 2);
  EXPECT_DOUBLE_EQ(sequence.notes(2).start_time(), 4);
  ASSERT_EQ(sequence.time_signatures_size(), 3);
  EXPECT_EQ(sequence.time_signatures(1).numerator(), 3);
  EXPECT_DOUBLE_EQ(sequence.time_signatures(1).time(), 1);
  EXPECT_DOUBLE_EQ(sequence.time_signatures(2).time(), 4);
  ASSERT_EQ(sequence.tempos_size(), 1);
  EXPECT_DOUBLE_EQ(sequence.tempos(0).qpm(), 60);
  EXPECT_EQ(sequence.key_signatures_size(), 3);
}

TEST(AbcReaderTest, RepeatsArePlayed) {
  const std::vector<std::pair<std::string, Ints>> cases = {
      {"|: C D :| E", {60, 62, 60, 62, 64}},
      {"C :| D :| E", {60, 60, 62, 62, 64}},
      {"C || D :|", {60, 62, 62}},
      {"|: C || D :|", {60, 62, 60, 62}},
      {"C |: D :: E :|", {60, 62, 62, 64, 64}},
      {"|:: C ::| D", {60, 60, 60, 62}},
      {"|: C |1 D :|2 E :| F", {60, 62, 60, 64, 65}},
      {"|: C |1 D :| |2 E || F", {60, 62, 60, 64, 65}},
      {"|: C [1 D :|[2 E |] F :|", {60, 62, 60, 64, 65, 65}},
      {"|: C |1,3 D :|2 E :| F", {60, 62, 60, 64, 60, 62, 65}},
      {"|: C |1-2 D :|3 E | F", {60, 62, 60, 62, 60, 64, 65}},
      {"C :|2 D | E", {60, 60, 62, 64}},
      {"|: C | D", {60, 62}},
      {"C || :| D", {60, 60, 62}},
      {"|: C |1 D :|2 E || F :|", {60, 62, 60, 64, 65, 65}},
      {"|: C |1 D :|2 E |: F |1 G :|2 A |]", {60, 62, 60, 64, 65, 67, 65, 69}},
      {"[|] C \"^segno\"[|]:| D", {60, 60, 62}},
  };
  for (const auto& [body, want] : cases) {
    SCOPED_TRACE(body);
    // The rest at the end keeps the tune out of Magenta's subset.
    EXPECT_EQ(Pitches(ReadOne(absl::StrCat(body, " z"))), want);
  }
}

TEST(AbcReaderTest, TiesReachOverRepeats) {
  EXPECT_EQ(Notes(ReadOne("|: C- :| z")), (Playeds{{60, 0, 2}}));
}

TEST(AbcReaderTest, PartsArePlayedInTheirOrder) {
  EXPECT_EQ(Pitches(ReadOne("P:A\nC |\nP:B\n|: D :|\nP:C\nE |", "P:A(BC)2A\n")),
            (Ints{60, 62, 62, 64, 62, 62, 64, 60}));
  // Labels without an order are only names; an order without labels too.
  EXPECT_EQ(Pitches(ReadOne("[P:A] C | [P:B] D |")), (Ints{60, 62}));
  EXPECT_EQ(Pitches(ReadOne("C D |", "P:AB\n")), (Ints{60, 62}));
}

TEST(AbcReaderTest, TheFirstVoiceWithNotesIsRead) {
  EXPECT_EQ(Pitches(ReadOne("V:1\nC D |\nV:2\nE F |\nV:1\nG |")),
            (Ints{60, 62, 67}));
  EXPECT_EQ(Pitches(ReadOne("[V:T] C D |\n[V:B] E F |\n[V:T] G |",
                            "V:T clef=treble\nV:B clef=bass\n")),
            (Ints{60, 62, 67}));
  EXPECT_EQ(Pitches(ReadOne("V:1\nz4 |\nV:2\nE F |")), (Ints{64, 65}));
  EXPECT_EQ(Pitches(ReadOne("C D |\nV:2\nE F |\nV:1\nG |")),
            (Ints{60, 62, 67}));
  EXPECT_EQ(Pitches(ReadOne("C D & E F | G")), (Ints{60, 62, 67}));
}

TEST(AbcReaderTest, DynamicsSetVelocities) {
  const NoteSequence sequence = ReadOne("C !pp!D !f!E F");
  EXPECT_EQ(sequence.notes(0).velocity(), 90);
  EXPECT_EQ(sequence.notes(1).velocity(), 45);
  EXPECT_EQ(sequence.notes(3).velocity(), 105);
}

TEST(AbcReaderTest, LyricsDirectivesAndTextBlocksAreNotMusic) {
  EXPECT_EQ(Pitches(ReadOne("z C % comment D\nw: Fa la la\n+: more\n%%MIDI x\n"
                            "%%begintext\nCage\n%%endtext\nD\nW: Ende\n")),
            (Ints{60, 62}));
}

TEST(AbcReaderTest, DefaultUnitFollowsTheMeter) {
  const auto length = [](const std::string& meter) {
    const auto book = ReadAbc(absl::StrCat("X:1\n", meter, "K:C\nzC\n"));
    const auto& note = book->tunes[0].sequence.notes(0);
    return (note.end_time() - note.start_time()) * 2;
  };
  EXPECT_DOUBLE_EQ(length("M:2/4\n"), 0.25);
  EXPECT_DOUBLE_EQ(length("M:3/4\n"), 0.5);
  EXPECT_DOUBLE_EQ(length("M:C|\n"), 0.5);
  EXPECT_DOUBLE_EQ(length(""), 0.5);
  EXPECT_DOUBLE_EQ(length("M:5/16\n"), 0.25);
  EXPECT_DOUBLE_EQ(length("M:(2+3)/8\n"), 0.25 * 2 / 2);
}

TEST(AbcReaderTest, Tempos) {
  const auto qpm = [](const std::string& tempo) {
    const NoteSequence sequence =
        ReadOne("zC", absl::StrCat("Q:", tempo, "\n"));
    return sequence.tempos().empty() ? 0 : sequence.tempos(0).qpm();
  };
  EXPECT_DOUBLE_EQ(qpm("1/4=100"), 100);
  EXPECT_DOUBLE_EQ(qpm("3/8=80"), 120);
  EXPECT_DOUBLE_EQ(qpm("90"), 90);
  EXPECT_DOUBLE_EQ(qpm("C2=40"), 80);
  EXPECT_DOUBLE_EQ(qpm("1/4 1/8=40"), 60);
  EXPECT_DOUBLE_EQ(qpm("\"Allegro\" 1/2 = 60.5"), 121);
  EXPECT_DOUBLE_EQ(qpm("\"Allegro\""), 0);
  EXPECT_DOUBLE_EQ(qpm("1/4=0"), 0);
}

TEST(AbcReaderTest, BooksSplitAtBlankLinesAndNumbers) {
  const auto book = ReadAbc(
      "\xEF\xBB\xBFL:1/4\r\nM:3/4\r\n\r\nX:5 % five\r\nT:a\r\nK:C\r\nzC\r\n"
      "\r\nSome words about it.\r\n\r\nX:7\rK:C\rD\rX:8\rK:C\rzE\r");
  ASSERT_TRUE(book.ok());
  ASSERT_EQ(book->tunes.size(), 3);
  EXPECT_EQ(book->tunes[0].index, 5);
  EXPECT_EQ(book->tunes[0].line, 4);
  EXPECT_EQ(book->tunes[0].sequence.reference_number(), 5);
  EXPECT_EQ(book->tunes[0].sequence.time_signatures(0).numerator(), 3);
  EXPECT_EQ(book->tunes[1].index, 7);
  EXPECT_EQ(book->tunes[2].index, 8);
}

TEST(AbcReaderTest, IndicesAreUnique) {
  const auto book = ReadAbc("X:2\nK:C\nC\n\nX:2\nK:C\nD\n\nX:\nK:C\nE\n");
  ASSERT_TRUE(book.ok());
  ASSERT_EQ(book->tunes.size(), 3);
  EXPECT_EQ(book->tunes[0].index, 2);
  EXPECT_EQ(book->tunes[1].index, 3);
  EXPECT_EQ(book->tunes[1].sequence.reference_number(), 2);
  EXPECT_EQ(book->tunes[2].index, 4);
}

TEST(AbcReaderTest, Latin1BecomesUtf8) {
  const auto book = ReadAbc("X:1\nT:B\xE4nd\nK:C\nzC\n");
  ASSERT_TRUE(book.ok());
  EXPECT_EQ(book->tunes[0].sequence.sequence_metadata().title(), "B\xC3\xA4nd");
}

TEST(AbcReaderTest, FaultyTunesFailOneByOne) {
  const auto book = ReadAbc(
      "X:1\nK:C\nz C''''''''\n\nX:2\nK:C\n\nX:3\nT:no key\nzC\n\nX:4\nK:C\n"
      "zC99999999999/7\n\nX:5\nK:C\nzC\n");
  ASSERT_TRUE(book.ok());
  ASSERT_EQ(book->tunes.size(), 5);
  EXPECT_EQ(book->tunes[0].status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(book->tunes[0].status.message(), "line 3"));
  EXPECT_TRUE(
      absl::StrContains(book->tunes[1].status.message(), "without notes"));
  EXPECT_TRUE(absl::StrContains(book->tunes[2].status.message(), "K:"));
  EXPECT_TRUE(book->tunes[4].status.ok());
  EXPECT_FALSE(ReadAbc("").ok());
  EXPECT_FALSE(ReadAbc("\n\n words \n\n").ok());
}

TEST(AbcReaderTest, PlayedOutTunesHaveALimit) {
  std::string body;
  for (int i = 0; i < 3000; ++i) body += "C D E F ";
  const std::string tune =
      absl::StrCat("X:1\nP:(((((A9)9)9)9)9)9\nL:1/4\nK:C\nP:A\n", body, "z\n");
  const auto book = ReadAbc(tune);
  ASSERT_TRUE(book.ok());
  EXPECT_EQ(book->tunes[0].status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(AbcReaderTest, BooksOfPlayedOutTunesHaveALimit) {
  // Each tune is within its own limit; together they are not.
  std::string book;
  for (int i = 1; i <= 400; ++i) {
    absl::StrAppend(&book, "X:", i, "\nP:((((A9)9)9)9)\nL:1/4\nK:C\nP:A\n",
                    "zCDEF\n\n");
  }
  EXPECT_EQ(ReadAbc(book).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(AbcReaderTest, HostileBooksTakeBoundedTime) {
  std::string header;
  for (int i = 0; i < 20000; ++i) header += "N: words\n";
  std::string book = header + "\n";
  for (int i = 0; i < 20000; ++i) book += "X:1\n\n";
  EXPECT_EQ(ReadAbc(book).status().code(),
            absl::StatusCode::kResourceExhausted);
  for (const std::string piece :
       {"[a", "|| ", "|1 ", ":| ", "|: ", "[K:C]", "{", "\"", "(3", "!", "+a",
        "P:A\n", "V:x\n", "&", "|1 z :|2 "}) {
    std::string text = "X:1\nP:ABCABC\nK:C\nP:A\n";
    for (int i = 0; i < 20000; ++i) text += piece;
    EXPECT_TRUE(ReadAbc(absl::StrCat(text, "\nzC\n")).ok()) << piece;
  }
}

}  // namespace
}  // namespace continuo
