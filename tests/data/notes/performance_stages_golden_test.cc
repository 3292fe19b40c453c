// Sustain, stretching and splitting against `pipelines/stages`.

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "data/notes/stretch.h"
#include "data/notes/sustain.h"
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

TEST(PerformanceStagesGoldenTest, Stages) {
  int checked = 0;
  for (const std::string& name :
       testing::ListFolders(GoldenDir("pipelines/stages"))) {
    const std::string dir = GoldenDir("pipelines/stages/" + name);
    if (testing::ListFiles(dir, "sustain.pb").empty()) continue;
    SCOPED_TRACE(dir);
    NoteSequence sequence = MustParse(dir + "/input.pb");
    ApplySustain(&sequence);
    ExpectEqual(sequence, dir + "/sustain.pb");
    for (const std::string& file : testing::ListFiles(dir, ".pb")) {
      if (!absl::StartsWith(file, "stretch_")) continue;
      double factor = 0;
      ASSERT_TRUE(absl::SimpleAtod(file.substr(8, file.size() - 11), &factor));
      NoteSequence stretched = sequence;
      StretchSequence(factor, &stretched);
      ExpectEqual(stretched, dir + "/" + file);
      auto parts = SplitEvery(30, stretched);
      ASSERT_TRUE(parts.ok()) << parts.status();
      ExpectEqual((*parts)[0], dir + "/split_0.pb");
      ASSERT_TRUE(QuantizeAbsolute(100, &(*parts)[0]).ok());
      ExpectEqual((*parts)[0], dir + "/split_0_quantized.pb");
      ++checked;
    }
  }
  if (checked == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no pipelines/stages";
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace continuo
