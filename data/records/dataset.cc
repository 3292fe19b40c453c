// SPDX-License-Identifier: Apache-2.0

#include "data/records/dataset.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "data/records/example.h"
#include "data/records/file_kind.h"
#include "data/records/manifest.h"
#include "data/records/tfrecord.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/status.h"

namespace continuo {

absl::StatusOr<std::unique_ptr<Dataset>> Dataset::Open(
    absl::string_view pattern, const ExampleFormat& format, ThreadPool* pool) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                            Glob(pattern));
  std::unique_ptr<Dataset> dataset(new Dataset());
  dataset->format_ = format;
  for (const std::string& path : paths) {
    CONTINUO_RETURN_IF_ERROR(CheckIsNoFolder(path, /*music=*/false));
    CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file,
                              MappedFile::Open(path));
    CONTINUO_RETURN_IF_ERROR(
        CheckHoldsExamples(path, file->bytes(), format.made_by));
    dataset->watches_.push_back(
        std::make_unique<FileWatch>(file->path(), file->bytes()));
    dataset->files_.push_back(std::move(file));
  }
  CONTINUO_RETURN_IF_ERROR(dataset->IndexFiles());
  if (dataset->index_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        pattern, ": no examples in ", paths.size(),
        paths.size() == 1 ? " file" : " files",
        "; the statistics that the create_dataset command logs tell why "
        "sequences were dropped (for an empty eval set, raise `eval_ratio`)"));
  }
  const absl::Status checked = dataset->CheckExamples(pool);
  for (const auto& watch : dataset->watches_) {
    CONTINUO_RETURN_IF_ERROR(watch->Check());
  }
  CONTINUO_RETURN_IF_ERROR(checked);
  return dataset;
}

absl::Status Dataset::IndexFiles() {
  ManifestCheck manifests;
  for (size_t i = 0; i < files_.size(); ++i) {
    const MappedFile& file = *files_[i];
    first_example_.push_back(num_examples());
    int64_t offset = 0;
    RecordDigest digest;
    for (;;) {
      const int64_t start = offset;
      // The data's checksum is verified by CheckExamples, in parallel.
      const auto record = ParseTfRecord(file.bytes(), file.path(), &offset,
                                        /*verify_data=*/false);
      if (absl::IsOutOfRange(record.status())) break;
      CONTINUO_RETURN_IF_ERROR(record.status());
      digest.Add(file.bytes().substr(start, offset - start));
      digest_.Add(file.bytes().substr(start, offset - start));
      if (record->size() > std::numeric_limits<int32_t>::max()) {
        return absl::InvalidArgumentError(
            absl::StrCat(file.path(), ": a record of more than 2 GiB"));
      }
      index_.push_back({.offset = record->data() - file.bytes().data(),
                        .size = static_cast<int32_t>(record->size()),
                        .file = static_cast<int32_t>(i)});
    }
    CONTINUO_RETURN_IF_ERROR(manifests.Check(file.path(), digest));
  }
  return absl::OkStatus();
}

absl::string_view Dataset::Record(const Entry& entry) const {
  return files_[entry.file]->bytes().substr(entry.offset, entry.size);
}

std::string Dataset::Where(int64_t example) const {
  const Entry& entry = index_[example];
  return absl::StrCat(files_[entry.file]->path(), ": record ",
                      example - first_example_[entry.file]);
}

