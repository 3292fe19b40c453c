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

Progress::Progress(int64_t total, const Style& style)
    : total_(total), style_(style), start_(MonotonicTime()), shown_(start_) {}

double Progress::Seconds() const {
  return absl::ToDoubleSeconds(MonotonicTime() - start_);
}

void Progress::Update(int64_t done) {
  const absl::Duration now = MonotonicTime();
  if (now - shown_ < (style_.redraw ? kRedrawInterval : style_.interval)) {
    return;
  }
  shown_ = now;
  const std::string text = absl::StrCat(
      style_.verb, ProgressText(done, total_, style_.unit, Seconds()));
  if (style_.redraw) {
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
