// SPDX-License-Identifier: Apache-2.0

#include "generate/scoring/score_metrics.h"

#include <cmath>

#include "runtime/base/json.h"

namespace continuo {
namespace {

void Count(bool correct, HitCount* hits) {
  ++hits->labels;
  hits->correct += correct ? 1 : 0;
}

void AddHits(const HitCount& from, HitCount* to) {
  to->labels += from.labels;
  to->correct += from.correct;
}

OrderedJson Accuracy(const HitCount& hits) {
  if (hits.labels == 0) return nullptr;
  return static_cast<double>(hits.correct) / static_cast<double>(hits.labels);
}

}  // namespace

void ScoreMetrics::Add(const EventEncoder& encoder,
                       const EncodedSequence& example,
                       const ExampleScore& score) {
  ++sequences;
  predicted_events += example.inputs.rows();
  log_likelihood += score.log_likelihood;
  const int heads = encoder.num_heads();
  const auto default_label = encoder.default_label();
  int64_t first_class = 0;  // of the head
  for (int head = 0; head < heads; ++head) {
    for (size_t i = head; i < example.labels.size(); i += heads) {
      const int64_t label = example.labels[i];
      const bool correct = score.predicted[i] == label;
      Count(correct, &all);
      Count(correct, label == default_label[head] ? &no_event : &event);
      Count(correct, &classes[first_class + label]);
    }
    first_class += encoder.head_sizes()[head];
  }
}

void ScoreMetrics::Add(const ScoreMetrics& other) {
  sequences += other.sequences;
  predicted_events += other.predicted_events;
  log_likelihood += other.log_likelihood;
  AddHits(other.all, &all);
  AddHits(other.event, &event);
  AddHits(other.no_event, &no_event);
  for (const auto& [number, hits] : other.classes) {
    AddHits(hits, &classes[number]);
  }
}

OrderedJson MetricsJson(const ScoreMetrics& metrics, bool classes) {
  OrderedJson json;
  json["predicted_events"] = metrics.predicted_events;
  json["log_likelihood"] = metrics.log_likelihood;
  json["bits_per_event"] = nullptr;
  json["perplexity"] = nullptr;
  if (metrics.predicted_events > 0) {
    const double nats =
        -metrics.log_likelihood / static_cast<double>(metrics.predicted_events);
    json["bits_per_event"] = nats / std::log(2.0);
    json["perplexity"] = std::exp(nats);
  }
  json["accuracy"] = Accuracy(metrics.all);
  json["event_accuracy"] = Accuracy(metrics.event);
  json["no_event_accuracy"] = Accuracy(metrics.no_event);
  json["per_class_accuracy"] = nullptr;
  if (!metrics.classes.empty()) {
    double sum = 0;
    for (const auto& [number, hits] : metrics.classes) {
      sum +=
          static_cast<double>(hits.correct) / static_cast<double>(hits.labels);
    }
    json["per_class_accuracy"] =
        sum / static_cast<double>(metrics.classes.size());
  }
  if (!classes) return json;
  auto& list = json["classes"] = OrderedJson::array();
  for (const auto& [number, hits] : metrics.classes) {
    list.push_back({{"class", number},
                    {"labels", hits.labels},
                    {"correct", hits.correct}});
  }
  return json;
}

}  // namespace continuo
