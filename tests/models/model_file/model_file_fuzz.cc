// SPDX-License-Identifier: Apache-2.0

// Any tensors, configuration, graph and id as a model: an error in words, or a
// network whose weights are all there.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "data/events/encoder_table.h"
#include "models/checkpoint/safetensors.h"
#include "models/model_file/model_file.h"
#include "models/network/network.h"
#include "models/network/weights.h"
#include "runtime/base/log.h"

namespace {

using continuo::Agreement;
using continuo::Family;

void TryModel(const continuo::ModelFile& file) {
  for (const Family family :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    for (const Agreement agreement :
         {Agreement::kSameModel, Agreement::kSameNetwork}) {
      for (const char* config : {"", "attention_rnn", "drum_kit"}) {
        const auto model = continuo::ConfigOfModel(
            file, family, {.config = config}, agreement);
        if (!model.ok()) continue;
        const auto encoder = continuo::MakeEventEncoder(model->encoding);
        CONTINUO_CHECK(
            continuo::FlatFromTensors(
                continuo::NetworkParameters(
                    continuo::MakeNetworkSpec(*encoder, model->hparams)),
                file.tensors, "", "fuzz")
                .ok());
      }
    }
  }
}

}  // namespace

// A byte for what the rest is: a safetensors file with its own configuration,
// or its tensors under a bundle's id, before half of them a meta graph.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  continuo::SetLogLevel("FATAL").IgnoreError();
  if (size < 2) return 0;
  absl::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  continuo::ModelFile file;
  file.path = "fuzz";
  if ((data[0] & 1) != 0) {
    const size_t graph = std::min<size_t>(data[0], bytes.size());
    file.is_bundle = (data[0] & 2) != 0;
    file.generator_id = (data[0] & 4) != 0 ? "attention_rnn" : "drum_kit";
    file.metagraph = std::string(bytes.substr(0, graph));
    bytes.remove_prefix(graph);
  }
  const auto contents = continuo::ParseSafetensors(bytes, "fuzz");
  if (!contents.ok()) return 0;
  file.tensors = contents->tensors;
  const auto text = contents->metadata.find(continuo::kSafetensorsRunConfig);
  if ((data[0] & 1) == 0 && text != contents->metadata.end()) {
    const auto run = continuo::ParseRunConfig(text->second, "fuzz");
    if (run.ok()) file.run = *run;
  }
  TryModel(file);
  return 0;
}
