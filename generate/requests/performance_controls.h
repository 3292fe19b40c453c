// SPDX-License-Identifier: Apache-2.0

// Requested control values of a performance, as lists or from a file
// (generate/README.md).

#ifndef CONTINUO_GENERATE_REQUESTS_PERFORMANCE_CONTROLS_H_
#define CONTINUO_GENERATE_REQUESTS_PERFORMANCE_CONTROLS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/events/performance/control_source.h"
#include "data/events/performance/controls.h"
#include "data/proto/generator.pb.h"

namespace continuo {

// Values of one control over the time of a performance. Without `seconds` they
// divide it into equal parts; else value i holds from seconds[i] on (ascending)
// and the first one from the start. No values: the default.
template <typename T>
struct RequestedValues {
  std::vector<T> values;
  std::vector<double> seconds;

  bool given() const { return !values.empty(); }
};

struct RequestedControls {
  RequestedValues<double> notes_per_second;
  RequestedValues<PitchHistogram> pitch_class_histogram;
  RequestedValues<bool> disable_conditioning;
};

// Python literals. A number of at least 0, or a list of such:
absl::StatusOr<RequestedValues<double>> ParseNotesPerSecond(
    absl::string_view text);
// A list of twelve numbers of at least 0, or a list of such lists:
absl::StatusOr<RequestedValues<PitchHistogram>> ParsePitchClassHistogram(
    absl::string_view text);
// True or False, or a list of these:
absl::StatusOr<RequestedValues<bool>> ParseDisableConditioning(
    absl::string_view text);

// The contents of a control file, JSON:
//   {"notes_per_second": [{"seconds": 0, "value": 4},
//                         {"seconds": 12.5, "value": 16}],
//    "pitch_class_histogram": [{"seconds": 0, "value": [2, 0, ..., 1]}],
//    "disable_conditioning": [{"seconds": 20, "value": true}]}
// Each control may be left out. InvalidArgument names the control, the entry
// and what is expected.
absl::StatusOr<RequestedControls> ParseControlFile(absl::string_view text);

// The arguments notes_per_second, pitch_class_histogram and
// disable_conditioning of a request, which are literals too.
absl::StatusOr<RequestedControls> ControlsFromArgs(
    const tensorflow::magenta::GeneratorOptions& options);

// Notes per second on average: the mean of the values, the default without.
double MeanDensity(const RequestedControls& controls);

// What the encoder asks, for a performance of `total_steps` >= 1 steps.
ControlSchedule MakeControlSchedule(const RequestedControls& controls,
                                    int64_t total_steps);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_REQUESTS_PERFORMANCE_CONTROLS_H_
