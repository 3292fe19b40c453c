// SPDX-License-Identifier: Apache-2.0

// Encodings by name: "key_melody(48..83)", as compact records say which one
// they are of.

#ifndef CONTINUO_DATA_EVENTS_ENCODING_NAME_H_
#define CONTINUO_DATA_EVENTS_ENCODING_NAME_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/events/encoder_table.h"

namespace continuo {

// Equal for two specs exactly if their encoders are: what only the choice of
// events depends on (EncodingSpec::transpose_to_key) is not part of it.
std::string EncodingName(const EncodingSpec& spec);

// The encoding of a name. InvalidArgument for anything that EncodingName does
// not write, numbers outside their range included.
absl::StatusOr<EncodingSpec> EncodingByName(absl::string_view name);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_ENCODING_NAME_H_
