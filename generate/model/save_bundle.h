// SPDX-License-Identifier: Apache-2.0

// --save_generator_bundle: a checkpoint becomes a .mag file.

#ifndef CONTINUO_GENERATE_MODEL_SAVE_BUNDLE_H_
#define CONTINUO_GENERATE_MODEL_SAVE_BUNDLE_H_

#include <string>

#include "absl/status/status.h"
#include "generate/model/load_model.h"

namespace continuo {

// Empty = not given.
struct BundleRequest {
  std::string bundle_file;         // the file to write; required
  std::string bundle_description;  // of this bundle; warned about if empty
  std::string generator_id;        // in place of the configuration's
  std::string generator_description;
  // Sequences that TensorFlow computes at once with the bundle's graph, unless
  // --hparams gives a batch_size. One sequence of a request fills a batch with
  // copies of itself, so a small number is fast.
  int batch_size = 1;
};

// Writes the model of `source` (whose bundle_file is ignored) as a bundle that
// Magenta loads too. Errors name the field and the remedy; nothing is written
// then.
absl::Status SaveBundle(const ModelSource& source, const BundleRequest& request,
                        Family family, const Stream& stream);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_MODEL_SAVE_BUNDLE_H_
