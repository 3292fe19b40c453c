// SPDX-License-Identifier: Apache-2.0

// A picture in memory: boxes, smooth lines, text; written as PNG.

#ifndef CONTINUO_GENERATE_PICTURES_CANVAS_H_
#define CONTINUO_GENERATE_PICTURES_CANVAS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace continuo {

struct Color {
  uint8_t r = 0;
  uint8_t g = 0;
  uint8_t b = 0;
};

// `share` of `b` in `a`, from 0 to 1.
Color Mix(Color a, Color b, double share);

struct Point {
  double x = 0;
  double y = 0;
};

enum class Align { kLeft, kCenter, kRight };

// Coordinates are pixels from the top left corner; what lies outside of the
// picture is not drawn. `alpha` is the share of the new color, 0 to 1.
class Canvas {
 public:
  Canvas(int width, int height, Color background);

  int width() const { return width_; }
  int height() const { return height_; }
  Color At(int x, int y) const;

  // A box with soft edges where they lie between pixels.
  void FillBox(double left, double top, double right, double bottom,
               Color color, double alpha = 1);
  // A smooth line of that thickness with round ends.
  void Line(Point from, Point to, double thickness, Color color,
            double alpha = 1);
  // Lines from point to point, each pixel drawn once.
  void Polyline(const std::vector<Point>& points, double thickness, Color color,
                double alpha = 1);
  void DashedLine(Point from, Point to, double thickness, double dash,
                  Color color);

  // A line of text, `scale` pixels a dot, the top of capitals at `y`.
  // Characters beyond ASCII take one frame each.
  void Text(double x, double y, absl::string_view text, int scale, Color color,
            Align align = Align::kLeft);
  static int TextWidth(absl::string_view text, int scale);

  absl::StatusOr<std::string> EncodePng() const;

 private:
  void Blend(int x, int y, Color color, double alpha);
  int width_;
  int height_;
  std::vector<uint8_t> pixels_;  // height x width x RGB
};

// `text` cut to fit into `width` pixels, with two dots where it was cut.
std::string FitText(absl::string_view text, int scale, int width);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_PICTURES_CANVAS_H_
