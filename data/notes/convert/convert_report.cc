// SPDX-License-Identifier: Apache-2.0

#include "data/notes/convert/convert_report.h"

#include "absl/strings/ascii.h"
#include "data/notes/convert/convert.h"
#include "runtime/base/json.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Keeps the order in which fields are added.
void AddFailure(const char* status, absl::string_view message,
                OrderedJson* line) {
  (*line)["status"] = status;
  (*line)["reason"] = FailureReason(message);
  (*line)["message"] = std::string(message);
}

void AddItem(const ConvertedItem& item, OrderedJson* line) {
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
std::string Line(const OrderedJson& json) { return JsonText(json) + "\n"; }

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
    OrderedJson line = {{"file", file}};
    AddFailure("skipped", status.message(), &line);
    return file_->Append(Line(line));
  }
  for (const ConvertedItem& item : items) {
    OrderedJson line = {{"file", file}};
    if (is_book) line["tune"] = item.index;
    AddItem(item, &line);
    CONTINUO_RETURN_IF_ERROR(file_->Append(Line(line)));
  }
  return absl::OkStatus();
}

}  // namespace continuo
