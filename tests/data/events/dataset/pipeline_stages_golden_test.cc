// SPDX-License-Identifier: Apache-2.0

// What stands in front of the extractors against `pipelines/stages`: cuts,
// splits, sustain, stretching, quantizing and transposing. Every file of each
// folder has to be read.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "data/events/dataset/pipeline_stages.h"
#include "data/notes/quantize.h"
#include "data/notes/split.h"
#include "data/notes/stretch.h"
#include "data/notes/sustain.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "runtime/files/file.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using google::protobuf::util::MessageDifferencer;
using tensorflow::magenta::NoteSequence;
using testing::GoldenDir;

// The files of one folder, and which of them have been compared.
class Folder {
 public:
  explicit Folder(std::string dir)
      : dir_(std::move(dir)), names_(testing::ListFiles(dir_, ".pb")) {}

  const std::vector<std::string>& names() const { return names_; }
  bool Has(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  }
  NoteSequence Read(const std::string& name) {
    read_.insert(name);
    NoteSequence sequence;
    EXPECT_TRUE(
        sequence.ParseFromString(testing::MustRead(JoinPath(dir_, name))))
        << name;
    return sequence;
  }
  void ExpectEqual(const NoteSequence& own, const std::string& name) {
    std::string report;
    MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&report);
    EXPECT_TRUE(differencer.Compare(own, Read(name))) << name << "\n" << report;
  }
  void ExpectAllRead() const {
    for (const std::string& name : names_) {
      EXPECT_EQ(read_.count(name), 1u) << name << " is not read";
    }
  }

 private:
  std::string dir_;
  std::vector<std::string> names_;
  std::set<std::string> read_;
};

// What stands in a name between `prefix` and ".pb"; none for another prefix.
std::optional<std::string> Between(const std::string& name,
                                   const std::string& prefix) {
  absl::string_view rest = name;
  if (!absl::ConsumePrefix(&rest, prefix)) return std::nullopt;
  return std::string(absl::StripSuffix(rest, ".pb"));
}

double MustNumber(absl::string_view text) {
  double number = 0;
  EXPECT_TRUE(absl::SimpleAtod(text, &number)) << text;
  return number;
}

// "subsequence_3.1_to_11.7.pb" and "trim_3.1_to_11.7.pb".
void ExpectCuts(const NoteSequence& input, Folder* folder) {
  const auto times = [](const std::string& text) {
    const std::vector<std::string> parts = absl::StrSplit(text, "_to_");
    EXPECT_EQ(parts.size(), 2u) << text;
    return std::pair(MustNumber(parts[0]), MustNumber(parts.back()));
  };
  for (const std::string& name : folder->names()) {
    if (const auto text = Between(name, "subsequence_")) {
      const auto [start, end] = times(*text);
      const auto cut = ExtractSubsequences(input, {start, end});
      ASSERT_TRUE(cut.ok()) << cut.status();
      folder->ExpectEqual((*cut)[0], name);
    } else if (const auto text = Between(name, "trim_")) {
      const auto [start, end] = times(*text);
      folder->ExpectEqual(TrimSequence(input, start, end), name);
    }
  }
}

// "<prefix>_0.pb" and its kin, each with the same quantized.
template <typename Quantize>
void ExpectParts(std::vector<NoteSequence> parts, const std::string& prefix,
                 const Quantize& quantize, Folder* folder) {
  if (!folder->Has(absl::StrCat(prefix, "_0.pb"))) return;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string stem = absl::StrCat(prefix, "_", i);
    folder->ExpectEqual(parts[i], stem + ".pb");
    ASSERT_TRUE(quantize(&parts[i]).ok());
    if (folder->Has(stem + "_quantized.pb")) {
      folder->ExpectEqual(parts[i], stem + "_quantized.pb");
    }
    for (const std::string& name : folder->names()) {
      const auto amount = Between(name, stem + "_transposed_");
      if (!amount.has_value()) continue;
      NoteSequence transposed = parts[i];
      ASSERT_TRUE(
          TransposeNotes(static_cast<int>(MustNumber(*amount)), &transposed));
      folder->ExpectEqual(transposed, name);
    }
  }
}

void ExpectPerformanceStages(NoteSequence sequence, Folder* folder) {
  if (!folder->Has("sustain.pb")) return;
  ApplySustain(&sequence);
  folder->ExpectEqual(sequence, "sustain.pb");
  for (const std::string& name : folder->names()) {
    const auto factor = Between(name, "stretch_");
    if (!factor.has_value()) continue;
    NoteSequence stretched = sequence;
    StretchSequence(MustNumber(*factor), &stretched);
    folder->ExpectEqual(stretched, name);
    const auto parts = SplitEvery(30, stretched);
    ASSERT_TRUE(parts.ok()) << parts.status();
    ExpectParts(
        *parts, "split",
        [](NoteSequence* part) { return QuantizeAbsolute(100, part); }, folder);
  }
}

TEST(PipelineStagesGoldenTest, EveryFileIsEqual) {
  const std::string root = GoldenDir("pipelines/stages");
  size_t files = 0;
  for (const std::string& name : testing::ListFolders(root)) {
    SCOPED_TRACE(name);
    Folder folder(JoinPath(root, name));
    const NoteSequence input = folder.Read("input.pb");
    ExpectCuts(input, &folder);
    const auto parts = SplitOnTimeChanges(input);
    ASSERT_TRUE(parts.ok()) << parts.status();
    ExpectParts(
        *parts, "time_change_split",
        [](NoteSequence* part) { return QuantizeMetric(4, part); }, &folder);
    ExpectPerformanceStages(input, &folder);
    folder.ExpectAllRead();
    files += folder.names().size();
  }
  if (files == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no pipelines/stages";
  }
  EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace continuo
