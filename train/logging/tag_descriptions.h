// SPDX-License-Identifier: Apache-2.0

// Descriptions of tags in TensorBoard.

#ifndef CONTINUO_TRAIN_LOGGING_TAG_DESCRIPTIONS_H_
#define CONTINUO_TRAIN_LOGGING_TAG_DESCRIPTIONS_H_

#include "absl/strings/string_view.h"

namespace continuo {

// A sentence of Markdown; empty for a tag that is not this program's.
absl::string_view TagDescription(absl::string_view tag);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOGGING_TAG_DESCRIPTIONS_H_
