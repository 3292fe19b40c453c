// SPDX-License-Identifier: Apache-2.0

#include "models/config/run_config.h"

#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/safetensors.h"
#include "runtime/base/json.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/files/file.h"
#include "runtime/files/file_watch.h"

namespace continuo {
namespace {

// What is written keeps its order. What is read may be hostile, and searching
// REMOVE

struct EncodingRow {
  Encoding encoding;
  absl::string_view name;
};

// Names in files: never change one.
constexpr EncodingRow kEncodings[] = {
    {Encoding::kOneHotMelody, "one_hot_melody"},
    {Encoding::kLookbackMelody, "lookback_melody"},
    {Encoding::kKeyMelody, "key_melody"},
    {Encoding::kOneDrum, "one_drum"},
    {Encoding::kDrumKit, "drum_kit"},
    {Encoding::kPerformance, "performance"},
    {Encoding::kCompactPerformance, "compact_performance"},
    {Encoding::kModuloPerformance, "modulo_performance"},
    {Encoding::kNoteTuples, "note_tuples"},
};

std::string EncodingName(Encoding encoding) {
  for (const EncodingRow& row : kEncodings) {
    if (row.encoding == encoding) return std::string(row.name);
  }
  CheckFailed(__FILE__, __LINE__, "encoding has a name");
}

// Reads fields of one object, remembering the first thing that is wrong.
class FieldReader {
 public:
  FieldReader(const Json& json, std::string where)
      : json_(json), where_(std::move(where)) {}

  template <typename T>
  T Get(const char* name) {
    const auto field = json_.find(name);
    if (field == json_.end() || !HasType<T>(*field)) {
      Fail(name);
      return T();
    }
    return field->template get<T>();
  }
  int GetInt(const char* name, int low, int high) {
    const int64_t value = Get<int64_t>(name);
    if (value < low || value > high) Fail(name);
    return status_.ok() ? static_cast<int>(value) : low;
  }
  bool IsNull(const char* name) const {
    const auto field = json_.find(name);
    return field == json_.end() || field->is_null();
  }
  void Fail(absl::string_view name) {
    if (!status_.ok()) return;
    status_ = absl::DataLossError(
        absl::StrCat(where_, ": field \"", name, "\" is missing or invalid"));
  }
  const absl::Status& status() const { return status_; }

 private:
  template <typename T>
  static bool HasType(const Json& value) {
    if constexpr (std::is_same_v<T, std::string>) return value.is_string();
    if constexpr (std::is_same_v<T, uint64_t>) {
      return value.is_number_unsigned();
    }
    if constexpr (std::is_same_v<T, bool>) return value.is_boolean();
    return value.is_number_integer();
  }

