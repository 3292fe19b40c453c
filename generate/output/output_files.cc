// SPDX-License-Identifier: Apache-2.0

#include "generate/output/output_files.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/json.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

double BitsPerEvent(const OutputFacts& facts) {
  const auto predicted =
      static_cast<double>(std::max<int64_t>(1, facts.events - 1));
  return -facts.log_likelihood / std::log(2.0) / predicted;
}

}  // namespace

OutputNames::OutputNames(std::string dir, int num_outputs, absl::Time now,
                         absl::TimeZone zone)
    : dir_(std::move(dir)),
      digits_(static_cast<int>(absl::StrCat(num_outputs).size())),
      time_(now),
      zone_(zone) {}

std::string OutputNames::NewPath(int64_t index) {
  for (;; time_ += absl::Seconds(1)) {
    const std::string stamp = absl::FormatTime("%Y-%m-%d_%H%M%S", time_, zone_);
    std::string path = JoinPath(
        dir_, absl::StrFormat("%s_%0*d.mid", stamp, digits_, index + 1));
    if (!FileExists(path)) return path;
  }
}

std::string LikelihoodText(const OutputFacts& facts) {
  return absl::StrFormat("log-likelihood %.2f (%.2f bits per event)",
                         facts.log_likelihood, BitsPerEvent(facts));
}

std::string ReportLine(const std::string& path, const OutputFacts& facts) {
  OrderedJson line;
  line["file"] = path;
  line["output"] = facts.number;
  line["seed"] = facts.seed;
  line["log_likelihood"] = facts.log_likelihood;
  line["bits_per_event"] = BitsPerEvent(facts);
  line["events"] = facts.events;
  line["generated_events"] = facts.generated_events;
  // A path need not be UTF-8.
  return JsonText(line);
}

}  // namespace continuo
