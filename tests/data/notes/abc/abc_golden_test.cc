// SPDX-License-Identifier: Apache-2.0

// ABC books read by Magenta: equal where it reads a tune, and better than an
// error where it fails.

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/notes/abc/abc_reader.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using google::protobuf::util::DefaultFieldComparator;
using google::protobuf::util::MessageDifferencer;
using tensorflow::magenta::NoteSequence;

// Equal but for 1e-9 seconds.
bool SameSequence(const NoteSequence& want, const NoteSequence& got,
                  std::string* report) {
  DefaultFieldComparator comparator;
  comparator.set_float_comparison(DefaultFieldComparator::APPROXIMATE);
  comparator.SetDefaultFractionAndMargin(0, 1e-9);
  MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  differencer.ReportDifferencesToString(report);
  return differencer.Compare(want, got);
}

TEST(AbcGoldenTest, TunesEqualMagentas) {
  const std::string dir = testing::GoldenDir("midi/abc");
  const auto books = testing::ListFiles(dir, ".abc");
  if (books.empty()) {
    if (testing::GoldenDirIsForeign()) GTEST_SKIP() << dir << " is missing";
    FAIL() << dir << " holds no ABC books";
  }
  int compared = 0;
  for (const std::string& name : books) {
    SCOPED_TRACE(name);
    const auto book = ReadAbc(testing::MustRead(absl::StrCat(dir, "/", name)),
                              {Reading::kMagenta});
    ASSERT_TRUE(book.ok()) << book.status();
    const auto json =
        testing::MustReadJson(absl::StrCat(dir, "/", name, ".json"));
    for (const auto& index : json["tunes"]) {
      const int64_t wanted = index.get<int64_t>();
      SCOPED_TRACE(wanted);
      NoteSequence want;
      ASSERT_TRUE(want.ParseFromString(testing::MustRead(
          absl::StrCat(dir, "/", name, ".tune", wanted, ".ns.pb"))));
      const AbcTune* found = nullptr;
      for (const AbcTune& tune : book->tunes) {
        if (tune.index == wanted) found = &tune;
      }
      ASSERT_NE(found, nullptr);
      ASSERT_TRUE(found->status.ok()) << found->status;
      std::string report;
      EXPECT_TRUE(SameSequence(want, found->sequence, &report)) << report;
      ++compared;
    }
    // What Magenta rejects is read here.
    for (const AbcTune& tune : book->tunes) {
      EXPECT_TRUE(tune.status.ok()) << tune.status;
      EXPECT_FALSE(tune.sequence.notes().empty());
    }
  }
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace continuo
