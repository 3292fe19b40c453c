// SPDX-License-Identifier: Apache-2.0

#include "data/events/performance/control_runs.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

constexpr int kNumDensityBins = static_cast<int>(kDensityBins.size()) + 1;
constexpr int kHistogramSize = std::tuple_size_v<PitchHistogram>;

// Entries [begin, end) of some rows.
struct Entries {
  const SparseRows* rows;
  int begin;
  int end;

  bool SameAs(const Entries& other) const {
    return std::equal(rows->index.begin() + begin, rows->index.begin() + end,
                      other.rows->index.begin() + other.begin,
                      other.rows->index.begin() + other.end) &&
           std::equal(rows->value.begin() + begin, rows->value.begin() + end,
                      other.rows->value.begin() + other.begin,
                      other.rows->value.begin() + other.end);
  }
};

// Appends the values of a run of these control entries; false if they are not
// controls.
bool AddRun(const ControlSpec& spec, const Entries& entries,
            ControlRuns* runs) {
  const SparseRows& rows = *entries.rows;
  int next = entries.begin;
  int column = 0;
  if (spec.optional) {
    const bool off = next < entries.end && rows.index[next] == 0;
    runs->add_off(off ? 1 : 0);
    if (off) return rows.value[next] == 1.0f && entries.end == next + 1;
    ++column;
  }
  if (spec.density) {
    if (next == entries.end || rows.index[next] < column ||
        rows.index[next] >= column + kNumDensityBins ||
        rows.value[next] != 1.0f) {
      return false;
    }
    runs->add_density_bin(static_cast<uint32_t>(rows.index[next] - column));
    ++next;
    column += kNumDensityBins;
  }
  if (spec.histogram) {
    for (int i = 0; i < kHistogramSize; ++i) {
      const bool present = next < entries.end && rows.index[next] == column + i;
      runs->add_pitch_histogram(present ? rows.value[next] : 0.0f);
      if (present) ++next;
    }
  }
  return next == entries.end;
}

// The entries of each run, read from the front.
class RunReader {
 public:
  RunReader(const ControlSpec& spec, const ControlRuns& runs)
      : spec_(spec), runs_(runs) {}

  // Replaces `row` by one row with the controls of the next run; false if there
  // are none.
  bool Next(SparseRows* row) {
    row->Clear();
    int column = 0;
    if (spec_.optional) {
      if (off_ == runs_.off_size()) return false;
      if (const uint32_t off = runs_.off(off_++); off != 0) {
        row->Add(0, 1.0f);
        row->EndRow();
        return off == 1;
      }
      ++column;
    }
    if (spec_.density) {
      if (density_ == runs_.density_bin_size()) return false;
      const uint32_t bin = runs_.density_bin(density_++);
      if (bin >= uint32_t{kNumDensityBins}) return false;
      row->Add(column + static_cast<int>(bin), 1.0f);
      column += kNumDensityBins;
    }
    if (spec_.histogram) {
      if (runs_.pitch_histogram_size() - histogram_ < kHistogramSize) {
        return false;
      }
      for (int i = 0; i < kHistogramSize; ++i) {
        const float share = runs_.pitch_histogram(histogram_++);
        if (!std::isfinite(share)) return false;
        if (share != 0) row->Add(column + i, share);
      }
    }
    row->EndRow();
    return true;
  }

  // Whether everything was read.
  bool at_end() const {
    return off_ == runs_.off_size() && density_ == runs_.density_bin_size() &&
           histogram_ == runs_.pitch_histogram_size();
  }

 private:
  const ControlSpec& spec_;
  const ControlRuns& runs_;
  int off_ = 0;
  int density_ = 0;
  int histogram_ = 0;
};

absl::Status DoNotFit() {
  return absl::DataLossError("the control values do not fit the labels");
}

}  // namespace

absl::StatusOr<ControlRuns> TakeControls(const ControlSpec& spec,
                                         const SparseRows& inputs,
                                         SparseRows* rest) {
  const int width = spec.width();
  rest->Clear();
  rest->width = inputs.width - width;
  ControlRuns runs;
  Entries last{&inputs, 0, 0};
  for (int row = 0; row < inputs.rows(); ++row) {
    Entries controls{&inputs, inputs.row_begin[row], inputs.row_begin[row + 1]};
    const auto first = inputs.index.begin() + controls.begin;
    const auto end = inputs.index.begin() + controls.end;
    controls.end = static_cast<int>(std::lower_bound(first, end, width) -
                                    inputs.index.begin());
    for (int i = controls.end; i < inputs.row_begin[row + 1]; ++i) {
      rest->Add(inputs.index[i] - width, inputs.value[i]);
    }
    rest->EndRow();
    if (row > 0 && controls.SameAs(last)) {
      runs.set_rows(runs.rows_size() - 1, runs.rows(runs.rows_size() - 1) + 1);
    } else {
      runs.add_rows(1);
      if (!AddRun(spec, controls, &runs)) {
        return absl::InvalidArgumentError(
            absl::StrCat("inputs at step ", row, ": the first ", width,
                         " values are no controls of this encoding"));
      }
    }
    last = controls;
  }
  return runs;
}

absl::Status PutControls(const ControlSpec& spec, const ControlRuns& runs,
                         const SparseRows& rest, SparseRows* inputs) {
  const int width = spec.width();
  inputs->Clear();
  inputs->width = rest.width + width;
  RunReader reader(spec, runs);
  SparseRows controls;
  int row = 0;
  for (const uint32_t count : runs.rows()) {
    if (count == 0 || count > static_cast<uint32_t>(rest.rows() - row) ||
        !reader.Next(&controls)) {
      return DoNotFit();
    }
    for (uint32_t i = 0; i < count; ++i, ++row) {
      inputs->index.insert(inputs->index.end(), controls.index.begin(),
                           controls.index.end());
      inputs->value.insert(inputs->value.end(), controls.value.begin(),
                           controls.value.end());
      for (int k = rest.row_begin[row]; k < rest.row_begin[row + 1]; ++k) {
        inputs->Add(width + rest.index[k], rest.value[k]);
      }
      inputs->EndRow();
    }
  }
  return row == rest.rows() && reader.at_end() ? absl::OkStatus() : DoNotFit();
}

}  // namespace continuo
