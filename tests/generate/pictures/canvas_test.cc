// SPDX-License-Identifier: Apache-2.0

#include "generate/pictures/canvas.h"

#include <png.h>

#include <string>
#include <vector>

#include "generate/pictures/bitmap_font.h"
#include "gtest/gtest.h"

namespace continuo {
namespace {

constexpr Color kWhite = {255, 255, 255};
constexpr Color kBlack = {0, 0, 0};

int Darkness(const Canvas& canvas) {
  int dark = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) dark += canvas.At(x, y).r < 128;
  }
  return dark;
}

TEST(CanvasTest, BoxesCoverPartsOfPixels) {
  Canvas canvas(4, 3, kWhite);
  canvas.FillBox(1, 0.5, 2.5, 2, kBlack);
  EXPECT_EQ(canvas.At(0, 1).r, 255);
  EXPECT_EQ(canvas.At(1, 1).r, 0);
  EXPECT_NEAR(canvas.At(1, 0).r, 128, 1);
  EXPECT_NEAR(canvas.At(2, 1).r, 128, 1);
  EXPECT_NEAR(canvas.At(2, 0).r, 191, 1);
}

TEST(CanvasTest, DrawingOutsideIsCutOff) {
  Canvas canvas(8, 8, kWhite);
  canvas.FillBox(-10, -10, -1, 100, kBlack);
  canvas.Line({-50, -50}, {-5, 60}, 3, kBlack);
  canvas.Text(-100, 2, "ab", 2, kBlack);
  EXPECT_EQ(Darkness(canvas), 0);
  canvas.FillBox(-10, -10, 100, 100, kBlack);
  EXPECT_EQ(Darkness(canvas), 64);
}

TEST(CanvasTest, TransparentJointsAreNoDarkerThanTheLine) {
  Canvas canvas(40, 20, kWhite);
  canvas.Polyline({{5, 10}, {20, 10}, {35, 10}}, 4, kBlack, 0.5);
  EXPECT_EQ(canvas.At(20, 10).r, canvas.At(10, 10).r);
  EXPECT_NEAR(canvas.At(10, 10).r, 128, 1);
}

TEST(CanvasTest, TextShowsItsGlyphs) {
  Canvas canvas(20, 12, kWhite);
  canvas.Text(0, 0, "I1", 1, kBlack);
  for (int x = 0; x < 12; ++x) {
    for (int y = 0; y < kGlyphHeight; ++y) {
      const bool dot = x < kGlyphAdvance ? GlyphDot('I', x, y)
                                         : GlyphDot('1', x - kGlyphAdvance, y);
      EXPECT_EQ(canvas.At(x, y).r == 0, dot) << x << " " << y;
    }
  }
  EXPECT_EQ(Canvas::TextWidth("ab", 2), 22);
  // One frame for a character of two bytes.
  EXPECT_EQ(Canvas::TextWidth("\xC3\xA4", 1), 5);
}

TEST(CanvasTest, EveryGlyphDiffers) {
  std::vector<std::string> seen;
  for (char c = ' '; c <= '~'; ++c) {
    std::string dots;
    for (int y = 0; y < kGlyphHeight; ++y) {
      for (int x = 0; x < kGlyphWidth; ++x)
        dots += GlyphDot(c, x, y) ? '#' : '.';
    }
    for (const std::string& other : seen) EXPECT_NE(dots, other) << c;
    seen.push_back(dots);
  }
}

TEST(CanvasTest, FitTextCuts) {
  EXPECT_EQ(FitText("short", 1, 100), "short");
  EXPECT_EQ(FitText("abcdefgh", 1, Canvas::TextWidth("abcde", 1)), "abc..");
}

TEST(CanvasTest, PngHoldsThePixels) {
  Canvas canvas(5, 2, kWhite);
  canvas.FillBox(3, 1, 4, 2, {10, 20, 30});
  const auto png = canvas.EncodePng();
  ASSERT_TRUE(png.ok()) << png.status();
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(
      png_image_begin_read_from_memory(&image, png->data(), png->size()));
  EXPECT_EQ(image.width, 5);
  EXPECT_EQ(image.height, 2);
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image));
  ASSERT_TRUE(
      png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr));
  EXPECT_EQ(pixels[(5 + 3) * 3 + 1], 20);
  EXPECT_EQ(pixels[0], 255);
}

}  // namespace
}  // namespace continuo