absl::Status Dataset::CheckExamples(ThreadPool* pool) {
  const int num_classes =
      std::accumulate(format_.head_sizes.begin(), format_.head_sizes.end(), 0);
  struct Worker {
    EncodedSequence example;
    std::vector<int64_t> label_counts;
    int64_t first_error = std::numeric_limits<int64_t>::max();
    absl::Status error;
  };
  std::vector<Worker> workers(pool->num_threads());
  for (Worker& worker : workers) worker.label_counts.assign(num_classes, 0);
  constexpr int64_t kChunk = 64;
  const int64_t chunks = CeilDiv(num_examples(), kChunk);
  pool->RunWithWorker(chunks, [&](int64_t chunk, int w) {
    Worker& worker = workers[w];
    const int64_t end = std::min(num_examples(), (chunk + 1) * kChunk);
    for (int64_t i = chunk * kChunk; i < end; ++i) {
      Entry& entry = index_[i];
      // The framing around the data, to verify its checksum.
      int64_t offset = entry.offset - 12;
      absl::Status status = ParseTfRecord(files_[entry.file]->bytes(),
                                          files_[entry.file]->path(), &offset)
                                .status();
      if (status.ok()) {
        status =
            ParseExample(Record(entry), format_, Where(i), &worker.example);
      }
      if (!status.ok()) {
        // The first error in file order, whichever thread finds it.
        if (i < worker.first_error) {
          worker.first_error = i;
          worker.error = std::move(status);
        }
        return;
      }
      entry.steps = worker.example.inputs.rows();
      for (size_t k = 0; k < worker.example.labels.size();) {
        int64_t first_class = 0;
        for (int size : format_.head_sizes) {
          ++worker.label_counts[first_class + worker.example.labels[k++]];
          first_class += size;
        }
      }
    }
  });
  const auto first = std::min_element(workers.begin(), workers.end(),
                                      [](const Worker& a, const Worker& b) {
                                        return a.first_error < b.first_error;
                                      });
  CONTINUO_RETURN_IF_ERROR(first->error);
  label_counts_.assign(num_classes, 0);
  for (const Worker& worker : workers) {
    for (int c = 0; c < num_classes; ++c) {
      label_counts_[c] += worker.label_counts[c];
    }
  }
  for (const Entry& entry : index_) {
    num_events_ += entry.steps;
    max_steps_ = std::max(max_steps_, entry.steps);
  }
  return absl::OkStatus();
}

int64_t Dataset::MaxEvents(int rows) const {
  std::vector<int32_t> steps;
  steps.reserve(index_.size());
  for (const Entry& entry : index_) steps.push_back(entry.steps);
  // A batch larger than the set holds whole passes over it.
  const int64_t passes = rows / num_examples();
  const int64_t rest = rows % num_examples();
  std::partial_sort(steps.begin(), steps.begin() + rest, steps.end(),
                    std::greater<>());
  return passes * num_events_ +
         std::accumulate(steps.begin(), steps.begin() + rest, int64_t{0});
}

double Dataset::UnigramEntropy() const {
  double sum = 0;
  size_t c = 0;
  for (int size : format_.head_sizes) {
    for (int k = 0; k < size; ++k, ++c) {
      if (label_counts_[c] == 0) continue;
      const double p = static_cast<double>(label_counts_[c]) /
                       static_cast<double>(num_events_);
      sum -= p * std::log(p);
    }
  }
  return sum / format_.heads();
}

absl::Status Dataset::CheckUnchanged(
    const std::vector<int64_t>& examples) const {
  std::vector<bool> checked(files_.size());
  for (const int64_t example : examples) {
    const int32_t file = index_[example].file;
    if (checked[file]) continue;
    checked[file] = true;
    CONTINUO_RETURN_IF_ERROR(watches_[file]->Check());
  }
  return absl::OkStatus();
}

absl::Status Dataset::Read(int64_t i, EncodedSequence* example) const {
  const absl::Status status =
      ParseExample(Record(index_[i]), format_, Where(i), example);
  CONTINUO_RETURN_IF_ERROR(CheckUnchanged({i}));
  return status;
}

absl::StatusOr<PackedBatch> Dataset::ReadBatch(
    const std::vector<int64_t>& indices) const {
  std::vector<EncodedSequence> examples(indices.size());
  std::vector<const EncodedSequence*> pointers;
  absl::Status status;
  for (size_t row = 0; row < indices.size(); ++row) {
    const int64_t i = indices[row];
    status.Update(
        ParseExample(Record(index_[i]), format_, Where(i), &examples[row]));
    pointers.push_back(&examples[row]);
  }
  CONTINUO_RETURN_IF_ERROR(CheckUnchanged(indices));
  CONTINUO_RETURN_IF_ERROR(status);
  return PackBatch(pointers, format_.heads());
}

}  // namespace continuo
