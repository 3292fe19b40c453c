// SPDX-License-Identifier: Apache-2.0

// Generator bundles (.mag): a trained model in one file.

#ifndef CONTINUO_MODELS_CHECKPOINT_BUNDLE_H_
#define CONTINUO_MODELS_CHECKPOINT_BUNDLE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/checkpoint/checkpoint.h"

namespace continuo {

struct Bundle {
  std::string id;           // of the generator, selects the configuration
  std::string description;  // of the generator
  std::string bundle_description;  // free text; empty if absent
  TensorMap tensors;               // inference variables
  std::string metagraph;           // serialized MetaGraphDef, as stored
  // How often each event begins the training data; empty if absent (bundles of
  // Magenta).
  std::map<int64_t, int64_t> first_events;
};

// Reads a .mag file. InvalidArgument if it is not a bundle, DataLoss if it is
// damaged; both name the file. Any damage is found in bundles that this program
// wrote; Magenta protects the checkpoint alone.
absl::StatusOr<Bundle> ReadBundle(const std::string& path);

// The same from memory; `name` stands for the file in messages.
absl::StatusOr<Bundle> ParseBundle(absl::string_view bytes,
                                   absl::string_view name);

// Writes a bundle, beside and renamed.
absl::Status WriteBundle(const std::string& path, const Bundle& bundle);

// The bytes of a .mag file.
std::string BuildBundle(const Bundle& bundle);

// What a bundle holds for TensorFlow: its V1 checkpoint and its meta graph as
// stored, both checked to be readable.
struct BundleFiles {
  std::string checkpoint;
  std::string metagraph;
};
absl::StatusOr<BundleFiles> ReadBundleFiles(const std::string& path);

}  // namespace continuo

#endif  // CONTINUO_MODELS_CHECKPOINT_BUNDLE_H_