  const Json& json_;
  std::string where_;
  absl::Status status_;
};

// The object {"60": 12, ...} if there is one (older runs have none).
absl::Status ReadFirstEvents(const Json& json, const std::string& path,
                             FirstEvents* first_events) {
  const auto field = json.find("first_events");
  if (field == json.end()) return absl::OkStatus();
  const absl::Status wrong = absl::DataLossError(absl::StrCat(
      path, ": field \"first_events\" is no object of events and counts"));
  if (!field->is_object()) return wrong;
  for (const auto& [name, count] : field->items()) {
    int64_t event = 0;
    if (!absl::SimpleAtoi(name, &event) || !count.is_number_integer()) {
      return wrong;
    }
    (*first_events)[event] = count.get<int64_t>();
  }
  return absl::OkStatus();
}

}  // namespace

std::string RunConfigToJson(const RunConfig& config) {
  const ModelConfig& model = config.model;
  OrderedJson encoding;
  encoding["name"] = EncodingName(model.encoding.encoding);
  encoding["min_note"] = model.encoding.min_note;
  encoding["max_note"] = model.encoding.max_note;
  encoding["transpose_to_key"] = nullptr;
  if (model.encoding.transpose_to_key.has_value()) {
    encoding["transpose_to_key"] = *model.encoding.transpose_to_key;
  }
  encoding["num_velocity_bins"] = model.encoding.num_velocity_bins;
  const ControlSpec& controls = model.encoding.controls;
  encoding["density_control"] = controls.density;
  encoding["histogram_control"] = controls.histogram;
  encoding["optional_controls"] = controls.optional;
  OrderedJson json;
  json["family"] = std::string(FamilyName(model.family));
  json["config"] = model.name;
  json["generator_id"] = model.id;
  json["generator_description"] = model.description;
  json["encoding"] = std::move(encoding);
  json["steps_per_quarter"] = model.steps_per_quarter;
  json["hparams"] = HparamsToString(model.hparams);
  if (!model.first_events.empty()) {
    OrderedJson& first = json["first_events"] = OrderedJson::object();
    for (const auto& [event, count] : model.first_events) {
      first[absl::StrCat(event)] = count;
    }
  }
  if (config.seed.has_value()) json["seed"] = *config.seed;
  if (config.micro_batches > 1) json["micro_batches"] = config.micro_batches;
  json["version"] = config.version;
  // Text from flags may not be UTF-8; it must not end the program.
  return JsonText(json, 2) + "\n";
}

absl::Status WriteRunConfig(const std::string& dir, const RunConfig& config) {
  return WriteFileAtomically(JoinPath(dir, kRunConfigFile),
                             RunConfigToJson(config));
}

absl::StatusOr<RunConfig> ParseRunConfig(absl::string_view text,
                                         const std::string& path) {
  const Json json = ParseJson(text);
  if (!json.is_object()) {
    return absl::DataLossError(absl::StrCat(path, ": not a JSON object"));
  }
  RunConfig config;
  ModelConfig& model = config.model;
  FieldReader reader(json, path);
  const std::string family = reader.Get<std::string>("family");
  bool known = false;
  for (Family candidate :
       {Family::kMelody, Family::kDrums, Family::kPerformance}) {
    if (FamilyName(candidate) != family) continue;
    model.family = candidate;
    known = true;
  }
  if (!known) reader.Fail("family");
  model.name = reader.Get<std::string>("config");
  model.id = reader.Get<std::string>("generator_id");
  model.description = reader.Get<std::string>("generator_description");
  model.steps_per_quarter = reader.GetInt("steps_per_quarter", 1, 1 << 20);
  if (json.contains("seed")) config.seed = reader.Get<uint64_t>("seed");
  if (json.contains("micro_batches")) {
    config.micro_batches = reader.GetInt("micro_batches", 1, kMaxMicroBatches);
  }
  config.version = reader.Get<std::string>("version");
  const std::string hparams = reader.Get<std::string>("hparams");
  if (reader.IsNull("encoding") || !json["encoding"].is_object()) {
    reader.Fail("encoding");
  }
  CONTINUO_RETURN_IF_ERROR(reader.status());
  CONTINUO_RETURN_IF_ERROR(
      Annotate(ParseHparams(hparams, &model.hparams), path));

  FieldReader encoding(json["encoding"], absl::StrCat(path, ": encoding"));
  const std::string name = encoding.Get<std::string>("name");
  known = false;
  for (const EncodingRow& row : kEncodings) {
    if (row.name != name) continue;
    model.encoding.encoding = row.encoding;
    known = true;
  }
  if (!known) encoding.Fail("name");
  model.encoding.min_note = encoding.GetInt("min_note", 0, 127);
  model.encoding.max_note =
      encoding.GetInt("max_note", model.encoding.min_note + 1, 128);
  if (!encoding.IsNull("transpose_to_key")) {
    model.encoding.transpose_to_key =
        encoding.GetInt("transpose_to_key", 0, 11);
  }
  model.encoding.num_velocity_bins =
      encoding.GetInt("num_velocity_bins", 0, 127);
  model.encoding.controls = {
      .density = encoding.Get<bool>("density_control"),
      .histogram = encoding.Get<bool>("histogram_control"),
      .optional = encoding.Get<bool>("optional_controls")};
  if (!encoding.status().ok()) return encoding.status();
  CONTINUO_RETURN_IF_ERROR(ReadFirstEvents(json, path, &model.first_events));
  const absl::Status together = CheckModelConfig(model);
  if (!together.ok()) {
    return absl::DataLossError(absl::StrCat(path, ": ", together.message()));
  }
  return config;
}

absl::StatusOr<RunConfig> ReadRunConfig(const std::string& dir) {
  const std::string path = JoinPath(dir, kRunConfigFile);
  CONTINUO_ASSIGN_OR_RETURN(const std::string text,
                            ReadFile(path, /*max_bytes=*/1 << 20));
  return ParseRunConfig(text, path);
}

absl::StatusOr<RunConfig> ReadRunConfigBeside(
    const std::string& checkpoint_path) {
  const std::string folder = CheckpointFolder(checkpoint_path);
  if (!folder.empty()) return ReadRunConfig(folder);
  if (FileExists(checkpoint_path)) {
    CONTINUO_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file,
                              MappedFile::Open(checkpoint_path));
    if (LooksLikeSafetensors(file->bytes())) {
      const FileWatch watch(checkpoint_path, file->bytes());
      CONTINUO_ASSIGN_OR_RETURN(const auto metadata,
                                watch.IfUnchanged(ParseSafetensorsMetadata(
                                    file->bytes(), checkpoint_path)));
      const auto text = metadata.find(kSafetensorsRunConfig);
      if (text == metadata.end()) {
        return absl::NotFoundError(absl::StrCat(checkpoint_path, ": no ",
                                                kSafetensorsRunConfig,
                                                " among its metadata"));
      }
      return ParseRunConfig(text->second, absl::StrCat(checkpoint_path, ": ",
                                                       kSafetensorsRunConfig));
    }
  }
  return ReadRunConfig(std::string(DirName(checkpoint_path)));
}

}  // namespace continuo
