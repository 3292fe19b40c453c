// SPDX-License-Identifier: Apache-2.0

#include "train/loop/agreement.h"

#include <cstring>
#include <map>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "models/network/sum_tree.h"
#include "runtime/base/json.h"
#include "runtime/base/status.h"

namespace continuo {
namespace {

// Values as they are in memory: all ranks run the same program.
class Packer {
 public:
  template <typename T>
  void Add(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  template <typename T>
  void Add(const std::vector<T>& values) {
    Add(static_cast<uint64_t>(values.size()));
    for (const T value : values) Add(value);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(absl::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T Take() {
    T value{};
    ok_ = ok_ && bytes_.size() >= sizeof(value);
    if (!ok_) return T{};
    std::memcpy(&value, bytes_.data(), sizeof(value));
    bytes_.remove_prefix(sizeof(value));
    return value;
  }
  template <typename T>
  std::vector<T> TakeAll() {
    const auto size = Take<uint64_t>();
    ok_ = ok_ && size <= bytes_.size() / sizeof(T);
    std::vector<T> values(ok_ ? size : 0);
    for (T& value : values) value = Take<T>();
    return values;
  }
  // Whether that was all.
  bool done() const { return ok_ && bytes_.empty(); }

 private:
  absl::string_view bytes_;
  bool ok_ = true;
};

std::vector<int64_t*> Counts(LossSums* sums) {
  return {&sums->labels,          &sums->correct,
          &sums->event_labels,    &sums->event_correct,
          &sums->no_event_labels, &sums->no_event_correct};
}

void Add(const std::vector<int64_t>& from, std::vector<int64_t>* to) {
  if (to->size() < from.size()) to->resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) (*to)[i] += from[i];
}

std::string Pack(Findings mine) {
  Packer packer;
  packer.Add(mine.cross_entropy);
  for (const int64_t* count : Counts(&mine.counts)) packer.Add(*count);
  packer.Add(mine.counts.class_labels);
  packer.Add(mine.counts.class_correct);
  packer.Add(mine.time_steps);
  packer.Add(mine.examples);
  packer.Add(uint8_t{mine.signals.stop});
  packer.Add(uint8_t{mine.signals.time_is_up});
  packer.Add(uint8_t{mine.signals.save_is_due});
  return packer.bytes();
}

bool Unpack(absl::string_view bytes, Findings* findings) {
  Unpacker unpacker(bytes);
  findings->cross_entropy = unpacker.TakeAll<double>();
  for (int64_t* count : Counts(&findings->counts)) {
    *count = unpacker.Take<int64_t>();
  }
  findings->counts.class_labels = unpacker.TakeAll<int64_t>();
  findings->counts.class_correct = unpacker.TakeAll<int64_t>();
  findings->time_steps = unpacker.Take<int64_t>();
  findings->examples = unpacker.Take<int64_t>();
  findings->signals.stop = unpacker.Take<uint8_t>() != 0;
  findings->signals.time_is_up = unpacker.Take<uint8_t>() != 0;
  findings->signals.save_is_due = unpacker.Take<uint8_t>() != 0;
  return unpacker.done();
}

// The facts of a rank by name; none if it has sent something else.
std::map<std::string, std::string> FactsOf(const std::string& text) {
  std::map<std::string, std::string> facts;
  const Json json = ParseJson(text);
  if (!json.is_object()) return facts;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) facts[name] = value.get<std::string>();
  }
  return facts;
}

}  // namespace

absl::Status CheckSameFacts(Collective* collective,
                            const std::vector<SharedFact>& facts) {
  if (IsAlone(collective)) return absl::OkStatus();
  Json json = Json::object();
  for (const SharedFact& fact : facts) json[fact.name] = fact.value;
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> texts,
                            collective->GatherBytes(JsonText(json)));
  const auto first = FactsOf(texts[0]);
  std::vector<std::string> differences;
  for (size_t rank = 1; rank < texts.size() && differences.empty(); ++rank) {
    const auto other = FactsOf(texts[rank]);
    const auto value_in = [](const auto& of_rank, const std::string& name) {
      const auto found = of_rank.find(name);
      return found == of_rank.end() ? std::string("nothing") : found->second;
    };
    std::map<std::string, std::string> names = first;
    names.insert(other.begin(), other.end());
    for (const auto& [name, unused] : names) {
      const std::string a = value_in(first, name), b = value_in(other, name);
      if (a == b) continue;
      differences.push_back(absl::StrCat(name, " is ", a, " on rank 0 but ", b,
                                         " on rank ", rank));
    }
  }
  if (differences.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the ranks of a training must be alike, but ",
                   absl::StrJoin(differences, ", and "),
                   "; start all with the same program, flags and files"));
}

absl::StatusOr<std::string> FromWriter(Collective* collective,
                                       std::string value) {
  if (IsAlone(collective)) return value;
  CONTINUO_RETURN_IF_ERROR(collective->BroadcastBytes(0, &value));
  return value;
}

void Findings::AddPart(const LossSums& part) {
  cross_entropy.push_back(part.cross_entropy);
  LossSums other = part;
  const std::vector<int64_t*> from = Counts(&other), to = Counts(&counts);
  for (size_t i = 0; i < from.size(); ++i) *to[i] += *from[i];
  Add(part.class_labels, &counts.class_labels);
  Add(part.class_correct, &counts.class_correct);
}

LossSums Findings::ByTree() const {
  LossSums sums = counts;
  sums.cross_entropy = TreeSum(cross_entropy);
  return sums;
}

LossSums Findings::InTurn() const {
  LossSums sums = counts;
  sums.cross_entropy = 0;
  for (const double part : cross_entropy) sums.cross_entropy += part;
  return sums;
}

absl::StatusOr<Findings> GatherFindings(Collective* collective,
                                        const Findings& mine) {
  if (IsAlone(collective)) return mine;
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<std::string> texts,
                            collective->GatherBytes(Pack(mine)));
  Findings all;
  for (size_t rank = 0; rank < texts.size(); ++rank) {
    Findings other;
    if (!Unpack(texts[rank], &other)) {
      return absl::InternalError(
          absl::StrCat("what rank ", rank, " has sent, ", texts[rank].size(),
                       " bytes, are not the sums of a loss"));
    }
    all.cross_entropy.insert(all.cross_entropy.end(),
                             other.cross_entropy.begin(),
                             other.cross_entropy.end());
    const std::vector<int64_t*> from = Counts(&other.counts),
                                to = Counts(&all.counts);
    for (size_t i = 0; i < from.size(); ++i) *to[i] += *from[i];
    Add(other.counts.class_labels, &all.counts.class_labels);
    Add(other.counts.class_correct, &all.counts.class_correct);
    all.time_steps += other.time_steps;
    all.examples += other.examples;
    all.signals.stop = all.signals.stop || other.signals.stop;
    if (rank == 0) {
      all.signals.time_is_up = other.signals.time_is_up;
      all.signals.save_is_due = other.signals.save_is_due;
    }
  }
  return all;
}

}  // namespace continuo
