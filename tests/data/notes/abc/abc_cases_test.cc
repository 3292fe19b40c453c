// SPDX-License-Identifier: Apache-2.0

// ABC books under tests/cases with what they sound like, by the standard and,
// where it differs, as Magenta reads them.
//
// Beside NAME.abc stands NAME.json: "standard" and perhaps "magenta", a list
// of [pitch, onset in seconds] for each tune, and "warnings" (of the standard
// reading), an object of kinds and counts for each tune.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/notes/abc/abc_reader.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using Json = nlohmann::json;

const std::string kCases = CONTINUO_SOURCE_DIR "/tests/cases";

void ExpectTune(const Json& want, const AbcTune& tune) {
  ASSERT_TRUE(tune.status.ok()) << tune.status;
  const auto& notes = tune.sequence.notes();
  ASSERT_EQ(notes.size(), static_cast<int>(want.size()));
  for (int i = 0; i < notes.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(notes[i].pitch(), want[i][0].get<int>());
    EXPECT_NEAR(notes[i].start_time(), want[i][1].get<double>(), 6e-4);
  }
}

void ExpectBook(const std::string& path, const Json& want, Reading reading) {
  const auto book = ReadAbc(testing::MustRead(path + ".abc"), {reading});
  ASSERT_TRUE(book.ok()) << book.status();
  const bool magenta = reading == Reading::kMagenta;
  const Json& tunes =
      want[magenta && want.contains("magenta") ? "magenta" : "standard"];
  ASSERT_EQ(book->tunes.size(), tunes.size());
  for (size_t i = 0; i < tunes.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("tune ", i));
    ExpectTune(tunes[i], book->tunes[i]);
    if (magenta) continue;
    const Json warnings =
        want.contains("warnings") ? want["warnings"][i] : Json::object();
    EXPECT_EQ(Json(book->tunes[i].report.warnings), warnings);
  }
}

TEST(AbcCasesTest, TunesSoundAsTheyShould) {
  int books = 0;
  for (const std::string& folder : testing::ListFolders(kCases)) {
    if (!absl::StartsWith(folder, "abc_")) continue;
    const std::string dir = absl::StrCat(kCases, "/", folder);
    for (std::string name : testing::ListFiles(dir, ".abc")) {
      name.resize(name.size() - 4);
      SCOPED_TRACE(absl::StrCat(folder, "/", name));
      const std::string path = absl::StrCat(dir, "/", name);
      const Json want = testing::MustReadJson(path + ".json");
      ExpectBook(path, want, Reading::kStandard);
      ExpectBook(path, want, Reading::kMagenta);
      ++books;
    }
  }
  EXPECT_GE(books, 18);
}

}  // namespace
}  // namespace continuo
