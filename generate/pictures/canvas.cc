// SPDX-License-Identifier: Apache-2.0

#include "generate/pictures/canvas.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "generate/pictures/bitmap_font.h"

namespace continuo {
namespace {

// UTF-8 with one '\x7F', which has no glyph, for each character beyond ASCII.
std::string ToAscii(absl::string_view text) {
  std::string ascii;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) ascii.push_back(c);
    if (byte >= 0xC0) ascii.push_back('\x7F');
  }
  return ascii;
}

// How much of the pixel at `at` lies between `low` and `high`.
double Cover(double low, double high, int at) {
  return std::clamp(std::min(high, at + 1.0) - std::max(low, double(at)), 0.0,
                    1.0);
}

// Pixels [left, right) x [top, bottom).
struct Region {
  int left;
  int top;
  int right;
  int bottom;
};

double DistanceToSegment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  double t = 0;
  if (length > 0) {
    t = std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0);
  }
  return std::hypot(p.x - (a.x + t * dx), p.y - (a.y + t * dy));
}

}  // namespace

Color Mix(Color a, Color b, double share) {
  const auto mix = [&](uint8_t x, uint8_t y) {
    return static_cast<uint8_t>(std::lround(x + (y - x) * share));
  };
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

Canvas::Canvas(int width, int height, Color background)
    : width_(width), height_(height) {
  pixels_.reserve(static_cast<size_t>(width) * height * 3);
  for (int i = 0; i < width * height; ++i) {
    pixels_.insert(pixels_.end(), {background.r, background.g, background.b});
  }
}

Color Canvas::At(int x, int y) const {
  const uint8_t* p = &pixels_[(static_cast<size_t>(y) * width_ + x) * 3];
  return {p[0], p[1], p[2]};
}

void Canvas::Blend(int x, int y, Color color, double alpha) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_ || alpha <= 0) return;
  const Color mixed = Mix(At(x, y), color, std::min(alpha, 1.0));
  uint8_t* p = &pixels_[(static_cast<size_t>(y) * width_ + x) * 3];
  p[0] = mixed.r;
  p[1] = mixed.g;
  p[2] = mixed.b;
}

void Canvas::FillBox(double left, double top, double right, double bottom,
                     Color color, double alpha) {
  left = std::max(left, 0.0);
  top = std::max(top, 0.0);
  right = std::min(right, double(width_));
  bottom = std::min(bottom, double(height_));
  for (int y = static_cast<int>(top); y < bottom; ++y) {
    for (int x = static_cast<int>(left); x < right; ++x) {
      Blend(x, y, color, alpha * Cover(left, right, x) * Cover(top, bottom, y));
    }
  }
}

void Canvas::Line(Point from, Point to, double thickness, Color color,
                  double alpha) {
  Polyline({from, to}, thickness, color, alpha);
}

void Canvas::Polyline(const std::vector<Point>& points, double thickness,
                      Color color, double alpha) {
  const double reach = thickness / 2 + 1;
  const auto clip = [](double v, int limit) {
    return static_cast<int>(std::clamp(v, 0.0, double(limit)));
  };
  // The part of the picture around `a` and `b`.
  const auto around = [&](Point a, Point b) {
    return Region{clip(std::min(a.x, b.x) - reach, width_),
                  clip(std::min(a.y, b.y) - reach, height_),
                  clip(std::max(a.x, b.x) + reach + 1, width_),
                  clip(std::max(a.y, b.y) + reach + 1, height_)};
  };
  Region all = {width_, height_, 0, 0};
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const Region part = around(points[i], points[i + 1]);
    all = {std::min(all.left, part.left), std::min(all.top, part.top),
           std::max(all.right, part.right), std::max(all.bottom, part.bottom)};
  }
  if (all.left >= all.right || all.top >= all.bottom) return;
  // The largest coverage of any segment is drawn, so that joints and crossings
  // of a transparent line are not darker than the rest of it.
  const size_t row = static_cast<size_t>(all.right - all.left);
  std::vector<float> cover(row * (all.bottom - all.top));
  const auto pixel = [&](int x, int y) -> float& {
    return cover[(y - all.top) * row + (x - all.left)];
  };
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const Region part = around(points[i], points[i + 1]);
    for (int y = part.top; y < part.bottom; ++y) {
      for (int x = part.left; x < part.right; ++x) {
        const double distance =
            DistanceToSegment({x + 0.5, y + 0.5}, points[i], points[i + 1]);
        const auto share = static_cast<float>(
            std::clamp(thickness / 2 + 0.5 - distance, 0.0, 1.0));
        pixel(x, y) = std::max(pixel(x, y), share);
      }
    }
  }
  for (int y = all.top; y < all.bottom; ++y) {
    for (int x = all.left; x < all.right; ++x) {
      Blend(x, y, color, alpha * pixel(x, y));
    }
  }
}

