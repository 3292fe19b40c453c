// SPDX-License-Identifier: Apache-2.0

// Any bytes as a file to inspect: facts or an error, never a crash.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "generate/inspection/inspect.h"
#include "runtime/base/log.h"
#include "runtime/files/file.h"
#include "tests/testing/scratch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const continuo::testing::ScratchDir dir;
  const std::string path = dir.Path("file");
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  CONTINUO_CHECK(continuo::WriteFileAtomically(path, bytes,
                                               continuo::Durability::kUnsynced)
                     .ok());
  const auto facts = continuo::Inspect(path);
  if (facts.ok()) (void)continuo::FactsToText(*facts);
  return 0;
}
