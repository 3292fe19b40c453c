// Splits and cuts against the `pipelines/stages` golden data.

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using google::protobuf::util::MessageDifferencer;
using tensorflow::magenta::NoteSequence;
using testing::GoldenDir;

NoteSequence MustParse(const std::string& path) {
  NoteSequence sequence;
  EXPECT_TRUE(sequence.ParseFromString(testing::MustRead(path))) << path;
  return sequence;
}

void ExpectEqual(const NoteSequence& own, const std::string& path) {
  std::string report;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  EXPECT_TRUE(differencer.Compare(own, MustParse(path))) << path << "\n"
                                                         << report;
}

// The two times of "<prefix>_3.1_to_11.7.pb".
std::optional<std::pair<double, double>> TimesInName(
    const std::string& name, const std::string& prefix) {
  if (!absl::StartsWith(name, prefix)) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(
      name.substr(prefix.size(), name.size() - prefix.size() - 3), "_to_");
  double start = 0;
  double end = 0;
  EXPECT_TRUE(parts.size() == 2 && absl::SimpleAtod(parts[0], &start) &&
              absl::SimpleAtod(parts[1], &end))
      << name;
  return std::pair{start, end};
}

TEST(SplitGoldenTest, Stages) {
  int splits = 0;
  int cuts = 0;
  int other_stages = 0;
  for (const std::string& name :
       testing::ListFolders(GoldenDir("pipelines/stages"))) {
    const std::string dir = GoldenDir("pipelines/stages/" + name);
    SCOPED_TRACE(dir);
    const NoteSequence input = MustParse(dir + "/input.pb");
    const auto parts = SplitOnTimeChanges(input);
    ASSERT_TRUE(parts.ok()) << parts.status();
    size_t golden_parts = 0;
    for (const std::string& file : testing::ListFiles(dir, ".pb")) {
      if (const auto times = TimesInName(file, "subsequence_")) {
        const auto cut =
            ExtractSubsequences(input, {times->first, times->second});
        ASSERT_TRUE(cut.ok()) << cut.status();
        ExpectEqual((*cut)[0], dir + "/" + file);
        ++cuts;
      } else if (const auto times = TimesInName(file, "trim_")) {
        ExpectEqual(TrimSequence(input, times->first, times->second),
                    dir + "/" + file);
        ++cuts;
      } else if (absl::StartsWith(file, "time_change_split_") &&
                 !absl::EndsWith(file, "_quantized.pb")) {
        ASSERT_LT(golden_parts, parts->size());
        NoteSequence part = (*parts)[golden_parts];
        ExpectEqual(part, dir + "/" + file);
        ASSERT_TRUE(QuantizeMetric(4, &part).ok());
        ExpectEqual(part, absl::StrCat(dir, "/time_change_split_", golden_parts,
                                       "_quantized.pb"));
        ++golden_parts;
        ++splits;
      } else if (!absl::StartsWith(file, "time_change_split_") &&
                 file != "input.pb") {
        ++other_stages;  // of the performance pipeline
      }
    }
    if (golden_parts > 0) {
      EXPECT_EQ(golden_parts, parts->size());
    }
  }
  if (splits + cuts == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no pipelines/stages";
  }
  EXPECT_GT(splits, 0);
  EXPECT_GT(cuts, 0);
  if (other_stages > 0) {
    printf("%d files of other families' stages not compared\n", other_stages);
  }
}

}  // namespace
}  // namespace continuo
