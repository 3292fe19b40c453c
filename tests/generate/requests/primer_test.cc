// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/primer.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/events/melody/melody.h"
#include "data/notes/quantize.h"
#include "generate/requests/melody_continuation.h"
#include "generate/requests/sections.h"
#include "gtest/gtest.h"
#include "models/config/config.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// The events the model is asked to continue, for a primer list at a tempo.
absl::StatusOr<std::unique_ptr<Continuation>> Continue(
    const std::string& list, double qpm, int num_steps,
    const std::string& config = "basic_rnn") {
  const auto melody = ParseMelodyPrimer(list);
  if (!melody.ok()) return melody.status();
  const NoteSequence primer = MelodyToSequence(*melody, {.qpm = qpm});
  const auto request = ContinuationRequest(primer, qpm, 4, num_steps, {});
  if (!request.ok()) return request.status();
  return MakeMelodyContinuation(primer, *request,
                                *FindConfig(Family::kMelody, config));
}

TEST(PrimerTest, ListsOfMelodyEventsAreRead) {
  const auto melody = ParseMelodyPrimer("[-1, 60, -2, 62, -1]");
  ASSERT_TRUE(melody.ok()) << melody.status();
  EXPECT_EQ(melody->events, (std::vector<Event>{-2, 60, -2, 62, -1}));
}

TEST(PrimerTest, OtherLiteralsAreRefusedWithTheirPlace) {
  for (const std::string text :
       {"60", "[]", "[60.5]", "[True]", "[[60]]", "[128]", "[-3]"}) {
    const auto melody = ParseMelodyPrimer(text);
    ASSERT_FALSE(melody.ok()) << text;
    EXPECT_NE(melody.status().message().find("^"), std::string::npos);
  }
}

// Magenta's rules (generate/README.md), verified there.
TEST(PrimerTest, GenerationStartsTwoStepsAfterTheLastNoteEnds) {
  const auto one = Continue("[60]", 120, 128);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ((*one)->primer(), (std::vector<Event>{60, -1, -2}));
  EXPECT_EQ((*one)->num_events(), 125);
  const auto two = Continue("[60,-2,62,-1]", 120, 128);
  ASSERT_TRUE(two.ok());
  EXPECT_EQ((*two)->primer(), (std::vector<Event>{60, -2, 62, -1, -2}));
}

TEST(PrimerTest, SilentPrimerBecomesOneStepOfSilence) {
  const auto silence = Continue("[-2]", 120, 32);
  ASSERT_TRUE(silence.ok()) << silence.status();
  EXPECT_EQ((*silence)->primer(), (std::vector<Event>{-2}));
}

TEST(PrimerTest, SomeTemposLoseAStepToDoubleRounding) {
  const std::set<int> short_tempos = {34, 44, 53, 55, 57, 59,
                                      61, 68, 69, 73, 88, 91};
  int count = 0;
  for (int qpm = 30; qpm <= 300; ++qpm) {
    const auto continuation = Continue("[60]", qpm, 128);
    ASSERT_TRUE(continuation.ok()) << qpm;
    const int64_t steps =
        static_cast<int64_t>((*continuation)->primer().size()) +
        (*continuation)->num_events();
    EXPECT_TRUE(steps == 127 || steps == 128) << qpm;
    if (qpm <= 91) {
      EXPECT_EQ(steps == 127, short_tempos.count(qpm) > 0) << qpm;
    }
    count += steps == 127;
  }
  EXPECT_EQ(count, 65);
}

TEST(PrimerTest, PrimerThatFillsTheRequestIsRefused) {
  EXPECT_TRUE(Continue("[60]", 120, 4).ok());
  for (int num_steps : {3, 2, 1}) {
    const auto none = Continue("[60]", 120, num_steps);
    EXPECT_EQ(none.status().code(), num_steps == 3
                                        ? absl::StatusCode::kOutOfRange
                                        : absl::StatusCode::kInvalidArgument);
  }
}

TEST(PrimerTest, FoldedNotesStayFolded) {
  const auto folded = Continue("[100, 40]", 120, 8);
  ASSERT_TRUE(folded.ok());
  EXPECT_EQ((*folded)->primer()[0], 76);
  EXPECT_EQ((*folded)->primer()[1], 52);
  const auto notes = (*folded)->Finish((*folded)->primer());
  ASSERT_TRUE(notes.ok());
  EXPECT_EQ(notes->notes(0).pitch(), 76);
  EXPECT_EQ(notes->notes(1).pitch(), 52);
}

