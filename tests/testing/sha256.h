// SPDX-License-Identifier: Apache-2.0

// SHA-256, to compare with the digests of golden data.

#ifndef CONTINUO_TESTS_TESTING_SHA256_H_
#define CONTINUO_TESTS_TESTING_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace continuo::testing {

// The digest in lower-case hexadecimal.
std::string Sha256(absl::string_view bytes);

}  // namespace continuo::testing

#endif  // CONTINUO_TESTS_TESTING_SHA256_H_
