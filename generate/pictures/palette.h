// SPDX-License-Identifier: Apache-2.0

// The colours that all pictures share.

#ifndef CONTINUO_GENERATE_PICTURES_PALETTE_H_
#define CONTINUO_GENERATE_PICTURES_PALETTE_H_

#include "generate/pictures/canvas.h"

namespace continuo {

inline constexpr Color kPaper = {255, 255, 255};
inline constexpr Color kInk = {38, 43, 52};
inline constexpr Color kFaintInk = {120, 128, 140};

}  // namespace continuo

#endif  // CONTINUO_GENERATE_PICTURES_PALETTE_H_
