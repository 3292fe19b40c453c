// SPDX-License-Identifier: Apache-2.0

// Any meta graph gives a window of at least one step or an error.

#include <cstddef>
#include <cstdint>
#include <string>

#include "models/model_file/detect_architecture.h"
#include "runtime/base/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const bool around_stack : {false, true}) {
    const auto length = continuo::DetectAttentionLength(
        bytes,
        {.layer_sizes = {16, 12},
         .attention = true,
         .attention_around_stack = around_stack},
        "bundle");
    if (length.ok()) CONTINUO_CHECK(*length >= 1);
  }
  return 0;
}
