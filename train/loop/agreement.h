// SPDX-License-Identifier: Apache-2.0

// What the ranks of a training tell each other, so that all decide alike.

#ifndef CONTINUO_TRAIN_LOOP_AGREEMENT_H_
#define CONTINUO_TRAIN_LOOP_AGREEMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/network/event_rnn.h"
#include "runtime/collective/collective.h"

namespace continuo {

// `collective` is null in a training of one process.
inline bool IsAlone(const Collective* collective) {
  return collective == nullptr || collective->size() == 1;
}
// Whether this rank writes the files of the run: the first one does.
inline bool IsWriter(const Collective* collective) {
  return collective == nullptr || collective->rank() == 0;
}

// Something that must be the same on all ranks.
struct SharedFact {
  std::string name;  // as messages have it: "`seed`", "the version"
  std::string value;
};

// FailedPrecondition, on all ranks, with the facts that differ, the ranks and
// their values. Ranks of any version understand each other here.
absl::Status CheckSameFacts(Collective* collective,
                            const std::vector<SharedFact>& facts);

// `value` of the first rank.
absl::StatusOr<std::string> FromWriter(Collective* collective,
                                       std::string value);

// What a rank sees besides the data.
struct Signals {
  bool stop = false;         // of any rank
  bool time_is_up = false;   // by the clock of the first rank
  bool save_is_due = false;  // the same
};

// What passes over the parts of a batch, or of a data set, have found. The
// parts of all ranks, one rank's after another's, are those of the whole.
struct Findings {
  std::vector<double> cross_entropy;  // of each part
  LossSums counts;                    // of all parts, without cross-entropy
  int64_t time_steps = 0;
  int64_t examples = 0;
  Signals signals;

  void AddPart(const LossSums& part);
  // With the cross-entropies added by the tree of models/network/sum_tree.h,
  // or in turn.
  LossSums ByTree() const;
  LossSums InTurn() const;
};

// Those of all ranks.
absl::StatusOr<Findings> GatherFindings(Collective* collective,
                                        const Findings& mine);

}  // namespace continuo

#endif  // CONTINUO_TRAIN_LOOP_AGREEMENT_H_
