// SPDX-License-Identifier: Apache-2.0

// Any bytes as a continuo.json: an error, or a configuration whose encoder and
// list of weights can be made and that is written and read back as it is.

#include <cstddef>
#include <cstdint>
#include <string>

#include "data/events/encoder_table.h"
#include "models/config/run_config.h"
#include "models/network/network.h"
#include "runtime/base/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using continuo::ParseRunConfig;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = ParseRunConfig(text, "fuzz");
  if (!config.ok()) return 0;
  const auto encoder = continuo::MakeEventEncoder(config->model.encoding);
  const auto parameters = continuo::NetworkParameters(
      continuo::MakeNetworkSpec(*encoder, config->model.hparams));
  CONTINUO_CHECK(continuo::FlatSize(parameters) > 0);
  const std::string written = continuo::RunConfigToJson(*config);
  const auto again = ParseRunConfig(written, "written");
  CONTINUO_CHECK(again.ok());
  CONTINUO_CHECK(continuo::RunConfigToJson(*again) == written);
  return 0;
}
