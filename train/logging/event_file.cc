// SPDX-License-Identifier: Apache-2.0

#include "train/logging/event_file.h"

#include <errno.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "data/proto/event.pb.h"
#include "data/records/tfrecord.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "runtime/files/sync_file.h"
#include "train/logging/tag_descriptions.h"

namespace continuo {
namespace {

// Plugins of TensorBoard.
constexpr absl::string_view kScalars = "scalars";
constexpr absl::string_view kImages = "images";
constexpr absl::string_view kText = "text";

// Of TensorFlow's types of tensors.
constexpr int kTensorflowFloat = 1;
constexpr int kTensorflowString = 7;

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

std::unique_ptr<EventFile> EventFile::Nowhere() {
  return std::unique_ptr<EventFile>(new EventFile("", nullptr, {}));
}

EventFile::~EventFile() {
  if (file_ != nullptr) std::fclose(file_);
}

absl::Status EventFile::Append(const tensorflow::Event& event) {
  if (file_ == nullptr) return absl::OkStatus();
  const std::string record = FrameTfRecord(event.SerializeAsString());
  if (std::fwrite(record.data(), 1, record.size(), file_) != record.size() ||
      std::fflush(file_) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot write"));
  }
  return absl::OkStatus();
}

absl::Status EventFile::Sync() {
  return file_ == nullptr ? absl::OkStatus() : SyncFile(file_, path_);
}

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

tensorflow::Summary_Value* EventFile::AddValue(const std::string& tag,
                                               absl::string_view plugin,
                                               tensorflow::Event* event) {
  using Metadata = tensorflow::SummaryMetadata;
  auto* value = event->mutable_summary()->add_value();
  value->set_tag(tag);
  if (described_.insert(tag).second) {
    Metadata* metadata = value->mutable_metadata();
    metadata->mutable_plugin_data()->set_plugin_name(std::string(plugin));
    metadata->set_summary_description(std::string(TagDescription(tag)));
    metadata->set_data_class(plugin == kScalars ? Metadata::DATA_CLASS_SCALAR
                             : plugin == kImages
                                 ? Metadata::DATA_CLASS_BLOB_SEQUENCE
                                 : Metadata::DATA_CLASS_TENSOR);
  }
  return value;
}

absl::Status EventFile::WriteScalars(int64_t step, const Scalars& scalars) {
  tensorflow::Event event = NewEvent(step);
  for (const auto& [tag, value] : scalars) {
    AddValue(tag, kScalars, &event)
        ->set_simple_value(static_cast<float>(value));
  }
  return Append(event);
}

absl::Status EventFile::WriteImage(int64_t step, const std::string& tag,
                                   const SummaryImage& image) {
  constexpr int kRgb = 3;  // of TensorFlow's colorspaces
  tensorflow::Event event = NewEvent(step);
  auto* entry = AddValue(tag, kImages, &event)->mutable_image();
  entry->set_width(image.width);
  entry->set_height(image.height);
  entry->set_colorspace(kRgb);
  entry->set_encoded_image_string(image.png);
  return Append(event);
}

absl::Status EventFile::WriteText(int64_t step, const std::string& tag,
                                  absl::string_view markdown) {
  tensorflow::Event event = NewEvent(step);
  auto* value = AddValue(tag, kText, &event);
  value->mutable_tensor()->set_dtype(kTensorflowString);
  value->mutable_tensor()->mutable_tensor_shape();  // one string
  value->mutable_tensor()->add_string_val(std::string(markdown));
  return Append(event);
}

absl::Status EventFile::WritePluginData(const std::string& tag,
                                        absl::string_view plugin,
                                        absl::string_view content) {
  tensorflow::Event event = NewEvent(0);
  auto* value = AddValue(tag, plugin, &event);
  value->mutable_metadata()->mutable_plugin_data()->set_content(
      std::string(content));
  // A value there must be.
  value->mutable_tensor()->set_dtype(kTensorflowFloat);
  value->mutable_tensor()->mutable_tensor_shape()->add_dim()->set_size(1);
  value->mutable_tensor()->add_float_val(0);
  return Append(event);
}

}  // namespace continuo