TEST(PrimerTest, MelodiesOfTwoInstrumentsAreRefused) {
  NoteSequence primer = MelodyToSequence(*ParseMelodyPrimer("[60, 62]"));
  *primer.add_notes() = primer.notes(0);
  primer.mutable_notes(2)->set_instrument(1);
  const auto request = ContinuationRequest(primer, 120, 4, 64, {});
  ASSERT_TRUE(request.ok());
  const auto none = MakeMelodyContinuation(
      primer, *request, *FindConfig(Family::kMelody, "basic_rnn"));
  EXPECT_NE(none.status().message().find("2 instruments"), std::string::npos);
  EXPECT_NE(none.status().message().find(
                "0 Acoustic Grand Piano (2 notes), 1 Acoustic Grand Piano (1 "
                "note); give `primer_instrument`=0"),
            std::string::npos)
      << none.status();
}

TEST(PrimerTest, TheRefusalNamesEnoughSteps) {
  // 16 bars of quarters at 90 qpm.
  std::string list = "[60";
  for (int i = 1; i < 256; ++i) absl::StrAppend(&list, ", ", i % 4 ? -2 : 62);
  const auto none = Continue(list + "]", 90, 128);
  EXPECT_NE(none.status().message().find("`num_steps`=384 writes 8 bars after"),
            std::string::npos)
      << none.status();
  EXPECT_TRUE(Continue(list + "]", 90, 384).ok());
  const auto primer = MelodyToSequence(*ParseMelodyPrimer(list + "]"));
  EXPECT_EQ(StepsWithBars(primer, 120, 4, 1), 256 + 16);
  EXPECT_EQ(StepsWithBars(NoteSequence(), 120, 2, 3), 24);
}

TEST(PrimerTest, WithoutKnownFirstEventsNotesCoverTheModelsRange) {
  const ModelConfig config = *FindConfig(Family::kMelody, "attention_rnn");
  std::set<Event> seen;
  for (uint64_t output = 0; output < 1000; ++output) {
    const Event event = DrawFirstEvent(5, output, config);
    EXPECT_EQ(event, DrawFirstEvent(5, output, config));
    seen.insert(event);
  }
  EXPECT_EQ(seen.size(), 36);
  EXPECT_EQ(*seen.begin(), 48);
  EXPECT_EQ(*seen.rbegin(), 83);
}

TEST(PrimerTest, FirstEventsAreDrawnAsOftenAsTheTrainingHadThem) {
  ModelConfig config = *FindConfig(Family::kMelody, "attention_rnn");
  config.first_events = {{kMelodyNoEvent, 100}, {67, 300}, {69, 600}};
  std::map<Event, int> counts;
  for (uint64_t output = 0; output < 4000; ++output) {
    ++counts[DrawFirstEvent(5, output, config)];
  }
  ASSERT_EQ(counts.size(), 3u);
  EXPECT_NEAR(counts[kMelodyNoEvent], 400, 80);
  EXPECT_NEAR(counts[67], 1200, 130);
  EXPECT_NEAR(counts[69], 2400, 150);
}

// No key is guessed from one note: an F sharp stays one, and so does what
// follows it.
TEST(PrimerTest, ABeginningIsNotTransposed) {
  const ModelConfig config = *FindConfig(Family::kMelody, "attention_rnn");
  for (const Event first : {Event{48}, Event{66}, Event{83}, kMelodyNoEvent}) {
    const auto melody = BeginMelody(first, 90, 8, config);
    ASSERT_TRUE(melody.ok()) << melody.status();
    EXPECT_EQ((*melody)->primer(), std::vector<Event>{first});
    EXPECT_EQ((*melody)->num_events(), 7);
    std::vector<Event> events = {first, -2, 48, -2, 83, -1, 60, -2};
    const auto notes = (*melody)->Finish(events);
    ASSERT_TRUE(notes.ok());
    const int begin = first < 0 ? 0 : 1;
    ASSERT_EQ(notes->notes_size(), begin + 3);
    if (first >= 0) {
      EXPECT_EQ(notes->notes(0).pitch(), first);
      EXPECT_EQ(notes->notes(0).start_time(), 0);
    }
    EXPECT_EQ(notes->notes(begin).pitch(), 48);
    EXPECT_EQ(notes->notes(begin + 1).pitch(), 83);
    EXPECT_NEAR(notes->total_time(), 8 * 60.0 / 90 / 4, 1e-9);
  }
  EXPECT_NE(
      BeginMelody(60, 90, 1, config).status().message().find("`num_steps`=1"),
      std::string::npos);
}

}  // namespace
}  // namespace continuo
