// SPDX-License-Identifier: Apache-2.0

#include "tests/testing/npy.h"

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/log.h"
#include "tests/testing/golden.h"

namespace continuo::testing {

int64_t NpyArray::num_elements() const {
  int64_t count = 1;
  for (int64_t dim : shape) count *= dim;
  return count;
}

NpyArray MustReadNpy(const std::string& path) {
  const std::string bytes = MustRead(path);
  CONTINUO_CHECK(bytes.size() > 10 && bytes.substr(0, 6) == "\x93NUMPY");
  const size_t header_size = static_cast<unsigned char>(bytes[8]) |
                             static_cast<unsigned char>(bytes[9]) << 8;
  CONTINUO_CHECK(bytes[6] == 1 && bytes.size() >= 10 + header_size);
  const absl::string_view header =
      absl::string_view(bytes).substr(10, header_size);
  CONTINUO_CHECK(absl::StrContains(header, "'fortran_order': False"));

  NpyArray array;
  const size_t open = header.find("'shape': (");
  CONTINUO_CHECK(open != absl::string_view::npos);
  absl::string_view dims = header.substr(open + 10);
  dims = dims.substr(0, dims.find(')'));
  for (absl::string_view dim : absl::StrSplit(dims, ',')) {
    dim = absl::StripAsciiWhitespace(dim);
    if (dim.empty()) continue;
    int64_t value = 0;
    CONTINUO_CHECK(absl::SimpleAtoi(dim, &value));
    array.shape.push_back(value);
  }
  const char* data = bytes.data() + 10 + header_size;
  const size_t size = bytes.size() - 10 - header_size;
  const size_t count = static_cast<size_t>(array.num_elements());
  if (absl::StrContains(header, "'<f4'")) {
    CONTINUO_CHECK(size == count * sizeof(float));
    array.floats.resize(count);
    std::memcpy(array.floats.data(), data, size);
  } else {
    CONTINUO_CHECK(absl::StrContains(header, "'<i8'"));
    CONTINUO_CHECK(size == count * sizeof(int64_t));
    array.ints.resize(count);
    std::memcpy(array.ints.data(), data, size);
  }
  return array;
}

}  // namespace continuo::testing
