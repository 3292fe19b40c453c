#include "train/event_file.h"

#include <errno.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "data/proto/event.pb.h"
#include "data/records/tfrecord.h"
#include "runtime/file.h"
#include "runtime/status.h"
#include "train/sync_file.h"

namespace continuo {
namespace {

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0'
             ? std::string(name)
             : "localhost";
}

}  // namespace

tensorflow::Event EventFile::NewEvent(int64_t step) const {
  tensorflow::Event event;
  event.set_wall_time(static_cast<double>(absl::ToUnixNanos(clock_.wall())) *
                      1e-9);
  event.set_step(step);
  return event;
}

absl::StatusOr<std::unique_ptr<EventFile>> EventFile::Create(
    const std::string& dir, Clock clock) {
  const std::string base = JoinPath(
      dir, absl::StrCat("events.out.tfevents.",
                        absl::ToUnixSeconds(clock.wall()), ".", HostName()));
  // Two sessions may begin within one second.
  std::string path = base;
  std::FILE* file = std::fopen(path.c_str(), "wbx");
  for (int i = 1; file == nullptr && errno == EEXIST; ++i) {
    path = absl::StrCat(base, ".", i);
    file = std::fopen(path.c_str(), "wbx");
  }
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot create"));
  }
  std::unique_ptr<EventFile> events(
      new EventFile(path, file, std::move(clock)));
  tensorflow::Event event = events->NewEvent(0);
  event.set_file_version("brain.Event:2");
  CONTINUO_RETURN_IF_ERROR(events->Append(event));
  return events;
}

EventFile::~EventFile() { std::fclose(file_); }

absl::Status EventFile::Append(const tensorflow::Event& event) {
  const std::string record = FrameTfRecord(event.SerializeAsString());
  if (std::fwrite(record.data(), 1, record.size(), file_) != record.size() ||
      std::fflush(file_) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot write"));
  }
  return absl::OkStatus();
}

absl::Status EventFile::Sync() { return SyncFile(file_, path_); }

absl::Status EventFile::WriteStart(int64_t step) {
  tensorflow::Event event = NewEvent(step);
  event.mutable_session_log()->set_status(tensorflow::SessionLog::START);
  return Append(event);
}

absl::Status EventFile::WriteCheckpoint(int64_t step,
                                        absl::string_view prefix) {
  tensorflow::Event event = NewEvent(step);
  event.mutable_session_log()->set_status(tensorflow::SessionLog::CHECKPOINT);
  event.mutable_session_log()->set_checkpoint_path(std::string(prefix));
  return Append(event);
}

absl::Status EventFile::WriteScalars(int64_t step, const Scalars& scalars) {
  tensorflow::Event event = NewEvent(step);
  for (const auto& [tag, value] : scalars) {
    auto* entry = event.mutable_summary()->add_value();
    entry->set_tag(tag);
    entry->set_simple_value(static_cast<float>(value));
  }
  return Append(event);
}

absl::Status EventFile::WriteImage(int64_t step, absl::string_view tag,
                                   const SummaryImage& image) {
  constexpr int kRgb = 3;  // of TensorFlow's colorspaces
  tensorflow::Event event = NewEvent(step);
  auto* entry = event.mutable_summary()->add_value();
  entry->set_tag(std::string(tag));
  entry->mutable_image()->set_width(image.width);
  entry->mutable_image()->set_height(image.height);
  entry->mutable_image()->set_colorspace(kRgb);
  entry->mutable_image()->set_encoded_image_string(image.png);
  return Append(event);
}

}  // namespace continuo
