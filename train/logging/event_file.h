// SPDX-License-Identifier: Apache-2.0

// TensorBoard event files.

#ifndef CONTINUO_TRAIN_LOGGING_EVENT_FILE_H_
#define CONTINUO_TRAIN_LOGGING_EVENT_FILE_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/clock.h"

namespace tensorflow {
class Event;
class Summary_Value;
}  // namespace tensorflow

namespace continuo {

// Tags with their values, in the order in which they are written.
using Scalars = std::vector<std::pair<std::string, double>>;

// A picture for TensorBoard.
struct SummaryImage {
  int width = 0;
  int height = 0;
  std::string png = "";  // RGB
};

// Appends events to a new file "events.out.tfevents.<unix seconds>.<host>".
// Every call leaves whole records behind, so TensorBoard can follow.
class EventFile {
 public:
  static absl::StatusOr<std::unique_ptr<EventFile>> Create(
      const std::string& dir, Clock clock = {});
  // One that nothing is written to.
  static std::unique_ptr<EventFile> Nowhere();
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // The session begins to compute `step`: TensorBoard drops what an earlier
  // session wrote for this step and later ones.
  absl::Status WriteStart(int64_t step);
  absl::Status WriteCheckpoint(int64_t step, absl::string_view prefix);
  absl::Status WriteScalars(int64_t step, const Scalars& scalars);
  absl::Status WriteImage(int64_t step, const std::string& tag,
                          const SummaryImage& image);
  // Markdown, for the Text tab.
  absl::Status WriteText(int64_t step, const std::string& tag,
                         absl::string_view markdown);
  // The metadata of a TensorBoard plugin for a tag.
  absl::Status WritePluginData(const std::string& tag, absl::string_view plugin,
                               absl::string_view content);
  // Syncs to disk.
  absl::Status Sync();

 private:
  EventFile(std::string path, std::FILE* file, Clock clock)
      : path_(std::move(path)), file_(file), clock_(std::move(clock)) {}
  tensorflow::Event NewEvent(int64_t step) const;
  // Adds a value; the first one of a tag says what it is.
  tensorflow::Summary_Value* AddValue(const std::string& tag,
                                      absl::string_view plugin,
                                      tensorflow::Event* event);
  absl::Status Append(const tensorflow::Event& event);

  std::string path_;
  std::FILE* file_;  // null = nowhere
  Clock clock_;
  std::set<std::string> described_;  // tags
};

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOGGING_EVENT_FILE_H_
