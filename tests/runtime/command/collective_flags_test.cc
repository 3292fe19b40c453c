// SPDX-License-Identifier: Apache-2.0

#include "runtime/command/collective_flags.h"

#include <stdlib.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/command/help.h"
#include "runtime/command/launch_flags.h"

ABSL_DECLARE_FLAG(std::optional<uint64_t>, rank);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, world_size);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, local_rank);
ABSL_DECLARE_FLAG(double, collective_timeout);

namespace continuo {
namespace {

TEST(LaunchFlagsTest, ComeBeforeTheEnvironment) {
  const absl::FlagSaver saver;
  setenv("RANK", "1", 1);
  setenv("WORLD_SIZE", "2", 1);
  setenv("LOCAL_RANK", "1", 1);
  EXPECT_EQ(LaunchIdentityOfFlags()->rank, 1);
  EXPECT_EQ(LaunchIdentityOfFlags()->size, 2);
  absl::SetFlag(&FLAGS_rank, 5);
  absl::SetFlag(&FLAGS_world_size, 6);
  absl::SetFlag(&FLAGS_local_rank, 3);
  EXPECT_EQ(LaunchIdentityOfFlags()->rank, 5);
  EXPECT_EQ(LaunchIdentityOfFlags()->size, 6);
  EXPECT_EQ(LaunchIdentityOfFlags()->local_rank, 3);
  for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK"}) unsetenv(name);
}

TEST(LaunchFlagsTest, ValuesThatMakeNoSenseAreNamed) {
  const absl::FlagSaver saver;
  absl::SetFlag(&FLAGS_rank, uint64_t{1} << 32);
  absl::SetFlag(&FLAGS_world_size, 2);
  EXPECT_EQ(LaunchIdentityOfFlags().status().message(),
            "--rank=4294967296: must be from 0 to 1048576");
  absl::SetFlag(&FLAGS_rank, std::nullopt);
  absl::SetFlag(&FLAGS_world_size, 0);
  EXPECT_EQ(LaunchIdentityOfFlags().status().message(),
            "--world_size=0: must be from 1 to 1048576");
}

TEST(CollectiveFlagsTest, ATimeoutIsNeeded) {
  const absl::FlagSaver saver;
  absl::SetFlag(&FLAGS_collective_timeout, 0);
  const auto collective = MakeCollectiveOfFlags({}, Stream(), "");
  EXPECT_EQ(collective.status().message(),
            "--collective_timeout=0: must be at least 0.1");
}

TEST(CollectiveFlagsTest, OneProcessIsConnectedWithNobody) {
  const auto collective = MakeCollectiveOfFlags({}, Stream(), "");
  ASSERT_TRUE(collective.ok()) << collective.status();
  EXPECT_EQ((*collective)->size(), 1);
}

TEST(CollectiveFlagsTest, HelpHasThemTogether) {
  CommandHelp command;
  command.own_file = "no_main.cc";
  const std::string help = HelpText(command, "processes");
  EXPECT_TRUE(absl::StartsWith(help, "Several processes\n")) << help;
  for (const char* flag :
       {"--rank=N\n", "--world_size=N\n", "--local_rank=N\n",
        "--rendezvous_dir=FOLDER\n", "--collective_timeout=SECONDS\n"}) {
    EXPECT_TRUE(absl::StrContains(help, flag)) << help;
  }
}

}  // namespace
}  // namespace continuo
