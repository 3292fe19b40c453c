// SPDX-License-Identifier: Apache-2.0

// Reference and CPU form of kernels/decoding/sampling.h: rows in parallel, one
// pass over the classes of a head.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "kernels/decoding/sampling.h"
#include "runtime/base/ceil_div.h"
#include "runtime/base/log.h"

namespace continuo::cpu {
namespace {

// Elements of logits a task covers: enough work (some 50 us) to be worth
// handing to another thread.
constexpr int64_t kElementsPerTask = 4096;

struct Scratch {
  std::vector<double> p;       // softmax of one head
  std::vector<double> weight;  // what is drawn from
  std::vector<int> order;      // classes, most probable first
};

// softmax(logits / temperature) into scratch->p; false if not finite.
bool Softmax(absl::Span<const float> logits, double temperature,
             std::vector<double>* p) {
  double largest = -std::numeric_limits<double>::infinity();
  for (float value : logits) {
    largest = std::max(largest, static_cast<double>(value));
  }
  p->resize(logits.size());
  double total = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    (*p)[i] = std::exp((logits[i] - largest) / temperature);
    total += (*p)[i];
  }
  if (!std::isfinite(total)) return false;
  for (double& value : *p) value /= total;
  return true;
}

// Sets the weights of the classes that top_k and top_p leave out to zero.
void Truncate(int top_k, double top_p, Scratch* scratch) {
  std::vector<double>& weight = scratch->weight;
  const int classes = static_cast<int>(weight.size());
  int kept = top_k > 0 ? std::min(top_k, classes) : classes;
  std::vector<int>& order = scratch->order;
  order.resize(classes);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return weight[a] > weight[b]; });
  if (top_p < 1) {
    double available = 0;
    for (int i = 0; i < kept; ++i) available += weight[order[i]];
    double reached = 0;
    int needed = 0;
    while (needed < kept && (needed == 0 || reached < top_p * available)) {
      reached += weight[order[needed++]];
    }
    kept = needed;
  }
  for (int i = kept; i < classes; ++i) weight[order[i]] = 0;
}

// The first class whose cumulative share exceeds u.
int Draw(absl::Span<const double> weight, double u) {
  double total = 0;
  for (double value : weight) total += value;
  double sum = 0;
  int last = 0;
  for (size_t i = 0; i < weight.size(); ++i) {
    if (weight[i] == 0) continue;
    sum += weight[i];
    last = static_cast<int>(i);
    if (sum / total > u) break;
  }
  return last;
}

// Samples all heads of row `n`; false if its logits are not finite.
bool SampleRow(const SampleArgs& args, int64_t n, Scratch* scratch) {
  const int heads = static_cast<int>(args.head_sizes.size());
  const int64_t width = args.logits.shape[1];
  int64_t begin = 0;
  double log_p = 0;
  for (int head = 0; head < heads; ++head) {
    const int size = args.head_sizes[head];
    const absl::Span<const float> logits(
        args.logits.data<float>() + n * width + begin, size);
    if (!Softmax(logits, args.sampling.temperature, &scratch->p)) return false;
    if (args.probabilities) {
      std::copy(scratch->p.begin(), scratch->p.end(),
                args.probabilities.data<double>() + n * width + begin);
    }
    const int64_t slot = n * heads + head;
    int64_t choice =
        args.teacher_forced ? args.teacher_forced.data<int64_t>()[slot] : -1;
    if (choice < 0) {
      const double u = args.u.data<double>()[slot];
      if (args.sampling.top_k > 0 || args.sampling.top_p < 1) {
        scratch->weight = scratch->p;
        Truncate(args.sampling.top_k, args.sampling.top_p, scratch);
        choice = Draw(scratch->weight, u);
      } else {
        choice = Draw(scratch->p, u);
      }
    }
    CONTINUO_CHECK(choice < size);
    args.choice.data<int64_t>()[slot] = choice;
    log_p += std::log(scratch->p[choice]);
    begin += size;
  }
  args.log_p.data<double>()[n] = log_p;
  return true;
}

}  // namespace

absl::Status Sample(const Stream& stream, const SampleArgs& args) {
  const int64_t rows = args.logits.shape[0];
  const int64_t width = args.logits.shape[1];
  CONTINUO_CHECK(std::accumulate(args.head_sizes.begin(), args.head_sizes.end(),
                                 int64_t{0}) == width);
  CONTINUO_CHECK(args.sampling.temperature > 0);
  if (rows == 0) return absl::OkStatus();

  const int64_t per_task = std::max<int64_t>(1, kElementsPerTask / width);
  const int64_t tasks = CeilDiv(rows, per_task);
  std::vector<Scratch> scratch(stream.pool->num_threads());
  std::vector<int64_t> bad_row(tasks, -1);
  stream.pool->RunWithWorker(tasks, [&](int64_t task, int worker) {
    const int64_t end = std::min(rows, (task + 1) * per_task);
    for (int64_t n = task * per_task; n < end; ++n) {
      if (SampleRow(args, n, &scratch[worker])) continue;
      bad_row[task] = n;
      return;
    }
  });
  for (int64_t row : bad_row) {
    if (row < 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the logits of row ", row, " are not finite"));
  }
  return absl::OkStatus();
}

}  // namespace continuo::cpu
