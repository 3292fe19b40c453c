// SPDX-License-Identifier: Apache-2.0

// A small fixed-width font for pictures: ASCII in cells of 6 by 9 dots.

#ifndef CONTINUO_GENERATE_PICTURES_BITMAP_FONT_H_
#define CONTINUO_GENERATE_PICTURES_BITMAP_FONT_H_

namespace continuo {

// Glyphs are 5 dots wide and 7 high above the base line, with 2 dots below it
// for descenders; a cell has one empty column at its right.
inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 9;
inline constexpr int kGlyphAdvance = 6;

// True if the dot at column `x` and row `y` (0 at the top) of the glyph of `c`
// is set. Characters without a glyph show as a frame; dots outside of the
// glyph are clear.
bool GlyphDot(char c, int x, int y);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_PICTURES_BITMAP_FONT_H_
