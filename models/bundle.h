// Generator bundles (.mag): a trained model in one file.

#ifndef CONTINUO_MODELS_BUNDLE_H_
#define CONTINUO_MODELS_BUNDLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/checkpoint.h"

namespace continuo {

struct Bundle {
  std::string id;           // of the generator, selects the configuration
  std::string description;  // of the generator
  std::string bundle_description;  // free text; empty if absent
  TensorMap tensors;               // inference variables
  std::string metagraph;           // serialized MetaGraphDef, as stored
};

// Reads a .mag file. InvalidArgument if it is not a bundle, DataLoss if its
// checkpoint is damaged; both name the file.
absl::StatusOr<Bundle> ReadBundle(const std::string& path);

// The same from memory; `name` stands for the file in messages.
absl::StatusOr<Bundle> ParseBundle(absl::string_view bytes,
                                   absl::string_view name);

}  // namespace continuo

#endif  // CONTINUO_MODELS_BUNDLE_H_
