// SPDX-License-Identifier: Apache-2.0

#include "train/logging/run_events.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "data/proto/hparams.pb.h"
#include "data/proto/serialize.h"
#include "models/config/hparams.h"
#include "runtime/base/status.h"
#include "runtime/device/version.h"
#include "train/logging/event_tags.h"
#include "train/logging/metrics.h"

namespace continuo {
namespace {

namespace hp = tensorboard::hparams;

constexpr char kPlugin[] = "hparams";

using Rows = std::vector<std::pair<std::string, std::string>>;

// Text inside a cell of a Markdown table.
std::string Cell(const std::string& text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}});
}

std::string Table(const std::string& left, const std::string& right,
                  const Rows& rows) {
  std::string table =
      absl::StrCat("| ", left, " | ", right, " |\n| --- | --- |\n");
  for (const auto& [name, value] : rows) {
    absl::StrAppend(&table, "| ", Cell(name), " | ", Cell(value), " |\n");
  }
  return table;
}

std::string ConfigName(const RunConfig& config) {
  return config.model.name.empty() ? "(melody_encoder_decoder)"
                                   : config.model.name;
}

std::vector<std::string> AllHparamNames(const Hparams& hparams) {
  // What HparamsToString writes is known to parse.
  return HparamNames(HparamsToString(hparams)).value();
}

std::string SettingsText(const SessionFacts& facts) {
  const RunConfig& config = facts.config;
  Rows rows = {{"configuration", ConfigName(config)},
               {"family", std::string(FamilyName(config.model.family))}};
  if (config.seed.has_value()) {
    rows.push_back({"seed", absl::StrCat(*config.seed)});
  }
  for (const std::string& name : AllHparamNames(config.model.hparams)) {
    rows.push_back({name, HparamValue(config.model.hparams, name)});
  }
  return Table("setting", "value", rows);
}

std::string DataText(const SessionFacts& facts) {
  std::string text;
  for (const SessionFacts::Data& data : facts.data) {
    const Dataset& set = *data.dataset;
    const double nats = set.UnigramEntropy();
    absl::StrAppend(
        &text,
        Table(
            data.use, "",
            {{"files", absl::StrCat(data.pattern, " (", set.num_files(), ")")},
             {"examples", absl::StrCat(set.num_examples())},
             {"events", absl::StrCat(set.num_events())},
             {"longest example", absl::StrCat(set.max_steps(), " events")},
             {"guess without context",
              absl::StrFormat("%.3f bits/event",
                              BitsPerEvent(nats, set.format().heads()))}}),
        "\n");
  }
  return text;
}

std::string ProgramTable(const SessionFacts& facts) {
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  return Table(
      "", "",
      {{"program", VersionText()}, {"host", host}, {"device", facts.device}});
}

// As a fenced block: nothing in it is Markdown.
std::string CommandText(const std::string& command_line) {
  return absl::StrCat("```\n", command_line, "\n```\n");
}

// A value of the kind that the text is of.
hp::Value ValueOf(const std::string& text) {
  hp::Value value;
  double number;
  if (absl::SimpleAtod(text, &number)) {
    value.set_number_value(number);
  } else if (text == "true" || text == "false") {
    value.set_bool_value(text == "true");
  } else {
    value.set_string_value(text);
  }
  return value;
}

hp::DataType TypeOf(const hp::Value& value) {
  switch (value.kind_case()) {
    case hp::Value::kNumberValue:
      return hp::DATA_TYPE_FLOAT64;
    case hp::Value::kBoolValue:
      return hp::DATA_TYPE_BOOL;
    default:
      return hp::DATA_TYPE_STRING;
  }
}

Rows HparamRows(const RunConfig& config) {
  Rows rows = {{"config", ConfigName(config)}};
  for (const std::string& name : AllHparamNames(config.model.hparams)) {
    rows.push_back({name, HparamValue(config.model.hparams, name)});
  }
  return rows;
}

void AddMetric(const char* tag, const char* name, hp::DatasetType type,
               hp::Experiment* experiment) {
  hp::MetricInfo* metric = experiment->add_metric_infos();
  metric->mutable_name()->set_tag(tag);
  metric->set_display_name(name);
  metric->set_dataset_type(type);
}

double Seconds(const Clock& clock) {
  return static_cast<double>(absl::ToUnixMillis(clock.wall())) * 1e-3;
}

absl::Status WriteData(const std::string& tag,
                       const hp::HParamsPluginData& data, EventFile* events) {
  return events->WritePluginData(absl::StrCat("_hparams_/", tag), kPlugin,
                                 SerializeSorted(data));
}

}  // namespace

absl::Status WriteTexts(int64_t step, const SessionFacts& facts,
                        EventFile* events) {
  CONTINUO_RETURN_IF_ERROR(
      events->WriteText(step, kSettingsTag, SettingsText(facts)));
  CONTINUO_RETURN_IF_ERROR(events->WriteText(step, kDataTag, DataText(facts)));
  if (!facts.command_line.empty()) {
    CONTINUO_RETURN_IF_ERROR(events->WriteText(
        step, kCommandLineTag, CommandText(facts.command_line)));
  }
  return events->WriteText(step, kVersionTag, ProgramTable(facts));
}

absl::Status WriteHparams(const RunConfig& config, const Clock& clock,
                          EventFile* events) {
  hp::HParamsPluginData columns;
  hp::Experiment* experiment = columns.mutable_experiment();
  experiment->set_time_created_secs(Seconds(clock));
  hp::HParamsPluginData row;
  hp::SessionStartInfo* start = row.mutable_session_start_info();
  start->set_start_time_secs(Seconds(clock));
  for (const auto& [name, text] : HparamRows(config)) {
    const hp::Value value = ValueOf(text);
    hp::HParamInfo* info = experiment->add_hparam_infos();
    info->set_name(name);
    info->set_type(TypeOf(value));
    (*start->mutable_hparams())[name] = value;
  }
  AddMetric(kBestEvalBitsTag, "best evaluation bits/event",
            hp::DATASET_VALIDATION, experiment);
  AddMetric(kEvalBitsTag, "evaluation bits/event", hp::DATASET_VALIDATION,
            experiment);
  AddMetric(kBitsTag, "training bits/event", hp::DATASET_TRAINING, experiment);
  AddMetric("metrics/accuracy", "training accuracy", hp::DATASET_TRAINING,
            experiment);
  CONTINUO_RETURN_IF_ERROR(WriteData("experiment", columns, events));
  return WriteData("session_start_info", row, events);
}

absl::Status WriteSessionEnd(const Clock& clock, EventFile* events) {
  hp::HParamsPluginData data;
  data.mutable_session_end_info()->set_status(hp::STATUS_SUCCESS);
  data.mutable_session_end_info()->set_end_time_secs(Seconds(clock));
  return WriteData("session_end_info", data, events);
}

}  // namespace continuo
