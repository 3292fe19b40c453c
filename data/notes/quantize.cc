// SPDX-License-Identifier: Apache-2.0

#include "data/notes/quantize.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "data/notes/defaults.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

constexpr int64_t kSaturated = int64_t{1} << 62;

// Collects the kind of failure beside its message.
class FailureSink {
 public:
  explicit FailureSink(QuantizeFailure* out) : out_(out) {
    if (out_ != nullptr) *out_ = QuantizeFailure::kNone;
  }
  template <typename... Args>
  absl::Status Fail(QuantizeFailure failure, const Args&... message) {
    if (out_ != nullptr) *out_ = failure;
    return absl::InvalidArgumentError(absl::StrCat(message...));
  }

 private:
  QuantizeFailure* out_;
};

bool SameMetre(const NoteSequence::TimeSignature& a,
               const NoteSequence::TimeSignature& b) {
  return a.numerator() == b.numerator() && a.denominator() == b.denominator();
}

std::string MetreName(const NoteSequence::TimeSignature& metre) {
  return absl::StrCat(metre.numerator(), "/", metre.denominator());
}

bool IsPowerOfTwo(int value) { return value > 0 && (value & (value - 1)) == 0; }

// The position of the earliest event, the first of several.
template <typename Events>
int EarliestIndex(const Events& events) {
  const auto earlier = [](const auto& a, const auto& b) {
    return a.time() < b.time();
  };
  return static_cast<int>(
      std::min_element(events.begin(), events.end(), earlier) - events.begin());
}

// Leaves one time signature, at 0. All but the earliest are compared with the
// first in list order, as in Magenta.
absl::Status KeepOneTimeSignature(FailureSink* sink, NoteSequence* sequence) {
  auto* metres = sequence->mutable_time_signatures();
  if (metres->empty()) {
    auto* metre = metres->Add();
    metre->set_numerator(4);
    metre->set_denominator(4);
  }
  const int earliest = EarliestIndex(*metres);
  const NoteSequence::TimeSignature& opening = metres->Get(earliest);
  if (opening.time() != 0 &&
      !(opening.numerator() == 4 && opening.denominator() == 4)) {
    return sink->Fail(QuantizeFailure::kMultipleTimeSignatures,
                      "time signature changes from the implicit 4/4 to ",
                      MetreName(opening), " at ", opening.time(), " seconds");
  }
  for (int i = 0; i < metres->size(); ++i) {
    if (i == earliest || SameMetre(metres->Get(i), metres->Get(0))) continue;
    return sink->Fail(QuantizeFailure::kMultipleTimeSignatures,
                      "time signature changes from ", MetreName(metres->Get(0)),
                      " to ", MetreName(metres->Get(i)), " at ",
                      metres->Get(i).time(), " seconds");
  }
  metres->Mutable(0)->set_time(0);
  metres->DeleteSubrange(1, metres->size() - 1);
  const NoteSequence::TimeSignature& metre = metres->Get(0);
  if (!IsPowerOfTwo(metre.denominator()) || metre.numerator() < 1) {
    return sink->Fail(QuantizeFailure::kBadTimeSignature, "time signature ",
                      MetreName(metre),
                      " has a denominator that is no power of two or no "
                      "positive numerator");
  }
  return absl::OkStatus();
}

// Leaves one tempo, at 0.
absl::Status KeepOneTempo(FailureSink* sink, NoteSequence* sequence) {
  auto* tempos = sequence->mutable_tempos();
  if (tempos->empty()) tempos->Add()->set_qpm(kDefaultQpm);
  const int earliest = EarliestIndex(*tempos);
  const NoteSequence::Tempo& opening = tempos->Get(earliest);
  if (opening.time() != 0 && opening.qpm() != kDefaultQpm) {
    return sink->Fail(QuantizeFailure::kMultipleTempos,
                      "tempo changes from the implicit 120 to ", opening.qpm(),
                      " qpm at ", opening.time(), " seconds");
  }
  for (int i = 0; i < tempos->size(); ++i) {
    if (i == earliest || tempos->Get(i).qpm() == tempos->Get(0).qpm()) continue;
    return sink->Fail(QuantizeFailure::kMultipleTempos, "tempo changes from ",
                      tempos->Get(0).qpm(), " to ", tempos->Get(i).qpm(),
                      " qpm at ", tempos->Get(i).time(), " seconds");
  }
  tempos->Mutable(0)->set_time(0);
  tempos->DeleteSubrange(1, tempos->size() - 1);
  return absl::OkStatus();
}

