// SPDX-License-Identifier: Apache-2.0

// log.jsonl: one JSON object a line, for scripts that plot or watch a run.

#ifndef CONTINUO_TRAIN_LOGGING_JSON_LOG_H_
#define CONTINUO_TRAIN_LOGGING_JSON_LOG_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "train/logging/event_file.h"

namespace continuo {

class JsonLog {
 public:
  // Opens `path` for appending. Lines of steps after `last_step` are removed
  // first: a run resumed from a checkpoint computes them again.
  static absl::StatusOr<std::unique_ptr<JsonLog>> Open(const std::string& path,
                                                       int64_t last_step);
  ~JsonLog();
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;

  // Writes {"step": step, name: value, ...}. Values that are not finite become
  // null, which is what JSON has for them.
  absl::Status Write(int64_t step, const Scalars& values);
  // Syncs to disk. Before a checkpoint
  // of step N this makes sure that the lines up to N, which are never computed
  // again, are there as well.
  absl::Status Sync();

 private:
  JsonLog(std::string path, std::FILE* file)
      : path_(std::move(path)), file_(file) {}
  std::string path_;
  std::FILE* file_;
};

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOGGING_JSON_LOG_H_
