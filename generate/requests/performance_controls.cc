// SPDX-License-Identifier: Apache-2.0

#include "generate/requests/performance_controls.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/events/performance/performance.h"
#include "generate/requests/python_literal.h"
#include "runtime/base/json.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::GeneratorOptions;

// Larger values are typos. Sums of smaller ones stay finite.
constexpr double kMaxValue = 1e6;

constexpr char kDensityRule[] = "expected notes per second, 0 or more";
constexpr char kHistogramRule[] =
    "expected twelve numbers of 0 or more, one for each pitch class from C on";
constexpr char kDisableRule[] = "expected True or False";

bool IsAmount(double value) { return value >= 0 && value <= kMaxValue; }

// One value of a literal; false if it is not one.
bool ReadValue(const PythonLiteral& literal, double* value) {
  *value = literal.number;
  return (literal.kind == PythonLiteral::Kind::kInt ||
          literal.kind == PythonLiteral::Kind::kFloat) &&
         IsAmount(*value);
}
bool ReadValue(const PythonLiteral& literal, bool* value) {
  *value = literal.integer != 0;
  return literal.kind == PythonLiteral::Kind::kBool;
}
bool ReadValue(const PythonLiteral& literal, PitchHistogram* value) {
  if (!literal.is_sequence() || literal.items.size() != value->size()) {
    return false;
  }
  for (size_t i = 0; i < value->size(); ++i) {
    if (!ReadValue(literal.items[i], &(*value)[i])) return false;
  }
  return true;
}

bool ReadValue(const Json& item, double* value) {
  if (!item.is_number()) return false;
  *value = item.get<double>();
  return IsAmount(*value);
}
bool ReadValue(const Json& item, bool* value) {
  if (!item.is_boolean()) return false;
  *value = item.get<bool>();
  return true;
}
bool ReadValue(const Json& item, PitchHistogram* value) {
  if (!item.is_array() || item.size() != value->size()) return false;
  for (size_t i = 0; i < value->size(); ++i) {
    if (!ReadValue(item[i], &(*value)[i])) return false;
  }
  return true;
}

// One value, or a list of them.
template <typename T>
absl::StatusOr<RequestedValues<T>> ParseValues(absl::string_view text,
                                               absl::string_view rule) {
  CONTINUO_ASSIGN_OR_RETURN(const PythonLiteral literal,
                            ParsePythonLiteral(text));
  RequestedValues<T> requested;
  T value;
  if (ReadValue(literal, &value)) {
    requested.values.push_back(value);
    return requested;
  }
  const std::string message = absl::StrCat(rule, ", or a list of these");
  if (!literal.is_sequence() || literal.items.empty()) {
    return absl::InvalidArgumentError(PointAt(message, text, literal.position));
  }
  for (const PythonLiteral& item : literal.items) {
    if (!ReadValue(item, &value)) {
      return absl::InvalidArgumentError(PointAt(message, text, item.position));
    }
    requested.values.push_back(value);
  }
  return requested;
}

template <typename T>
absl::Status ReadTimed(const Json& list, absl::string_view name,
                       absl::string_view rule, RequestedValues<T>* requested) {
  if (!list.is_array() || list.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": expected a list of {\"seconds\": S, \"value\": V}"));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    const auto error = [&](absl::string_view what) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ", entry ", i, ": ", what));
    };
    const Json& entry = list[i];
    if (!entry.is_object() || entry.size() != 2 || !entry.contains("seconds") ||
        !entry.contains("value")) {
      return error("expected {\"seconds\": S, \"value\": V}");
    }
    double seconds = 0;
    if (!ReadValue(entry["seconds"], &seconds) ||
        (i > 0 && seconds <= requested->seconds.back())) {
      return error("\"seconds\" must be 0 or more, and ascend");
    }
    T value;
    if (!ReadValue(entry["value"], &value)) {
      return error(absl::StrCat("\"value\": ", rule));
    }
    requested->seconds.push_back(seconds);
    requested->values.push_back(value);
  }
  return absl::OkStatus();
}

template <typename T>
void Apply(const RequestedValues<T>& requested, int64_t total_steps,
           Changes<T>* changes) {
  if (!requested.given()) return;
  if (requested.seconds.empty()) {
    *changes = EqualParts(requested.values, total_steps);
    return;
  }
  changes->clear();
  for (size_t i = 0; i < requested.values.size(); ++i) {
    changes->emplace_back(
        std::llround(requested.seconds[i] * kPerformanceStepsPerSecond),
        requested.values[i]);
  }
}

}  // namespace

absl::StatusOr<RequestedValues<double>> ParseNotesPerSecond(
    absl::string_view text) {
  return ParseValues<double>(text, kDensityRule);
}

absl::StatusOr<RequestedValues<PitchHistogram>> ParsePitchClassHistogram(
    absl::string_view text) {
  return ParseValues<PitchHistogram>(text, kHistogramRule);
}

absl::StatusOr<RequestedValues<bool>> ParseDisableConditioning(
    absl::string_view text) {
  return ParseValues<bool>(text, kDisableRule);
}

absl::StatusOr<RequestedControls> ParseControlFile(absl::string_view text) {
  const Json object = ParseJson(text);
  if (!object.is_object()) {
    return absl::InvalidArgumentError("not a JSON object");
  }
  RequestedControls controls;
  for (const auto& [name, list] : object.items()) {
    absl::Status status;
    if (name == "notes_per_second") {
      status = ReadTimed(list, name, kDensityRule, &controls.notes_per_second);
    } else if (name == "pitch_class_histogram") {
      status = ReadTimed(list, name, kHistogramRule,
                         &controls.pitch_class_histogram);
    } else if (name == "disable_conditioning") {
      status = ReadTimed(list, name, "expected true or false",
                         &controls.disable_conditioning);
    } else {
      status = absl::InvalidArgumentError(
          absl::StrCat(name,
                       ": there is no such control; expected notes_per_second, "
                       "pitch_class_histogram or disable_conditioning"));
    }
    CONTINUO_RETURN_IF_ERROR(status);
  }
  return controls;
}

absl::StatusOr<RequestedControls> ControlsFromArgs(
    const GeneratorOptions& options) {
  RequestedControls controls;
  for (const auto& [name, value] : options.args()) {
    if (name == "notes_per_second") {
      CONTINUO_ASSIGN_OR_RETURN(controls.notes_per_second,
                                ParseNotesPerSecond(value.string_value()));
    } else if (name == "pitch_class_histogram") {
      CONTINUO_ASSIGN_OR_RETURN(controls.pitch_class_histogram,
                                ParsePitchClassHistogram(value.string_value()));
    } else if (name == "disable_conditioning") {
      CONTINUO_ASSIGN_OR_RETURN(controls.disable_conditioning,
                                ParseDisableConditioning(value.string_value()));
    }
  }
  return controls;
}

double MeanDensity(const RequestedControls& controls) {
  const std::vector<double>& values = controls.notes_per_second.values;
  if (values.empty()) return kDefaultNotesPerSecond;
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

ControlSchedule MakeControlSchedule(const RequestedControls& controls,
                                    int64_t total_steps) {
  ControlSchedule::Values values;
  Apply(controls.notes_per_second, total_steps, &values.notes_per_second);
  Apply(controls.pitch_class_histogram, total_steps,
        &values.pitch_class_histogram);
  Apply(controls.disable_conditioning, total_steps, &values.disabled);
  return ControlSchedule(std::move(values));
}

}  // namespace continuo
