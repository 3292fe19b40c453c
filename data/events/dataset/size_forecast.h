// SPDX-License-Identifier: Apache-2.0

// Forecasts the size of a data set, and the advice if it is too large.

#ifndef CONTINUO_DATA_EVENTS_DATASET_SIZE_FORECAST_H_
#define CONTINUO_DATA_EVENTS_DATASET_SIZE_FORECAST_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace continuo {

// The sizes of one example in both forms.
struct SizeSample {
  int64_t magenta_bytes = 0;
  int64_t compact_bytes = 0;
};

class SizeForecast {
 public:
  // `input_bytes`: of all input.
  explicit SizeForecast(int64_t input_bytes) : input_bytes_(input_bytes) {}

  // The result of one sequence. `sample` is of one of its examples, where there
  // is one and the data set is not compact.
  void Add(int64_t input_bytes, int64_t examples, int64_t output_bytes,
           const SizeSample& sample);

  int64_t written_bytes() const { return written_bytes_; }
  // Of the whole data set, and of the same examples in compact form (0 if this
  // is that form); 0 before there is anything to go by.
  double total_bytes() const;
  double compact_bytes() const;

  // A warning, given once: at the first hundred examples, or when ten times as
  // many have shown more, if the data set will have more than a gigabyte or
  // half of the `free_bytes` that are left beside it in `output_dir`. Offers
  // the compact form. The free space is asked for when it matters.
  std::optional<std::string> Warning(
      const std::string& output_dir,
      std::optional<int64_t> (*free_bytes)(const std::string&));

 private:
  int64_t input_bytes_;
  int64_t read_bytes_ = 0;
  int64_t written_bytes_ = 0;
  int64_t examples_ = 0;
  int64_t next_look_ = 100;  // examples
  SizeSample sampled_;
  bool warned_ = false;
};

// `status` of writing a data set to --output_dir; if the disk was full, with
// what can be done: with `offer_compact` the compact form is a way.
absl::Status ExplainFullDisk(const absl::Status& status, bool offer_compact);

}  // namespace continuo

#endif  // CONTINUO_DATA_EVENTS_DATASET_SIZE_FORECAST_H_
