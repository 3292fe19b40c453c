// SPDX-License-Identifier: Apache-2.0

// Facts as text: names and values in two columns, lists of objects as tables.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "generate/inspection/inspect.h"
#include "runtime/base/json.h"

namespace continuo {
namespace {

// Rows of a table that are shown.
constexpr size_t kMaxRows = 64;
constexpr int kNameWidth = 28;

std::string CellText(const Facts& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_float()) {
    // Sums of whole numbers are told to the last digit.
    const double number = value.get<double>();
    const bool whole = std::abs(number) < 1e15 && number == std::floor(number);
    return absl::StrFormat(whole ? "%.0f" : "%.6g", number);
  }
  // File contents need not be UTF-8, nor free of line breaks.
  if (value.is_string()) {
    std::string text = JsonText(value);
    return text.substr(1, text.size() - 2);
  }
  if (value.is_array()) {
    std::vector<std::string> parts;
    for (const Facts& part : value) parts.push_back(CellText(part));
    return absl::StrJoin(parts, ", ");
  }
  return JsonText(value);
}

// A value with its unit, as far as the name of the fact tells one.
std::string ValueText(absl::string_view name, const Facts& value) {
  std::string text = CellText(value);
  if (absl::StrContains(name, "bytes") && value.is_number() &&
      value.get<double>() >= 1e5) {
    absl::StrAppendFormat(&text, " (%.1f MB)", value.get<double>() / 1e6);
  }
  return text;
}

// Columns of a terminal; bytes that continue a UTF-8 character take none.
size_t Width(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (c & 0xc0) != 0x80; });
}

std::string Padded(const std::string& text, size_t width, bool right) {
  const std::string pad(width - std::min(width, Width(text)), ' ');
  return right ? pad + text : text + pad;
}

bool IsTable(const Facts& value) {
  return value.is_array() && !value.empty() && value[0].is_object();
}

void AddTable(const Facts& rows, absl::string_view all, std::string* text) {
  std::vector<std::string> names;
  for (const Facts& row : rows) {
    for (const auto& [name, value] : row.items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  const size_t shown = std::min(rows.size(), kMaxRows);
  std::vector<std::string> lines(shown + 1);
  for (const std::string& name : names) {
    std::vector<std::string> cells = {name};
    bool numbers = true;
    for (size_t i = 0; i < shown; ++i) {
      const auto cell = rows[i].find(name);
      const bool present = cell != rows[i].end();
      cells.push_back(present ? CellText(*cell) : "-");
      if (present && !cell->is_null() && !cell->is_number()) numbers = false;
    }
    size_t width = 0;
    for (const std::string& cell : cells) {
      width = std::max(width, Width(cell));
    }
    for (size_t i = 0; i < cells.size(); ++i) {
      absl::StrAppend(&lines[i], "  ", Padded(cells[i], width, numbers));
    }
  }
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(text, line, "\n");
  }
  if (shown < rows.size()) {
    absl::StrAppend(text, "  ... and ", rows.size() - shown, " more", all,
                    "\n");
  }
}

}  // namespace

std::string FactsToText(const Facts& facts, absl::string_view all) {
  std::string text;
  for (const auto& [name, value] : facts.items()) {
    if (IsTable(value)) {
      absl::StrAppend(&text, name, "\n");
      AddTable(value, all, &text);
      continue;
    }
    if (!value.is_object()) {
      absl::StrAppend(&text, Padded(name, kNameWidth, false), "  ",
                      ValueText(name, value), "\n");
      continue;
    }
    for (const auto& [part, inner] : value.items()) {
      const std::string full_name = absl::StrCat(name, ", ", part);
      absl::StrAppend(&text, Padded(full_name, kNameWidth, false), "  ",
                      ValueText(full_name, inner), "\n");
    }
  }
  return text;
}

}  // namespace continuo
