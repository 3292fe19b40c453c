// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/convert_report.h"

#include "absl/strings/ascii.h"
#include "data/notes/convert/convert.h"
#include "nlohmann/json.hpp"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Keeps the order in which fields are added.
using Json = nlohmann::ordered_json;

void AddFailure(const char* status, absl::string_view message, Json* line) {
  (*line)["status"] = status;
  (*line)["reason"] = FailureReason(message);
  (*line)["message"] = std::string(message);
}

void AddItem(const ConvertedItem& item, Json* line) {
  if (!item.status.ok()) {
    AddFailure("skipped", item.status.message(), line);
    return;
  }
  if (item.report.repair.empty()) {
    (*line)["status"] = "converted";
  } else {
    AddFailure("repaired", item.report.repair, line);
  }
  if (!item.report.warnings.empty()) {
    (*line)["warnings"] = item.report.warnings;
  }
  (*line)["id"] = item.id;
  (*line)["notes"] = item.num_notes;
  (*line)["seconds"] = item.total_time;
}

// Bytes of names that are not UTF-8 become replacement characters.
std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string FailureReason(absl::string_view message) {
  for (const absl::string_view end : {": ", "; ", "\n"}) {
    message = message.substr(0, message.find(end));
  }
  // Numbered, so that related records can be matched.
  std::string reason;
  for (const char c : message) {
    if (!absl::ascii_isdigit(c)) {
      reason.push_back(c);
    } else if (reason.empty() || reason.back() != '#') {
      reason.push_back('#');
    }
  }
  return reason;
}

absl::StatusOr<std::unique_ptr<ConvertReport>> ConvertReport::Create(
    const std::string& path) {
  CONTINUO_ASSIGN_OR_RETURN(std::unique_ptr<AtomicFile> file,
                            AtomicFile::Create(path));
  return std::unique_ptr<ConvertReport>(new ConvertReport(std::move(file)));
}

absl::Status ConvertReport::Add(const std::string& file,
                                const absl::Status& status,
                                const std::vector<ConvertedItem>& items,
                                bool is_book) {
  if (!status.ok()) {
    Json line = {{"file", file}};
    AddFailure("skipped", status.message(), &line);
    return file_->Append(Line(line));
  }
  for (const ConvertedItem& item : items) {
    Json line = {{"file", file}};
    if (is_book) line["tune"] = item.index;
    AddItem(item, &line);
    CONTINUO_RETURN_IF_ERROR(file_->Append(Line(line)));
  }
  return absl::OkStatus();
}

}  // namespace continuo
