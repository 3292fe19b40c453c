// SPDX-License-Identifier: Apache-2.0

// Any text as --hparams: an error, or values whose printed form reads back.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "models/config/hparams.h"
#include "runtime/base/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  continuo::Hparams hparams;
  if (!continuo::ParseHparams(text, &hparams).ok()) return 0;
  const std::string printed = continuo::HparamsToString(hparams);
  continuo::Hparams again;
  CONTINUO_CHECK(continuo::ParseHparams(printed, &again).ok());
  CONTINUO_CHECK(continuo::HparamsToString(again) == printed);
  CONTINUO_CHECK(continuo::HparamNames(text).ok());
  return 0;
}
