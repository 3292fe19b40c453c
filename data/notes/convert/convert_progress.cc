#include "data/notes/convert/convert_progress.h"

#include <cmath>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

constexpr double kRedrawSeconds = 0.2;
constexpr double kLogSeconds = 10;

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 100) return absl::StrFormat("%d s", whole);
  if (whole < 6000) {
    return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  }
  return absl::StrFormat("%d h %02d min", whole / 3600, whole / 60 % 60);
}

}  // namespace

std::string ProgressText(int64_t done, int64_t total, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double percent =
      total > 0 ? 100.0 * static_cast<double>(done) / static_cast<double>(total)
                : 100.0;
  std::string text = absl::StrFormat("%d of %d files (%.0f %%)", done, total,
                                     std::floor(percent));
  if (rate > 0) {
    absl::StrAppendFormat(&text, ", %.0f files/s, %s left", rate,
                          Duration(static_cast<double>(total - done) / rate));
  }
  return text;
}

Progress::Progress(int64_t total, bool redraw)
    : total_(total), redraw_(redraw) {}

double Progress::ElapsedSeconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::Update(int64_t done) {
  const Clock::time_point now = Clock::now();
  const double since = std::chrono::duration<double>(now - shown_).count();
  if (since < (redraw_ ? kRedrawSeconds : kLogSeconds)) return;
  shown_ = now;
  const std::string text = ProgressText(done, total_, ElapsedSeconds());
  if (redraw_) {
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    visible_ = true;
  } else {
    LogInfo(text);
  }
}

void Progress::Hide() {
  if (visible_) std::fputs("\r\033[K", stderr);
  visible_ = false;
}

}  // namespace continuo
