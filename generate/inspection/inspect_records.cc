// SPDX-License-Identifier: Apache-2.0

// TFRecord files: NoteSequences, SequenceExamples, TensorBoard events.

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "data/events/compact_example.h"
#include "data/events/encoding_name.h"
#include "data/proto/event.pb.h"
#include "data/proto/example.pb.h"
#include "data/proto/music.pb.h"
#include "data/records/example.h"
#include "data/records/file_kind.h"
#include "data/records/tfrecord.h"
#include "generate/inspection/inspect.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

using tensorflow::magenta::NoteSequence;

// Records that are shown one by one.
constexpr size_t kFirstRecords = 10;
constexpr int kFirstLabels = 12;

// What is summed up of all records, one class per kind.
class RecordFacts {
 public:
  virtual ~RecordFacts() = default;
  // False if the record is not of this kind.
  virtual bool Add(absl::string_view record) = 0;
  virtual void Show(Facts* facts) const = 0;
};

// Smallest, largest and mean.
struct Range {
  int64_t count = 0;
  double low = 0;
  double high = 0;
  double sum = 0;

  void Add(double value) {
    low = count == 0 ? value : std::min(low, value);
    high = count == 0 ? value : std::max(high, value);
    sum += value;
    ++count;
  }
  Facts ToFacts() const {
    if (count == 0) return nullptr;
    return {{"smallest", low},
            {"largest", high},
            {"mean", sum / static_cast<double>(count)},
            {"sum", sum}};
  }
};

class NoteSequenceFacts : public RecordFacts {
 public:
  bool Add(absl::string_view record) override {
    NoteSequence sequence;
    if (!sequence.ParseFromArray(record.data(),
                                 static_cast<int>(record.size()))) {
      return false;
    }
    notes_.Add(sequence.notes_size());
    seconds_.Add(sequence.total_time());
    if (first_.size() < kFirstRecords) {
      Facts facts;
      facts["record"] = first_.size();
      facts["filename"] = sequence.filename();
      facts["notes"] = sequence.notes_size();
      facts["seconds"] = sequence.total_time();
      if (sequence.tempos_size() > 0) facts["qpm"] = sequence.tempos(0).qpm();
      if (sequence.time_signatures_size() > 0) {
        const auto& time = sequence.time_signatures(0);
        facts["metre"] =
            absl::StrCat(time.numerator(), "/", time.denominator());
      }
      facts["id"] = sequence.id();
      first_.push_back(std::move(facts));
    }
    return true;
  }

  void Show(Facts* facts) const override {
    (*facts)["notes"] = notes_.ToFacts();
    (*facts)["seconds"] = seconds_.ToFacts();
    (*facts)["first_records"] = first_;
  }

 private:
  Range notes_;
  Range seconds_;
  Facts first_ = Facts::array();
};

class ExampleFacts : public RecordFacts {
 public:
  bool Add(absl::string_view record) override {
    tensorflow::SequenceExample example;
    if (!example.ParseFromArray(record.data(),
                                static_cast<int>(record.size()))) {
      return false;
    }
    const auto& lists = example.feature_lists().feature_list();
    const auto inputs = lists.find("inputs");
    const auto labels = lists.find("labels");
    if (inputs == lists.end() || labels == lists.end()) return false;
    for (const auto& step : inputs->second.feature()) {
      ++widths_[step.float_list().value_size()];
    }
    Facts first_labels = Facts::array();
    for (const auto& step : labels->second.feature()) {
      AddLabels({step.int64_list().value().data(),
                 static_cast<size_t>(step.int64_list().value_size())},
                &first_labels);
    }
    AddSteps(labels->second.feature_size(), std::move(first_labels));
    return true;
  }

  void Show(Facts* facts) const override {
    (*facts)["steps"] = steps_.ToFacts();
    (*facts)["input_width"] = Counts(widths_);
    (*facts)["labels_per_step"] = Counts(heads_);
    (*facts)["first_records"] = first_;
    Facts& histogram = (*facts)["labels"] = Facts::array();
    std::map<int, int64_t> totals;
    for (const auto& [label, count] : histogram_) totals[label.first] += count;
    for (const auto& [label, count] : histogram_) {
      Facts row;
      if (totals.size() > 1) row["head"] = label.first;
      row["class"] = label.second;
      row["count"] = count;
      row["percent"] = 100.0 * static_cast<double>(count) /
                       static_cast<double>(totals[label.first]);
      histogram.push_back(std::move(row));
    }
  }

 protected:
  // The labels of one step.
  void AddLabels(absl::Span<const int64_t> labels, Facts* first_labels) {
    ++heads_[static_cast<int>(labels.size())];
    for (size_t head = 0; head < labels.size(); ++head) {
      ++histogram_[{static_cast<int>(head), labels[head]}];
      if (first_labels->size() < kFirstLabels) {
        first_labels->push_back(labels[head]);
      }
    }
  }
  // An example whose labels have been added.
  void AddSteps(int steps, Facts first_labels) {
    steps_.Add(steps);
    if (first_.size() >= kFirstRecords) return;
    first_.push_back({{"record", first_.size()},
                      {"steps", steps},
                      {"first_labels", std::move(first_labels)}});
  }
  void AddWidth(int columns) { ++widths_[columns]; }

 private:
  // The one value that occurs, or all of them: then the data are no set.
  static Facts Counts(const std::map<int, int64_t>& counts) {
    if (counts.size() == 1) return counts.begin()->first;
    Facts list = Facts::array();
    for (const auto& [value, count] : counts) list.push_back(value);
    return list;
  }