// One time with the checks that all share.
absl::Status Quantize(FailureSink* sink, const char* what, double seconds,
                      double steps_per_second, int64_t* step) {
  const double position = seconds * steps_per_second;
  // The negated form is true for not-a-number too.
  if (!(std::abs(position) < static_cast<double>(kMaxQuantizedStep))) {
    return sink->Fail(QuantizeFailure::kTimeOutOfRange, what, " at ", seconds,
                      " seconds is out of range");
  }
  *step = QuantizeToStep(seconds, steps_per_second);
  if (*step < 0) {
    return sink->Fail(QuantizeFailure::kNegativeTime, what, " at ", seconds,
                      " seconds lies before the start");
  }
  return absl::OkStatus();
}

absl::Status QuantizeTimes(FailureSink* sink, double steps_per_second,
                           NoteSequence* sequence) {
  int64_t total = 0;
  CONTINUO_RETURN_IF_ERROR(Quantize(sink, "total_time", sequence->total_time(),
                                    steps_per_second, &total));
  for (NoteSequence::Note& note : *sequence->mutable_notes()) {
    int64_t start = 0;
    int64_t end = 0;
    CONTINUO_RETURN_IF_ERROR(Quantize(sink, "note start", note.start_time(),
                                      steps_per_second, &start));
    CONTINUO_RETURN_IF_ERROR(
        Quantize(sink, "note end", note.end_time(), steps_per_second, &end));
    if (end == start) ++end;
    note.set_quantized_start_step(start);
    note.set_quantized_end_step(end);
    total = std::max(total, end);
  }
  sequence->set_total_quantized_steps(total);
  for (auto& change : *sequence->mutable_control_changes()) {
    int64_t step = 0;
    CONTINUO_RETURN_IF_ERROR(Quantize(sink, "control change", change.time(),
                                      steps_per_second, &step));
    change.set_quantized_step(step);
  }
  for (auto& text : *sequence->mutable_text_annotations()) {
    int64_t step = 0;
    CONTINUO_RETURN_IF_ERROR(Quantize(sink, "text annotation", text.time(),
                                      steps_per_second, &step));
    text.set_quantized_step(step);
  }
  return absl::OkStatus();
}

}  // namespace

int64_t QuantizeToStep(double seconds, double steps_per_second, double cutoff) {
  const double position = seconds * steps_per_second + (1 - cutoff);
  if (std::isnan(position)) return 0;
  if (position >= static_cast<double>(kSaturated)) return kSaturated;
  if (position <= -static_cast<double>(kSaturated)) return -kSaturated;
  return static_cast<int64_t>(position);
}

double StepsPerSecond(int steps_per_quarter, double qpm) {
  return steps_per_quarter * qpm / 60.0;
}

absl::Status QuantizeMetric(int steps_per_quarter, NoteSequence* sequence,
                            QuantizeFailure* failure) {
  FailureSink sink(failure);
  CONTINUO_RETURN_IF_ERROR(KeepOneTimeSignature(&sink, sequence));
  CONTINUO_RETURN_IF_ERROR(KeepOneTempo(&sink, sequence));
  sequence->mutable_quantization_info()->set_steps_per_quarter(
      steps_per_quarter);
  return QuantizeTimes(
      &sink, StepsPerSecond(steps_per_quarter, sequence->tempos(0).qpm()),
      sequence);
}

absl::Status QuantizeAbsolute(int steps_per_second, NoteSequence* sequence,
                              QuantizeFailure* failure) {
  FailureSink sink(failure);
  sequence->mutable_quantization_info()->set_steps_per_second(steps_per_second);
  return QuantizeTimes(&sink, steps_per_second, sequence);
}

double StepsPerBar(const NoteSequence& quantized) {
  const NoteSequence::TimeSignature& metre = quantized.time_signatures(0);
  const double quarters_per_beat = 4.0 / metre.denominator();
  return quantized.quantization_info().steps_per_quarter() *
         (quarters_per_beat * metre.numerator());
}

}  // namespace continuo
