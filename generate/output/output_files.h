// SPDX-License-Identifier: Apache-2.0

// Names of the files of a run, and what is told about each.

#ifndef CONTINUO_GENERATE_OUTPUT_OUTPUT_FILES_H_
#define CONTINUO_GENERATE_OUTPUT_OUTPUT_FILES_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace continuo {

// The names of a run's files: "<date>_<time>_<i>.mid", i from 1 with the digits
// of `num_outputs`. Nothing is ever overwritten: where another run that began
// in the same second has taken a name, the next second is used from there on.
class OutputNames {
 public:
  OutputNames(std::string dir, int num_outputs, absl::Time now,
              absl::TimeZone zone);

  // Full path of output `index`, from 0; no file of that name exists.
  std::string NewPath(int64_t index);

 private:
  std::string dir_;
  int digits_;
  absl::Time time_;
  absl::TimeZone zone_;
};

// What the report says about one file, beside its name.
struct OutputFacts {
  int64_t number = 0;  // from 1
  uint64_t seed = 0;
  double log_likelihood = 0;
  int64_t events = 0;  // primer included
  int64_t generated_events = 0;
};

// "log-likelihood -181.1 (2.08 bits per event)"; the sum counts all events but
// the first.
std::string LikelihoodText(const OutputFacts& facts);

// One JSON object without line end: file, output, seed, log_likelihood,
// bits_per_event, events, generated_events.
std::string ReportLine(const std::string& path, const OutputFacts& facts);

}  // namespace continuo

#endif  // CONTINUO_GENERATE_OUTPUT_OUTPUT_FILES_H_
