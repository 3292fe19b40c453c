// SPDX-License-Identifier: Apache-2.0

// Quantization against `event_sequences/quantize_to_step.json` and the
// quantized protos of the `midi` family.

#include <string>

#include "data/notes/quantize.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

using google::protobuf::util::MessageDifferencer;
using nlohmann::json;
using tensorflow::magenta::NoteSequence;
using testing::GoldenDir;

NoteSequence MustParse(const std::string& path) {
  NoteSequence sequence;
  EXPECT_TRUE(sequence.ParseFromString(testing::MustRead(path))) << path;
  return sequence;
}

TEST(QuantizeGoldenTest, QuantizeToStep) {
  const std::string dir = GoldenDir("event_sequences");
  if (testing::ListFiles(dir, "quantize_to_step.json").empty()) {
    if (testing::GoldenDirIsForeign()) GTEST_SKIP() << "no quantize_to_step";
    FAIL() << dir << " lacks quantize_to_step.json";
  }
  const json golden = testing::MustReadJson(dir + "/quantize_to_step.json");
  ASSERT_FALSE(golden.empty());
  for (const json& entry : golden) {
    EXPECT_EQ(QuantizeToStep(testing::JsonNumber(entry["seconds"]),
                             testing::JsonNumber(entry["steps_per_second"]),
                             testing::JsonNumber(entry["cutoff"])),
              entry["step"].get<int64_t>())
        << entry.dump();
  }
}

// The failure that an error class of Magenta stands for.
QuantizeFailure FailureOf(const std::string& error) {
  if (error == "MultipleTimeSignatureError") {
    return QuantizeFailure::kMultipleTimeSignatures;
  }
  if (error == "MultipleTempoError") return QuantizeFailure::kMultipleTempos;
  if (error == "BadTimeSignatureError") {
    return QuantizeFailure::kBadTimeSignature;
  }
  EXPECT_EQ(error, "NegativeTimeError");
  return QuantizeFailure::kNegativeTime;
}

TEST(QuantizeGoldenTest, NoteSequences) {
  int metric = 0;
  int absolute = 0;
  int failed = 0;
  for (const std::string& kind : testing::ListFolders(GoldenDir("midi"))) {
    const std::string dir = GoldenDir("midi/" + kind);
    for (const std::string& file : testing::ListFiles(dir, ".ns.pb")) {
      const std::string name = file.substr(0, file.size() - 6);
      SCOPED_TRACE(dir + "/" + name);
      // Files written by Magenta and read back have no description.
      if (testing::ListFiles(dir, name + ".json").empty()) continue;
      const NoteSequence sequence = MustParse(dir + "/" + file);
      const json info = testing::MustReadJson(dir + "/" + name + ".json");

      if (info.contains("quantize_4_per_quarter")) {
        NoteSequence quantized = sequence;
        QuantizeFailure failure = QuantizeFailure::kNone;
        const absl::Status status = QuantizeMetric(4, &quantized, &failure);
        const json& want = info["quantize_4_per_quarter"];
        if (want.contains("error")) {
          EXPECT_FALSE(status.ok());
          EXPECT_EQ(failure, FailureOf(want["error"]));
          ++failed;
        } else {
          ASSERT_TRUE(status.ok()) << status;
          EXPECT_EQ(quantized.total_quantized_steps(), want["ok"]);
          EXPECT_TRUE(MessageDifferencer::Equals(
              quantized, MustParse(dir + "/" + name + ".q4.pb")));
          ++metric;
        }
      }
      if (!testing::ListFiles(dir, name + ".a100.pb").empty()) {
        NoteSequence quantized = sequence;
        ASSERT_TRUE(QuantizeAbsolute(100, &quantized).ok());
        EXPECT_TRUE(MessageDifferencer::Equals(
            quantized, MustParse(dir + "/" + name + ".a100.pb")));
        ++absolute;
      }
    }
  }
  if (metric + failed == 0 && testing::GoldenDirIsForeign()) {
    GTEST_SKIP() << "no midi family";
  }
  EXPECT_GT(metric, 0);
  EXPECT_GT(absolute, 0);
  EXPECT_GT(failed, 0);
}

}  // namespace
}  // namespace continuo
