// SPDX-License-Identifier: Apache-2.0

#include "generate/output/output_files.h"

#include <cmath>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "runtime/files/file.h"

namespace continuo {
namespace {

TEST(OutputFilesTest, NamesHaveDateTimeAndPaddedNumber) {
  const absl::Time time = absl::FromUnixSeconds(1700000000);
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(OutputNames("/none", 9, time, utc).NewPath(0),
            "/none/2023-11-14_221320_1.mid");
  EXPECT_EQ(OutputNames("/none", 10, time, utc).NewPath(0),
            "/none/2023-11-14_221320_01.mid");
  EXPECT_EQ(OutputNames("/none", 10, time, utc).NewPath(9),
            "/none/2023-11-14_221320_10.mid");
}

TEST(OutputFilesTest, FilesOfOtherRunsAreNotOverwritten) {
  const std::string dir = ::testing::TempDir() + "/output_files";
  std::filesystem::remove_all(dir);
  ASSERT_TRUE(MakeDirectories(dir).ok());
  const absl::Time time = absl::FromUnixSeconds(1700000000);
  OutputNames names(dir, 3, time, absl::UTCTimeZone());
  ASSERT_TRUE(WriteFileAtomically(names.NewPath(1), "x").ok());
  EXPECT_EQ(BaseName(names.NewPath(0)), "2023-11-14_221320_1.mid");
  EXPECT_EQ(BaseName(names.NewPath(1)), "2023-11-14_221321_2.mid");
  EXPECT_EQ(BaseName(names.NewPath(2)), "2023-11-14_221321_3.mid");
}

TEST(OutputFilesTest, ReportHoldsWhatWasGenerated) {
  const OutputFacts facts{.number = 2,
                          .seed = ~uint64_t{0},
                          .log_likelihood = -8 * std::log(2.0),
                          .events = 5,
                          .generated_events = 3};
  EXPECT_EQ(LikelihoodText(facts),
            "log-likelihood -5.55 (2.00 bits per event)");
  const auto line =
      nlohmann::json::parse(ReportLine("a\xff.mid", facts), nullptr, false);
  EXPECT_EQ(line["output"], 2);
  EXPECT_EQ(line["seed"], ~uint64_t{0});
  EXPECT_EQ(line["bits_per_event"], 2.0);
  EXPECT_EQ(line["generated_events"], 3);
}

}  // namespace
}  // namespace continuo
