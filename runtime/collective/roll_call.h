// SPDX-License-Identifier: Apache-2.0

// Who of the ranks is still there, when one of them has reason to ask: by files
// in a folder that all of them see.

#ifndef CONTINUO_RUNTIME_COLLECTIVE_ROLL_CALL_H_
#define CONTINUO_RUNTIME_COLLECTIVE_ROLL_CALL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace continuo {

// All functions are for one thread, that need not be the one that works: a rank
// whose work hangs answers, one that is dead, stopped or cut off does not.
class RollCall {
 public:
  // `nonce` names the files of this launch. Without a folder nobody answers.
  RollCall(std::string folder, std::string nonce, int rank, int size)
      : folder_(std::move(folder)),
        nonce_(std::move(nonce)),
        rank_(rank),
        size_(size) {}

  // Removes what earlier launches have left; for rank 0, before others come.
  static void RemoveOld(const std::string& folder);

  // Why another rank, or this one, has called the roll: the first reason.
  struct Reason {
    int rank = 0;
    bool gave_up = false;  // for a reason of its own
    std::string text;
  };
  std::optional<Reason> Called() const;
  // Calls it, unless somebody has.
  void Call(bool gave_up, absl::string_view text);

  // Says that this rank is here, and has begun `calls` calls.
  void Answer(int64_t calls);
  // The ranks that have not answered after `patience`; if all have, those that
  // have begun the fewest calls, unless these are as many everywhere.
  std::vector<int> Missing(absl::Duration patience) const;

 private:
  std::string Path(absl::string_view name) const;

  const std::string folder_;
  const std::string nonce_;
  const int rank_;
  const int size_;
};

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_COLLECTIVE_ROLL_CALL_H_