  Range steps_;
  std::map<int, int64_t> widths_;
  std::map<int, int64_t> heads_;
  std::map<std::pair<int, int64_t>, int64_t> histogram_;  // by head and class
  Facts first_ = Facts::array();
};

class EventFacts : public RecordFacts {
 public:
  bool Add(absl::string_view record) override {
    tensorflow::Event event;
    if (!event.ParseFromArray(record.data(), static_cast<int>(record.size()))) {
      return false;
    }
    if (!event.file_version().empty()) version_ = event.file_version();
    wall_time_.Add(event.wall_time());
    for (const auto& value : event.summary().value()) {
      Tag& tag = tags_[value.tag()];
      tag.steps.Add(static_cast<double>(event.step()));
      tag.last_step = event.step();
      tag.last = nullptr;
      if (value.value_case() == tensorflow::Summary::Value::kSimpleValue) {
        tag.last = value.simple_value();
      } else if (value.has_image()) {
        tag.last = absl::StrCat("image, ", value.image().width(), " x ",
                                value.image().height());
      }
    }
    if (event.session_log().status() == tensorflow::SessionLog::START) {
      starts_.push_back(event.step());
    }
    if (event.session_log().status() == tensorflow::SessionLog::CHECKPOINT) {
      ++checkpoints_;
    }
    return true;
  }

  void Show(Facts* facts) const override {
    (*facts)["version"] = version_;
    (*facts)["seconds"] = wall_time_.high - wall_time_.low;
    (*facts)["session_starts_at_steps"] = starts_;
    (*facts)["checkpoints_saved"] = checkpoints_;
    Facts& tags = (*facts)["tags"] = Facts::array();
    for (const auto& [name, tag] : tags_) {
      tags.push_back({{"tag", name},
                      {"values", tag.steps.count},
                      {"first_step", static_cast<int64_t>(tag.steps.low)},
                      {"last_step", tag.last_step},
                      {"last_value", tag.last}});
    }
  }

 private:
  struct Tag {
    Range steps;
    int64_t last_step = 0;
    Facts last;
  };
  std::string version_;
  Range wall_time_;
  Facts starts_ = Facts::array();
  int64_t checkpoints_ = 0;
  std::map<std::string, Tag> tags_;
};

// Of the encodings known here.
class CompactFacts : public ExampleFacts {
 public:
  bool Add(absl::string_view record) override {
    CompactExample example;
    if (!ParseCompactRecord(record, "", &example).ok()) return false;
    if (encoding_.empty()) {
      const auto spec = EncodingByName(example.encoding());
      if (!spec.ok()) return false;
      encoding_ = example.encoding();
      format_ = MakeExampleFormat(*spec, encoding_);
    }
    EncodedSequence decoded;
    if (!ParseExample(record, format_, "", &decoded).ok()) return false;
    AddWidth(decoded.inputs.width);
    Facts first_labels = Facts::array();
    const absl::Span<const int64_t> labels = decoded.labels;
    const auto heads = static_cast<size_t>(format_.heads());
    for (size_t i = 0; i < labels.size(); i += heads) {
      AddLabels(labels.subspan(i, heads), &first_labels);
    }
    AddSteps(decoded.inputs.rows(), std::move(first_labels));
    return true;
  }

  void Show(Facts* facts) const override {
    (*facts)["encoding"] = encoding_;
    ExampleFacts::Show(facts);
  }

 private:
  std::string encoding_;
  ExampleFormat format_;
};

// The kind of a file by its first record.
std::pair<std::string, std::unique_ptr<RecordFacts>> KindOf(
    absl::string_view record) {
  switch (KindOfRecord(record)) {
    case FileKind::kEvents:
      return {"TensorBoard events", std::make_unique<EventFacts>()};
    case FileKind::kSequenceExamples:
      return {"TFRecord of SequenceExamples", std::make_unique<ExampleFacts>()};
    case FileKind::kCompactExamples:
      return {"TFRecord of compact examples", std::make_unique<CompactFacts>()};
    case FileKind::kNoteSequences:
      return {"TFRecord of NoteSequences",
              std::make_unique<NoteSequenceFacts>()};
    default:
      return {"TFRecord", nullptr};
  }
}

}  // namespace

absl::StatusOr<Facts> InspectTfRecord(const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<TfRecordReader> reader,
                            TfRecordReader::Open(path));
  std::string kind = "TFRecord";
  std::unique_ptr<RecordFacts> records;
  Range bytes;
  for (;;) {
    const int64_t offset = reader->offset();
    const absl::StatusOr<absl::string_view> record = reader->Next();
    if (absl::IsOutOfRange(record.status())) break;
    CONTINUO_RETURN_IF_ERROR(record.status());
    if (bytes.count == 0) std::tie(kind, records) = KindOf(*record);
    if (records != nullptr && !records->Add(*record)) {
      return absl::DataLossError(
          absl::StrCat(path, ": record ", bytes.count, " at offset ", offset,
                       " is not of the kind of the first one (", kind, ")"));
    }
    bytes.Add(static_cast<double>(record->size()));
    reader->ReleaseRead();
  }
  Facts facts;
  facts["file"] = path;
  facts["kind"] = kind;
  facts["records"] = bytes.count;
  facts["bytes_per_record"] = bytes.ToFacts();
  if (records != nullptr) records->Show(&facts);
  return facts;
}

}  // namespace continuo
