// SPDX-License-Identifier: Apache-2.0

#include "train/logging/report.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "train/logging/event_tags.h"

namespace continuo {
namespace {

std::string LossText(const Metrics& metrics, int heads, double unigram_nats) {
  return absl::StrFormat(
      "loss %s (%s bits/event, unigram %.3f), perplexity %s, accuracy %.3f",
      ShortNumber(metrics.loss, 4),
      ShortNumber(BitsPerEvent(metrics.loss, heads), 3),
      BitsPerEvent(unigram_nats, heads), ShortNumber(metrics.perplexity, 3),
      metrics.accuracy);
}

// The part of a log line that training and evaluation share.
Scalars LogScalars(const Metrics& metrics, int heads, double unigram_nats) {
  return {{"loss", metrics.loss},
          {"bits_per_event", BitsPerEvent(metrics.loss, heads)},
          {"unigram_bits_per_event", BitsPerEvent(unigram_nats, heads)},
          {"perplexity", metrics.perplexity},
          {"accuracy", metrics.accuracy},
          {"event_accuracy", metrics.event_accuracy},
          {"no_event_accuracy", metrics.no_event_accuracy},
          {"loss_per_step", metrics.loss_per_step},
          {"perplexity_per_step", metrics.perplexity_per_step}};
}

}  // namespace

std::string ShortNumber(double value, int digits) {
  if (std::isnan(value)) return "nan";  // whatever its sign
  return std::abs(value) < 1e6 ? absl::StrFormat("%.*f", digits, value)
                               : absl::StrFormat("%.4g", value);
}

std::string ClockTime(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "unknown";
  const int64_t seconds = absl::ToInt64Seconds(duration);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                         seconds % 60);
}

std::string ToLine(const StepReport& report) {
  std::string line = absl::StrFormat(
      "step %d: %s, gradient norm %.3g, learning rate %g, %.0f events/s",
      report.step, LossText(report.metrics, report.heads, report.unigram_nats),
      report.gradient_norm, report.learning_rate, report.events_per_second);
  if (report.time_left != absl::InfiniteDuration()) {
    absl::StrAppend(&line, ", ", ClockTime(report.time_left), " left");
  }
  return line;
}

std::string ToLine(const EvalReport& report) {
  return absl::StrFormat(
      "evaluation at step %d: %s, %d examples, %d events in %.1f s",
      report.step, LossText(report.metrics, report.heads, report.unigram_nats),
      report.examples, report.events, report.elapsed_seconds);
}

absl::StatusOr<Reporter> Reporter::Open(const std::string& dir,
                                        int64_t last_step,
                                        ReporterOptions options) {
  Reporter reporter;
  CONTINUO_ASSIGN_OR_RETURN(
      reporter.log_, JsonLog::Open(JoinPath(dir, "log.jsonl"), last_step));
  CONTINUO_ASSIGN_OR_RETURN(reporter.events_,
                            EventFile::Create(dir, options.clock));
  reporter.options_ = std::move(options);
  return reporter;
}

Reporter Reporter::Silent() {
  Reporter reporter;
  reporter.events_ = EventFile::Nowhere();
  return reporter;
}

absl::Status Reporter::Sync() {
  if (log_ == nullptr) return absl::OkStatus();
  CONTINUO_RETURN_IF_ERROR(log_->Sync());
  return events_->Sync();
}

// Under the same tags in training and evaluation, so that TensorBoard lays the
// curves over each other.
absl::Status Reporter::WriteBits(int64_t step, const Metrics& metrics,
                                 int heads, double unigram_nats) {
  return events_->WriteScalars(
      step, {{kBitsTag, BitsPerEvent(metrics.loss, heads)},
             {kUnigramBitsTag, BitsPerEvent(unigram_nats, heads)}});
}

absl::Status Reporter::Write(const StepReport& report) {
  if (log_ == nullptr) return absl::OkStatus();
  const Metrics& m = report.metrics;
  LogInfo(ToLine(report));
  // First, so that the log has no gap if the events cannot be written.
  Scalars line = LogScalars(m, report.heads, report.unigram_nats);
  line.insert(line.end(), {{"gradient_norm", report.gradient_norm},
                           {"learning_rate", report.learning_rate},
                           {"events_per_second", report.events_per_second},
                           {"steps_per_second", report.steps_per_second},
                           {"epoch", static_cast<double>(report.epoch)},
                           {"elapsed_seconds", report.elapsed_seconds}});
  CONTINUO_RETURN_IF_ERROR(log_->Write(report.step, line));
  // Magenta's tags, in its order.
  Scalars magenta_tags;
  if (options_.tf1_tags) {
    // Its queues of file names and of examples are one queue of batches here.
    magenta_tags = {{"input_producer/fraction_of_32_full", report.queue_fill},
                    {"batch/fraction_of_500_full", report.queue_fill}};
  }
  magenta_tags.insert(magenta_tags.end(),
                      {{"loss", m.loss},
                       {"metrics/perplexity", m.perplexity},
                       {"metrics/accuracy", m.accuracy},
                       {"metrics/event_accuracy", m.event_accuracy},
                       {"metrics/no_event_accuracy", m.no_event_accuracy},
                       {"metrics/loss_per_step", m.loss_per_step},
                       {"metrics/perplexity_per_step", m.perplexity_per_step}});
  CONTINUO_RETURN_IF_ERROR(events_->WriteScalars(report.step, magenta_tags));
  if (report.steps_per_second > 0) {
    CONTINUO_RETURN_IF_ERROR(events_->WriteScalars(
        report.step, {{"global_step/sec", report.steps_per_second}}));
  }
  CONTINUO_RETURN_IF_ERROR(
      WriteBits(report.step, m, report.heads, report.unigram_nats));
  return events_->WriteScalars(
      report.step, {{"continuo/gradient_norm", report.gradient_norm},
                    {"continuo/learning_rate", report.learning_rate},
                    {"continuo/events_per_second", report.events_per_second}});
}

absl::Status Reporter::Write(const EvalReport& report) {
  if (log_ == nullptr) return absl::OkStatus();
  const Metrics& m = report.metrics;
  LogInfo(ToLine(report));
  // First, as above.
  Scalars line = LogScalars(m, report.heads, report.unigram_nats);
  line.insert(line.end(), {{"per_class_accuracy", m.per_class_accuracy},
                           {"examples", static_cast<double>(report.examples)},
                           {"events", static_cast<double>(report.events)},
                           {"elapsed_seconds", report.elapsed_seconds}});
  CONTINUO_RETURN_IF_ERROR(log_->Write(report.step, line));
  // There is no queue in an evaluation here: it reads in file order.
  CONTINUO_RETURN_IF_ERROR(events_->WriteScalars(
      report.step, {{"loss", m.loss},
                    {"metrics/accuracy", m.accuracy},
                    {"metrics/per_class_accuracy", m.per_class_accuracy},
                    {"metrics/event_accuracy", m.event_accuracy},
                    {"metrics/no_event_accuracy", m.no_event_accuracy},
                    {"metrics/loss_per_step", m.loss_per_step},
                    {"metrics/perplexity", m.perplexity},
                    {"metrics/perplexity_per_step", m.perplexity_per_step}}));
  return WriteBits(report.step, m, report.heads, report.unigram_nats);
}

}  // namespace continuo
