// SPDX-License-Identifier: Apache-2.0

#include "models/config/hparams.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/base/edit_distance.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// The one table of hyperparameters: name and member; the member's type decides
// how its value is read and printed.
using Member = std::variant<int Hparams::*, double Hparams::*, bool Hparams::*,
                            std::vector<int> Hparams::*, Cell Hparams::*>;
struct Field {
  absl::string_view name;
  Member member;
};

const Field kFields[] = {
    {"batch_size", &Hparams::batch_size},
    {"rnn_layer_sizes", &Hparams::rnn_layer_sizes},
    {"dropout_keep_prob", &Hparams::dropout_keep_prob},
    {"attn_length", &Hparams::attn_length},
    {"clip_norm", &Hparams::clip_norm},
    {"learning_rate", &Hparams::learning_rate},
    {"residual_connections", &Hparams::residual_connections},
    {"use_cudnn", &Hparams::use_cudnn},
    {"attention_around_stack", &Hparams::attention_around_stack},
    {"cell", &Hparams::cell},
};

const Field* FindField(absl::string_view name) {
  for (const Field& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

// Not one of Magenta's: left out of texts where it is the default.
bool IsOwn(const Field& field) {
  return field.name == "attention_around_stack" || field.name == "cell";
}

// One "name=value" of the text. `value` is what stands between the brackets
// for a list.
struct Clause {
  absl::string_view text;
  absl::string_view name;
  absl::string_view value;
  bool has_index = false;
  bool is_list = false;
};

void SkipBlanks(absl::string_view* text) {
  *text = absl::StripLeadingAsciiWhitespace(*text);
}

// Takes the characters of a prefix that satisfy `keep`.
template <typename Keep>
absl::string_view TakeWhile(absl::string_view* text, Keep keep) {
  size_t size = 0;
  while (size < text->size() && keep((*text)[size])) ++size;
  const absl::string_view taken = text->substr(0, size);
  text->remove_prefix(size);
  return taken;
}

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         c == '.';
}

// Takes one clause and the comma after it; false if `text` matches none.
bool TakeClause(absl::string_view* text, Clause* clause) {
  const absl::string_view start = *text;
  if (text->empty() ||
      !absl::ascii_isalpha(static_cast<unsigned char>(text->front()))) {
    return false;
  }
  clause->name = TakeWhile(text, IsNameCharacter);
  if (absl::ConsumePrefix(text, "[")) {
    SkipBlanks(text);
    const auto digits =
        TakeWhile(text, [](unsigned char c) { return absl::ascii_isdigit(c); });
    SkipBlanks(text);
    if (digits.empty() || !absl::ConsumePrefix(text, "]")) return false;
    clause->has_index = true;
  }
  SkipBlanks(text);
  if (!absl::ConsumePrefix(text, "=")) return false;
  SkipBlanks(text);
  if (absl::ConsumePrefix(text, "[")) {
    clause->value = TakeWhile(text, [](char c) { return c != ']'; });
    if (!absl::ConsumePrefix(text, "]")) return false;
    clause->is_list = true;
  } else {
    clause->value =
        TakeWhile(text, [](char c) { return c != ',' && c != '['; });
  }
  clause->text = start.substr(0, start.size() - text->size());
  if (text->empty()) return true;
  if (!absl::ConsumePrefix(text, ",")) return false;
  SkipBlanks(text);
  return true;
}

absl::StatusOr<std::vector<Clause>> SplitClauses(absl::string_view text) {
  std::vector<Clause> clauses;
  while (!text.empty()) {
    const absl::string_view rest = text;
    Clause clause;
    if (!TakeClause(&text, &clause)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "`hparams`: malformed at \"", rest,
          "\"; expected name=value or name=[value,value], separated by commas "
          "and without leading blanks"));
    }
    clauses.push_back(clause);
  }
  return clauses;
}

// Python's number literals may hold single underscores between digits; other
// underscores make the text invalid.
bool RemoveUnderscores(absl::string_view text, std::string* out) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out->push_back(text[i]);
      continue;
    }
    const auto is_digit = [&](size_t k) {
      return k < text.size() &&
             absl::ascii_isdigit(static_cast<unsigned char>(text[k]));
    };
    if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) return false;
  }
  return true;
}