void Canvas::DashedLine(Point from, Point to, double thickness, double dash,
                        Color color) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  const auto at = [&](double d) {
    const double t = std::min(d, length) / length;
    return Point{from.x + (to.x - from.x) * t, from.y + (to.y - from.y) * t};
  };
  for (double d = 0; d < length; d += 2 * dash) {
    Line(at(d), at(d + dash), thickness, color);
  }
}

void Canvas::Text(double x, double y, absl::string_view text, int scale,
                  Color color, Align align) {
  const std::string ascii = ToAscii(text);
  if (align != Align::kLeft) {
    x -= TextWidth(text, scale) / (align == Align::kCenter ? 2.0 : 1.0);
  }
  int left = static_cast<int>(std::lround(x));
  const int top = static_cast<int>(std::lround(y));
  for (const char c : ascii) {
    for (int row = 0; row < kGlyphHeight * scale; ++row) {
      for (int column = 0; column < kGlyphWidth * scale; ++column) {
        const int dot_x = column / scale, dot_y = row / scale;
        if (GlyphDot(c, dot_x, dot_y)) {
          Blend(left + column, top + row, color, 1);
          continue;
        }
        // Diagonal neighbours are joined by a half-tone in the corner between
        // them, which takes the steps out of slanted strokes.
        const int side_x = 2 * (column % scale) < scale ? -1 : 1;
        const int side_y = 2 * (row % scale) < scale ? -1 : 1;
        if (scale > 1 && GlyphDot(c, dot_x + side_x, dot_y) &&
            GlyphDot(c, dot_x, dot_y + side_y) &&
            !GlyphDot(c, dot_x + side_x, dot_y + side_y)) {
          Blend(left + column, top + row, color, 0.6);
        }
      }
    }
    left += kGlyphAdvance * scale;
  }
}

int Canvas::TextWidth(absl::string_view text, int scale) {
  const int letters = static_cast<int>(ToAscii(text).size());
  return letters == 0 ? 0 : (letters * kGlyphAdvance - 1) * scale;
}

absl::StatusOr<std::string> Canvas::EncodePng() const {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width_);
  image.height = static_cast<png_uint_32>(height_);
  image.format = PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = bytes.size();
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels_.data(),
                                 0, nullptr)) {
    const std::string message = image.message;
    png_image_free(&image);
    return absl::InternalError(absl::StrCat("PNG of a picture of ", width_,
                                            " x ", height_, ": ", message));
  }
  bytes.resize(size);
  return bytes;
}

std::string FitText(absl::string_view text, int scale, int width) {
  if (Canvas::TextWidth(text, scale) <= width) return std::string(text);
  const std::string ascii = ToAscii(text);
  size_t letters = ascii.size();
  while (letters > 0 &&
         Canvas::TextWidth(absl::StrCat(ascii.substr(0, letters), ".."),
                           scale) > width) {
    --letters;
  }
  return absl::StrCat(ascii.substr(0, letters), "..");
}

}  // namespace continuo
