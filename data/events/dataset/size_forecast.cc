// SPDX-License-Identifier: Apache-2.0

#include "data/events/dataset/size_forecast.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "runtime/files/disk_space.h"

namespace continuo {
namespace {

constexpr double kLarge = 1e9;  // bytes

}  // namespace

void SizeForecast::Add(int64_t input_bytes, int64_t examples,
                       int64_t output_bytes, const SizeSample& sample) {
  read_bytes_ += input_bytes;
  examples_ += examples;
  written_bytes_ += output_bytes;
  sampled_.magenta_bytes += sample.magenta_bytes;
  sampled_.compact_bytes += sample.compact_bytes;
}

double SizeForecast::total_bytes() const {
  if (read_bytes_ == 0) return 0;
  return static_cast<double>(written_bytes_) *
         static_cast<double>(input_bytes_) / static_cast<double>(read_bytes_);
}

double SizeForecast::compact_bytes() const {
  if (sampled_.magenta_bytes == 0) return 0;
  return total_bytes() * static_cast<double>(sampled_.compact_bytes) /
         static_cast<double>(sampled_.magenta_bytes);
}

std::optional<std::string> SizeForecast::Warning(
    const std::string& output_dir,
    std::optional<int64_t> (*free_bytes)(const std::string&)) {
  if (warned_ || examples_ < next_look_) return std::nullopt;
  next_look_ = 10 * examples_;
  const double total = total_bytes();
  const std::optional<int64_t> left = free_bytes(output_dir);
  // What is written already is part of both.
  const double room = left.has_value()
                          ? static_cast<double>(*left + written_bytes_)
                          : std::numeric_limits<double>::infinity();
  const bool fits = total <= room;
  if (total <= kLarge && total <= room / 2) return std::nullopt;
  warned_ = true;
  std::string text =
      absl::StrCat("the data set will have about ", BytesToText(total));
  if (left.has_value()) {
    absl::StrAppend(&text, fits ? ", and " : ", but only ", BytesToText(room),
                    " are free in ", output_dir);
  }
  if (const double compact = compact_bytes(); compact > 0) {
    absl::StrAppend(&text, "; `format`=compact writes the same examples in ",
                    "about ", BytesToText(compact));
  }
  return text;
}

absl::Status ExplainFullDisk(const absl::Status& status, bool offer_compact) {
  if (!IsDiskFull(status)) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(
          status.message(),
          "; no file of the data set is kept. Free some space or give "
          "`output_dir` on another disk",
          offer_compact ? ", or `format`=compact for smaller files" : ""));
}

}  // namespace continuo
