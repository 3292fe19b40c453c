// SPDX-License-Identifier: Apache-2.0

// Any text gives a literal or an error, and the error points into the text.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "generate/requests/python_literal.h"
#include "runtime/base/log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto literal = continuo::ParsePythonLiteral(text);
  if (literal.ok()) {
    CONTINUO_CHECK(literal->position < size);
  } else {
    CONTINUO_CHECK(!literal.status().message().empty());
  }
  return 0;
}
