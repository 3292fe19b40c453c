// SPDX-License-Identifier: Apache-2.0

// What drums_rnn_generate and performance_rnn_generate say about primers and
// controls, on tiny bundles of Magenta.

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"
#include "tests/testing/scratch.h"
#include "tests/testing/shell.h"

namespace continuo {
namespace {

// Runs the family's command on `bundle`; what it says, after its exit code.
std::string Generate(const testing::ScratchDir& dir, const std::string& family,
                     const std::string& bundle, const std::string& flags) {
  const std::string line = absl::StrCat(
      testing::ShellCommand(family + "_rnn_generate"), " --bundle_file=",
      testing::ShellSource("tests/golden/bundles/" + bundle + ".mag"),
      " --num_outputs=1 --seed=1 --output_dir=",
      testing::ShellQuote(dir.Path("out")), " ", flags, " > ",
      testing::ShellQuote(dir.Path("log")), " 2>&1");
  const int code = std::system(line.c_str());
  return absl::StrCat(code == 0 ? "OK\n" : "failed\n",
                      testing::MustRead(dir.Path("log")));
}

void ExpectSays(const std::string& text, const std::string& begin,
                const std::string& words) {
  EXPECT_TRUE(absl::StartsWith(text, begin)) << text;
  EXPECT_TRUE(absl::StrContains(text, words)) << words << " in:\n" << text;
}

TEST(GenerateMessagesTest, DrumsThatTheNetworkDoesNotKnowAreNamed) {
  const testing::ScratchDir dir;
  const std::string text =
      Generate(dir, "drums", "drum_kit",
               "--num_steps=16 --primer_drums='[(36, 99), (), (20,)]'");
  ExpectSays(text, "OK", "the network does not know the drums 20, 99; they");
}

TEST(GenerateMessagesTest, LongPrimersComeWithANumberThatIsEnough) {
  const testing::ScratchDir dir;
  const std::string primer = "--primer_drums='[(36,), (), (36,), (36,)]' ";
  ExpectSays(Generate(dir, "drums", "drum_kit", primer + "--num_steps=4"),
             "failed", "--num_steps=132 writes 8 bars after it");
  ExpectSays(Generate(dir, "drums", "drum_kit", primer + "--num_steps=6"),
             "failed", "--num_steps=132 writes 8 bars after it");
  ExpectSays(Generate(dir, "drums", "drum_kit", primer + "--new_bars=1"), "OK",
             "the primer and 1 bar at");
  ExpectSays(Generate(dir, "performance", "performance_with_dynamics",
                      "--num_steps=50 --primer_pitches='[60, 64]'"),
             "failed", "--num_steps=3050 writes 30 seconds after it");
}

TEST(GenerateMessagesTest, ControlsWithoutASwitchAreSaidToHaveNone) {
  const testing::ScratchDir dir;
  ExpectSays(
      Generate(dir, "performance", "multiconditioned_performance_with_dynamics",
               "--num_steps=150 --disable_conditioning=True"),
      "OK",
      "has controls, but they cannot be switched off; "
      "optional_multiconditioned_performance_with_dynamics has that switch");
  ExpectSays(Generate(dir, "performance", "performance_with_dynamics",
                      "--num_steps=150 --disable_conditioning=True"),
             "OK", "is not conditioned on it");
}

}  // namespace
}  // namespace continuo
