// Log-likelihoods of sequences under the original's bundles (golden family
// "bundles").

#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "generate/load_model.h"
#include "generate/score.h"
#include "gtest/gtest.h"
#include "tests/testing/golden.h"

namespace continuo {
namespace {

TEST(ScoreGoldenTest, LogLikelihoodsEqualTheOriginals) {
  ThreadPool pool(2);
  const std::string root = testing::GoldenDir("bundles");
  int cases = 0;
  for (const std::string& file : testing::ListFiles(root, ".mag")) {
    SCOPED_TRACE(file);
    const std::string path = root + "/" + file;
    const nlohmann::json golden =
        testing::MustReadJson(path.substr(0, path.size() - 4) + ".json");
    // The original cannot score with a batch of more than one.
    if (golden["config"][0] != "melody_rnn" ||
        golden["hparams"]["batch_size"] != 1) {
      std::cout << "[  SKIPPED ] " << file << "\n";
      continue;
    }
    ModelSource source;
    source.bundle_file = path;
    const auto model =
        LoadModel(source, Family::kMelody, {.device = {}, .pool = &pool});
    ASSERT_TRUE(model.ok()) << model.status();
    std::vector<std::vector<Event>> sequences;
    for (const auto& scored : golden["log_likelihoods"]) {
      sequences.push_back(scored["squashed_events"]);
    }
    ASSERT_FALSE(sequences.empty());
    for (int max_rows : {1, 2, 100}) {
      const auto found =
          LogLikelihoods(*model->rnn, *model->encoder, sequences, max_rows);
      ASSERT_TRUE(found.ok()) << found.status();
      for (size_t i = 0; i < sequences.size(); ++i) {
        const double want = golden["log_likelihoods"][i]["log_likelihood"];
        EXPECT_NEAR((*found)[i], want, 1e-4 * std::abs(want));
      }
    }
    ++cases;
  }
  if (cases == 0 && testing::GoldenDirIsForeign()) GTEST_SKIP();
  EXPECT_GT(cases, 0) << "no melody bundle in " << root;
}

}  // namespace
}  // namespace continuo