// Python's int(text), within the range of int.
bool ParseInt(absl::string_view text, int* value) {
  std::string digits;
  if (!RemoveUnderscores(absl::StripAsciiWhitespace(text), &digits)) {
    return false;
  }
  return absl::SimpleAtoi(digits, value);
}

// Python's float(text).
bool ParseFloat(absl::string_view text, double* value) {
  std::string digits;
  if (!RemoveUnderscores(absl::StripAsciiWhitespace(text), &digits)) {
    return false;
  }
  // Accepted by the conversion but not by Python: "nan(...)", hexadecimals.
  if (absl::StrContains(digits, '(') ||
      absl::StrContains(absl::AsciiStrToLower(digits), 'x')) {
    return false;
  }
  return absl::SimpleAtod(digits, value);
}

bool ParseBool(absl::string_view text, bool* value) {
  if (text == "true" || text == "True" || text == "false" || text == "False") {
    *value = absl::AsciiStrToLower(text) == "true";
    return true;
  }
  int number = 0;
  if (!ParseInt(text, &number)) return false;
  *value = number != 0;
  return true;
}

bool ParseCell(absl::string_view text, Cell* cell) {
  for (const CellKind& kind : Cells()) {
    if (kind.name != text) continue;
    *cell = kind.cell;
    return true;
  }
  return false;
}

// "lstm or gru".
std::string CellNames() {
  std::string names;
  for (const CellKind& kind : Cells()) {
    absl::StrAppend(&names, names.empty() ? "" : " or ", kind.name);
  }
  return names;
}

absl::Status Refused(const Clause& clause, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("`hparams`: \"", clause.text, "\": ", why));
}

struct ValueReader {
  const Clause& clause;
  Hparams* hparams;

  absl::Status Scalar(bool parsed, absl::string_view kind) const {
    if (clause.is_list) {
      return Refused(clause, absl::StrCat(clause.name, " takes one value (",
                                          kind, "), not a list"));
    }
    if (parsed) return absl::OkStatus();
    return Refused(clause, absl::StrCat("not ", kind));
  }
  absl::Status operator()(int Hparams::*member) const {
    return Scalar(ParseInt(clause.value, &(hparams->*member)), "an integer");
  }
  absl::Status operator()(double Hparams::*member) const {
    return Scalar(ParseFloat(clause.value, &(hparams->*member)), "a number");
  }
  absl::Status operator()(bool Hparams::*member) const {
    return Scalar(ParseBool(clause.value, &(hparams->*member)),
                  "true, false or an integer");
  }
  absl::Status operator()(Cell Hparams::*member) const {
    return Scalar(ParseCell(clause.value, &(hparams->*member)), CellNames());
  }
  absl::Status operator()(std::vector<int> Hparams::*member) const {
    if (!clause.is_list) {
      return Refused(clause,
                     absl::StrCat(clause.name, " takes a list: ", clause.name,
                                  "=[", clause.value, "]"));
    }
    std::vector<int> values;
    for (absl::string_view item : absl::StrSplit(
             clause.value, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
      int value = 0;
      if (!ParseInt(item, &value)) {
        return Refused(clause,
                       absl::StrCat("\"", item, "\" is not an integer"));
      }
      values.push_back(value);
    }
    hparams->*member = std::move(values);
    return absl::OkStatus();
  }
};

// The shortest decimal text that reads back as the same double.
std::string ShortestDouble(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, end.ptr);
}

struct ValuePrinter {
  const Hparams& hparams;
  std::string operator()(int Hparams::*member) const {
    return absl::StrCat(hparams.*member);
  }
  std::string operator()(double Hparams::*member) const {
    return ShortestDouble(hparams.*member);
  }
  std::string operator()(bool Hparams::*member) const {
    return hparams.*member ? "true" : "false";
  }
  std::string operator()(Cell Hparams::*member) const {
    return std::string(KindOf(hparams.*member).name);
  }
  std::string operator()(std::vector<int> Hparams::*member) const {
    return absl::StrCat("[", absl::StrJoin(hparams.*member, ","), "]");
  }
};

std::string NearestField(absl::string_view name) {
  std::vector<std::string> names;
  for (const Field& field : kFields) names.emplace_back(field.name);
  return NearestName(name, names);
}

