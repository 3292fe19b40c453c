// SPDX-License-Identifier: Apache-2.0

// Magenta's draws: its distributions and uniform numbers must give its choices
// (golden family "generation").

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/decoding/sampling.h"
#include "tests/testing/golden.h"
#include "tests/testing/npy.h"

namespace continuo {
namespace {

TEST(SamplingGoldenTest, DrawsMagentasChoices) {
  ThreadPool pool(1);
  int cases = 0;
  const std::string root = testing::GoldenDir("generation");
  for (const std::string& bundle : testing::ListFolders(root)) {
    const std::string folder = root + "/" + bundle;
    for (const std::string& file : testing::ListFiles(folder, ".softmax.npy")) {
      const std::string name =
          file.substr(0, file.size() - std::string(".softmax.npy").size());
      SCOPED_TRACE(bundle + "/" + name);
      const testing::NpyArray softmax =
          testing::MustReadNpy(folder + "/" + file);
      const nlohmann::json golden =
          testing::MustReadJson(folder + "/" + name + ".json");
      const int64_t rows = softmax.shape[0];
      const int64_t width = softmax.shape[1];
      std::vector<float> logits;
      for (float p : softmax.floats) logits.push_back(std::log(p));
      std::vector<double> u = golden["u"];
      u.resize(rows);
      std::vector<int64_t> want = golden["choice"];
      want.resize(rows);

      const std::vector<int> heads = {static_cast<int>(width)};
      std::vector<int64_t> choice(rows);
      std::vector<double> log_p(rows);
      ASSERT_TRUE(Sample({.device = {}, .pool = &pool},
                         {.logits = TensorView(logits.data(), {rows, width}),
                          .head_sizes = heads,
                          .u = TensorView(u.data(), {rows, 1}),
                          .choice = TensorView(choice.data(), {rows, 1}),
                          .log_p = TensorView(log_p.data(), {rows})})
                      .ok());
      EXPECT_EQ(choice, want);
      for (int64_t n = 0; n < rows; ++n) {
        EXPECT_NEAR(std::exp(log_p[n]), golden["p"][n].get<double>(), 1e-6);
      }
      ++cases;
    }
  }
  if (cases == 0 && testing::GoldenDirIsForeign()) GTEST_SKIP();
  EXPECT_GT(cases, 0) << "no softmax in " << root;
}

}  // namespace
}  // namespace continuo
