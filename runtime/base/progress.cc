// SPDX-License-Identifier: Apache-2.0

#include "runtime/base/progress.h"

#include <cmath>
#include <cstdio>

#include "absl/strings/str_format.h"
#include "runtime/base/clock.h"
#include "runtime/base/log.h"

namespace continuo {
namespace {

constexpr absl::Duration kRedrawInterval = absl::Milliseconds(200);

std::string DurationText(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 100) return absl::StrFormat("%d s", whole);
  if (whole < 6000) {
    return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  }
  return absl::StrFormat("%d h %02d min", whole / 3600, whole / 60 % 60);
}

}  // namespace

std::string ProgressText(int64_t done, int64_t total, absl::string_view unit,
                         double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double percent =
      total > 0 ? 100.0 * static_cast<double>(done) / static_cast<double>(total)
                : 100.0;
  std::string text = absl::StrFormat("%d of %d %s (%.0f %%)", done, total, unit,
                                     std::floor(percent));
  if (rate > 0) {
    absl::StrAppendFormat(
        &text, ", %.0f %s/s, %s left", rate, unit,
        DurationText(static_cast<double>(total - done) / rate));
  }
  return text;
}

std::string FractionText(int64_t done, double fraction, absl::string_view unit,
                         absl::string_view also, double seconds) {
  std::string text = absl::StrFormat(
      "%d %s (%.0f %%), %s, %.0f %s/s", done, unit, std::floor(100 * fraction),
      also, seconds > 0 ? static_cast<double>(done) / seconds : 0, unit);
  if (fraction > 0) {
    absl::StrAppendFormat(&text, ", %s left",
                          DurationText(seconds * (1 - fraction) / fraction));
  }
  return text;
}

Progress::Progress(int64_t total, const Style& style)
    : total_(total), style_(style), start_(MonotonicTime()), shown_(start_) {}

double Progress::Seconds() const {
  return absl::ToDoubleSeconds(MonotonicTime() - start_);
}

void Progress::Update(int64_t done) {
  if (IsTime()) Show(ProgressText(done, total_, style_.unit, Seconds()));
}

void Progress::UpdateFraction(int64_t done, double fraction,
                              absl::string_view also) {
  if (IsTime()) {
    Show(FractionText(done, fraction, style_.unit, also, Seconds()));
  }
}

bool Progress::IsTime() {
  const absl::Duration now = MonotonicTime();
  if (now - shown_ < (style_.redraw ? kRedrawInterval : style_.interval)) {
    return false;
  }
  shown_ = now;
  return true;
}

void Progress::Show(absl::string_view text) {
  const std::string line = absl::StrCat(style_.verb, text);
  if (style_.redraw) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    visible_ = true;
  } else {
    LogInfo(line);
  }
}

void Progress::Hide() {
  if (visible_) std::fputs("\r\033[K", stderr);
  visible_ = false;
}

}  // namespace continuo
