// SPDX-License-Identifier: Apache-2.0

// The rooms of the house and the direction of includes between them, read from
// the sources themselves:
//
//   runtime <- kernels <- models <- train
//   runtime <- data    <- models <- generate
//
// and inside each of these from the rooms listed first to those listed last.
// Commands sit on top: they may include any room, and nobody includes them.
// Tests and bench may include anything.

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

namespace fs = std::filesystem;

// A room may include those before it, where its top folder may include theirs.
const std::vector<std::string>& Rooms() {
  // One a line.
  // clang-format off
  static const auto& rooms = *new std::vector<std::string>{
      "runtime/base",
      "runtime/files",
      "runtime/device",
      "runtime/collective",
      "runtime/command",  // for commands alone
      "kernels/common",
      "kernels/gemm",
      "kernels/layers",
      "kernels/lstm",
      "kernels/gru",
      "kernels/attention",
      "kernels/decoding",
      "kernels/self_check",
      "kernels/commands",
      "data/proto",
      "data/records",
      "data/notes",
      "data/notes/midi",
      "data/notes/abc",
      "data/notes/musicxml",
      "data/notes/convert",
      "data/events/encoding",
      "data/events/melody",
      "data/events/drums",
      "data/events/performance",
      "data/events",
      "data/events/dataset",
      "data/commands",
      "models/checkpoint",
      "models/config",
      "models/layers",
      "models/network",
      "models/metagraph",
      "models/model_file",
      "models/commands",
      "generate/pictures",
      "generate/decoding",
      "generate/model",
      "generate/requests",
      "generate/output",
      "generate/scoring",
      "generate/inspection",
      "generate/commands",
      "train/logging",
      "train/checkpoints",
      "train/loop",
      "train/commands",
  };
  // clang-format on
  return rooms;
}

const std::map<std::string, std::set<std::string>>& TopFolders() {
  static const auto& tops = *new std::map<std::string, std::set<std::string>>{
      {"runtime", {"runtime"}},
      {"kernels", {"kernels", "runtime"}},
      {"data", {"data", "runtime"}},
      {"models", {"models", "kernels", "data", "runtime"}},
      {"train", {"train", "models", "kernels", "data", "runtime"}},
      {"generate", {"generate", "models", "kernels", "data", "runtime"}},
  };
  return tops;
}

std::string Top(const std::string& room) {
  return room.substr(0, room.find('/'));
}

// -1 where there is no such room.
int Place(const std::string& room) {
  const auto it = std::find(Rooms().begin(), Rooms().end(), room);
  return it == Rooms().end() ? -1 : static_cast<int>(it - Rooms().begin());
}

bool IsCommands(const std::string& room) {
  return absl::EndsWith(room, "/commands");
}

bool IsSource(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".h" || extension == ".cc" || extension == ".cu" ||
         extension == ".cuh";
}

// The folders of the project that a source includes with quotes.
std::set<std::string> IncludedRooms(const std::string& path) {
  std::set<std::string> rooms;
  const std::string text = testing::MustRead(path);
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::StartsWith(line, "#include \"")) continue;
    const absl::string_view included = line.substr(10, line.find('"', 10) - 10);
    const size_t slash = included.rfind('/');
    if (slash == absl::string_view::npos) continue;
    const std::string room(included.substr(0, slash));
    const std::string top = Top(room);
    if (TopFolders().count(top) > 0 || top == "tests" || top == "bench") {
      rooms.insert(room);
    }
  }
  return rooms;
}

// The rooms that a room's CMakeLists.txt names.
std::set<std::string> NamedRooms(const std::string& room) {
  std::set<std::string> named;
  const std::string text = testing::MustRead(
      absl::StrCat(CONTINUO_SOURCE_DIR, "/", room, "/CMakeLists.txt"));
  for (absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n()"), absl::SkipEmpty())) {
    if (Place(std::string(word)) >= 0) named.emplace(word);
  }
  return named;
}

std::string WhyNot(const std::string& room, const std::string& included) {
  if (included == room) return "";
  if (Place(included) < 0) return "which is no room";
  if (IsCommands(included)) return "whose files nobody includes";
  if (IsCommands(room)) return "";
  if (included == "runtime/command") return "which is for commands alone";
  if (TopFolders().at(Top(room)).count(Top(included)) == 0 ||
      Place(included) > Place(room)) {
    return "which is above it";
  }
  if (NamedRooms(room).count(included) == 0) {
    return "which its CMakeLists.txt does not name";
  }
  return "";
}

TEST(LayeringTest, RoomsIncludeOnlyWhatIsBelowThem) {
  std::set<std::string> seen = {"data/proto"};
  for (const auto& [top, unused] : TopFolders()) {
    const fs::path root = fs::path(CONTINUO_SOURCE_DIR) / top;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file() || !IsSource(entry.path())) continue;
      const std::string room =
          fs::relative(entry.path().parent_path(), CONTINUO_SOURCE_DIR)
              .generic_string();
      EXPECT_GE(Place(room), 0) << entry.path() << " is in no room";
      seen.insert(room);
      for (const std::string& included : IncludedRooms(entry.path().string())) {
        const std::string why = WhyNot(room, included);
        EXPECT_TRUE(why.empty())
            << entry.path() << " includes " << included << "/, " << why;
      }
    }
  }
  EXPECT_EQ(seen, std::set<std::string>(Rooms().begin(), Rooms().end()));
}

}  // namespace
}  // namespace continuo
