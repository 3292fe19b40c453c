// SPDX-License-Identifier: Apache-2.0

#include "runtime/device/version.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/version_number.h"
#include "runtime/device/device.h"

namespace continuo {
namespace {

TEST(VersionTest, MacrosAndTextAgree) {
  EXPECT_EQ(ProgramVersion(), CONTINUO_VERSION);
  EXPECT_EQ(ProgramVersion(),
            absl::StrCat(CONTINUO_VERSION_MAJOR, ".", CONTINUO_VERSION_MINOR,
                         ".", CONTINUO_VERSION_PATCH));
}

TEST(VersionTest, NamesVersionBuildAndDevices) {
  const std::string text = VersionText();
  EXPECT_TRUE(absl::StartsWith(text, "continuo " + ProgramVersion() + " "))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "GCC ") ||
              absl::StrContains(text, "Clang "))
      << text;
  EXPECT_TRUE(absl::StrContains(text, kHasCuda ? "CUDA " : "CPU only")) << text;
  EXPECT_EQ(absl::StrContains(text, "GPU"), kHasCuda) << text;
  EXPECT_FALSE(absl::StrContains(text, "\n"));
}

}  // namespace
}  // namespace continuo
