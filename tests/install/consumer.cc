// SPDX-License-Identifier: Apache-2.0

// Another project's program: loads a bundle and writes a melody.

#include <cstdio>

#include "generate/model/load_model.h"
#include "generate/output/training_preview.h"
#include "runtime/base/version_number.h"

int main(int argc, char** argv) {
  continuo::ThreadPool pool(1);
  continuo::ModelSource source;
  source.bundle_file = argc > 1 ? argv[1] : "";
  const auto model = continuo::LoadModel(source, continuo::Family::kMelody,
                                         {.device = {}, .pool = &pool});
  if (!model.ok()) return 1;
  const auto music =
      continuo::GeneratePreviews(*model->rnn, model->config, 1, 1, nullptr);
  if (!music.ok()) return 2;
  std::printf("%s: %s, %d notes\n", CONTINUO_VERSION,
              model->config.name.c_str(), (*music)[0].notes_size());
}
