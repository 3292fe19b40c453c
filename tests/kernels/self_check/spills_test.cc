// SPDX-License-Identifier: Apache-2.0

// No kernel keeps anything in local memory, on any architecture it is compiled
// for: reads what the assembler said during the build (scripts/save_ptxas.sh).

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace continuo {
namespace {

// The text between the first two quotes after `key`, or nothing.
std::string Quoted(const std::string& line, const std::string& key) {
  const size_t at = line.find(key + " '");
  if (at == std::string::npos) return "";
  const size_t begin = at + key.size() + 2;
  return line.substr(begin, line.find('\'', begin) - begin);
}

// CUDA sources of the project, relative to its root.
std::vector<std::filesystem::path> CudaSources() {
  std::vector<std::filesystem::path> sources;
  const std::filesystem::path folder =
      std::filesystem::path(CONTINUO_SOURCE_DIR) / "kernels";
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".cu") sources.push_back(entry.path());
  }
  std::sort(sources.begin(), sources.end());
  return sources;
}

TEST(SpillsTest, NoKernelUsesLocalMemory) {
  const std::string folder = CONTINUO_PTXAS_DIR;
  if (folder.empty()) {
    GTEST_SKIP() << "this build assembles no kernels: it has no CUDA, or PTX "
                    "alone (CONTINUO_CUDA_PTX_ONLY)";
  }
  const std::vector<std::filesystem::path> sources = CudaSources();
  ASSERT_FALSE(sources.empty());
  for (const std::filesystem::path& source : sources) {
    const std::string name = source.filename().string();
    std::ifstream in(folder + "/" + name + ".txt");
    ASSERT_TRUE(in.good()) << "nothing saved for " << name
                           << "; delete its object and build again";
    std::set<std::string> expected = {"sm_80", "sm_90", "sm_100"};
    if (name.ends_with("_cluster_gpu.cu")) expected.erase("sm_80");
    std::set<std::string> seen;
    std::string line, kernel, architecture;
    int functions = 0;
    while (std::getline(in, line)) {
      const std::string entry = Quoted(line, "entry function");
      if (!entry.empty()) {
        kernel = entry;
        architecture = Quoted(line, "for");
        seen.insert(architecture);
      }
      int frame = 0, stores = 0, loads = 0;
      if (std::sscanf(line.c_str(),
                      " %d bytes stack frame, %d bytes spill stores, %d bytes "
                      "spill loads",
                      &frame, &stores, &loads) != 3) {
        continue;
      }
      ++functions;
      EXPECT_TRUE(frame == 0 && stores == 0 && loads == 0)
          << name << ", " << architecture << ": " << kernel
          << " has a frame of " << frame << " bytes, spills " << stores
          << " and loads " << loads;
    }
    EXPECT_EQ(seen, expected) << name;
    EXPECT_GT(functions, 0) << name;
  }
}

}  // namespace
}  // namespace continuo