absl::Status OutOfRange(const Hparams& hparams, absl::string_view name,
                        absl::string_view rule) {
  return absl::InvalidArgumentError(
      absl::StrCat("`hparams`: ", name, "=", HparamValue(hparams, name),
                   " is out of range: ", name, " must be ", rule));
}

absl::Status CheckRanges(const Hparams& hparams) {
  if (hparams.batch_size < 1 || hparams.batch_size > kMaxBatchSize) {
    return OutOfRange(hparams, "batch_size",
                      absl::StrCat("at least 1 and at most ", kMaxBatchSize));
  }
  const std::vector<int>& layers = hparams.rnn_layer_sizes;
  if (layers.empty() || layers.size() > kMaxLayers ||
      std::any_of(layers.begin(), layers.end(),
                  [](int n) { return n < 1 || n > kMaxLayerSize; })) {
    return OutOfRange(
        hparams, "rnn_layer_sizes",
        absl::StrCat("a list of at least one and at most ", kMaxLayers,
                     " sizes, each at least 1 and at most ", kMaxLayerSize));
  }
  // Written so that not-a-number is refused too.
  if (!(hparams.dropout_keep_prob > 0 && hparams.dropout_keep_prob <= 1)) {
    return OutOfRange(hparams, "dropout_keep_prob", "above 0 and at most 1");
  }
  if (hparams.attn_length < 0 || hparams.attn_length > kMaxAttentionLength) {
    return OutOfRange(hparams, "attn_length",
                      absl::StrCat("0 (no attention) or more, and at most ",
                                   kMaxAttentionLength));
  }
  if (std::isnan(hparams.clip_norm)) {
    return OutOfRange(hparams, "clip_norm", "a number (0 = no clipping)");
  }
  if (!(std::isfinite(hparams.learning_rate) && hparams.learning_rate >= 0)) {
    return OutOfRange(hparams, "learning_rate", "finite and not negative");
  }
  if (hparams.attention_around_stack &&
      (hparams.attn_length == 0 || hparams.residual_connections)) {
    return OutOfRange(hparams, "attention_around_stack",
                      "false without attention (attn_length=0) and with "
                      "residual_connections");
  }
  if (hparams.cell != Cell::kLstm && hparams.attn_length > 0) {
    return OutOfRange(
        hparams, "cell",
        absl::StrCat("lstm with attention (attn_length=", hparams.attn_length,
                     "); give attn_length=0, too"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseHparams(absl::string_view text, Hparams* hparams) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<Clause> clauses,
                            SplitClauses(text));
  Hparams parsed = *hparams;
  std::vector<absl::string_view> seen;
  for (const Clause& clause : clauses) {
    const Field* field = FindField(clause.name);
    if (field == nullptr) {
      return Refused(clause, absl::StrCat("unknown hyperparameter ",
                                          clause.name, "; did you mean ",
                                          NearestField(clause.name), "?"));
    }
    if (std::find(seen.begin(), seen.end(), clause.name) != seen.end()) {
      return Refused(clause,
                     absl::StrCat(clause.name, " is given more than once"));
    }
    seen.push_back(clause.name);
    if (clause.has_index) {
      return Refused(clause, absl::StrCat("single elements cannot be set; "
                                          "give the whole list: ",
                                          clause.name, "=[...]"));
    }
    CONTINUO_RETURN_IF_ERROR(
        std::visit(ValueReader{clause, &parsed}, field->member));
  }
  CONTINUO_RETURN_IF_ERROR(CheckRanges(parsed));
  *hparams = std::move(parsed);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> HparamNames(absl::string_view text) {
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<Clause> clauses,
                            SplitClauses(text));
  std::vector<std::string> names;
  for (const Clause& clause : clauses) names.emplace_back(clause.name);
  return names;
}

std::string HparamValue(const Hparams& hparams, absl::string_view name) {
  const Field* field = FindField(name);
  CONTINUO_CHECK(field != nullptr);
  return std::visit(ValuePrinter{hparams}, field->member);
}

std::string HparamsToString(const Hparams& hparams) {
  const Hparams defaults;
  std::vector<std::string> parts;
  for (const Field& field : kFields) {
    const std::string value = HparamValue(hparams, field.name);
    if (IsOwn(field) && value == HparamValue(defaults, field.name)) continue;
    parts.push_back(absl::StrCat(field.name, "=", value));
  }
  return absl::StrJoin(parts, ",");
}

}  // namespace continuo
