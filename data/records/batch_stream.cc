// SPDX-License-Identifier: Apache-2.0

// Parts are a queue of slots in the order in which they are wanted. A reader
// takes the first slot that nobody has, reads it without the lock, and leaves
// the result in it; the consumer waits for the first slot. So which thread
// reads what, and when, changes nothing.

#include "data/records/batch_stream.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/thread.h"
#include "runtime/base/threads.h"

namespace continuo {
namespace {

// Parts that are finished and wait, as a step takes far longer than packing.
constexpr int kWaitingParts = 2;

// A thread packs millions of rows a second: a few keep a GPU busy, and leave
// most CPUs to those who compute on them.
int DefaultReaders() { return std::clamp(AvailableCpus() / 4, 1, 4); }

}  // namespace

std::vector<int64_t> EpochOrder(int64_t num_examples, uint64_t seed,
                                int64_t epoch) {
  std::vector<int64_t> order(num_examples);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = num_examples - 1; i > 0; --i) {
    const int64_t j = static_cast<int64_t>(
        RandomBelow(seed, RandomPurpose::kShuffle, epoch, i, i + 1));
    std::swap(order[i], order[j]);
  }
  return order;
}

int64_t DrawnBatch::num_events() const {
  return std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
}

struct BatchStream::State {
  struct Slot {
    std::shared_ptr<const DrawnBatch> plan;
    size_t part = 0;
    bool taken = false;
    bool done = false;
    absl::Status status;
    PackedBatch batch;
  };

  const Dataset* dataset;
  int batch_size;
  uint64_t seed;
  BatchStreamOptions options;
  size_t capacity = 1;  // slots

  // Of the consumer.
  std::shared_ptr<const DrawnBatch> current = std::make_shared<DrawnBatch>();
  size_t taken_parts = 0;  // of `current`
  DataPosition position;   // after the last batch begun

  mutable std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::deque<std::shared_ptr<const DrawnBatch>> plans;  // not begun
  std::deque<std::shared_ptr<Slot>> slots;
  bool stop = false;
  DataPosition next;
  std::vector<int64_t> order;  // of the epoch of `next`; empty = not made yet

  // Without any (where the system has no thread left) a part is read when it
  // is wanted.
  std::vector<Thread> threads;

  // Plans the next batch. With the mutex held.
  void Plan() {
    auto plan = std::make_shared<DrawnBatch>();
    plan->examples.resize(batch_size);
    plan->lengths.resize(batch_size);
    for (int row = 0; row < batch_size; ++row) {
      if (next.index == dataset->num_examples()) {
        next = {.epoch = next.epoch + 1, .index = 0};
        order.clear();
      }
      if (order.empty()) {
        order = EpochOrder(dataset->num_examples(), seed, next.epoch);
      }
      plan->examples[row] = order[next.index++];
      plan->lengths[row] = dataset->num_steps(plan->examples[row]);
    }
    plan->after = next;
    if (options.choose != nullptr) {
      plan->parts = options.choose(*plan);
    } else {
      plan->parts.emplace_back(batch_size);
      std::iota(plan->parts[0].begin(), plan->parts[0].end(), 0);
    }
    for (size_t part = 0; part < plan->parts.size(); ++part) {
      slots.push_back(std::make_shared<Slot>());
      slots.back()->plan = plan;
      slots.back()->part = part;
    }
    plans.push_back(std::move(plan));
  }

  void Read(Slot* slot) const {
    const std::vector<int32_t>& rows = slot->plan->parts[slot->part];
    std::vector<int64_t> indices;
    indices.reserve(rows.size());
    for (const int32_t row : rows) {
      indices.push_back(slot->plan->examples[row]);
    }
    absl::StatusOr<PackedBatch> batch = dataset->ReadBatch(indices);
    slot->status = batch.status();
    if (!batch.ok()) return;
    slot->batch = *std::move(batch);
    for (int32_t& source : slot->batch.source) source = rows[source];
  }

  // The first slot nobody has, among those there is room for; makes plans as
  // needed. Null if there is no room. With the mutex held.
  std::shared_ptr<Slot> Take() {
    for (size_t i = 0; i < capacity; ++i) {
      // A batch may have no parts: one ahead is enough of those.
      if (i >= slots.size() && plans.size() <= capacity) Plan();
      if (i >= slots.size()) return nullptr;
      if (slots[i]->taken) continue;
      slots[i]->taken = true;
      return slots[i];
    }
    return nullptr;
  }

  void ReadAhead() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      std::shared_ptr<Slot> slot;
      changed.wait(lock, [&] { return stop || (slot = Take()) != nullptr; });
      if (stop) return;
      changed.notify_all();  // there may be a new plan
      lock.unlock();
      Read(slot.get());
      lock.lock();
      slot->done = true;
      changed.notify_all();
    }
  }

  // Takes the first slot out of the queue. With the mutex held.
  std::shared_ptr<Slot> Pop() {
    std::shared_ptr<Slot> slot = std::move(slots.front());
    slots.pop_front();
    ++taken_parts;
    changed.notify_all();
    return slot;
  }
};

BatchStream::BatchStream(const Dataset* dataset, int batch_size, uint64_t seed,
                         const DataPosition& start,
                         const BatchStreamOptions& options)
    : state_(std::make_unique<State>()) {
  CONTINUO_CHECK(batch_size >= 1 && start.index >= 0 &&
                 start.index <= dataset->num_examples());
  state_->dataset = dataset;
  state_->batch_size = batch_size;
  state_->seed = seed;
  state_->options = options;
  state_->position = start;
  state_->next = start;
  const int readers = options.readers > 0 ? options.readers : DefaultReaders();
  state_->capacity = static_cast<size_t>(readers) + kWaitingParts;
  for (int i = 0; i < readers; ++i) {
    absl::StatusOr<Thread> thread =
        Thread::Start([state = state_.get()] { state->ReadAhead(); });
    if (!thread.ok()) break;
    state_->threads.push_back(*std::move(thread));
  }
}

BatchStream::~BatchStream() {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stop = true;
  }
  state_->changed.notify_all();
  for (Thread& thread : state_->threads) thread.Join();
}

const DrawnBatch& BatchStream::NextPlan() {
  State& state = *state_;
  std::unique_lock<std::mutex> lock(state.mutex);
  while (state.taken_parts < state.current->parts.size()) state.Pop();
  // Whoever comes first: readers plan ahead.
  if (state.plans.empty()) state.Plan();
  state.current = std::move(state.plans.front());
  state.plans.pop_front();
  state.taken_parts = 0;
  state.position = state.current->after;
  state.changed.notify_all();
  return *state.current;
}

absl::StatusOr<PackedBatch> BatchStream::NextPart() {
  State& state = *state_;
  std::shared_ptr<State::Slot> slot;
  {
    std::unique_lock<std::mutex> lock(state.mutex);
    CONTINUO_CHECK(state.taken_parts < state.current->parts.size());
    if (!state.threads.empty()) {
      state.changed.wait(lock, [&] { return state.slots.front()->done; });
    }
    slot = state.Pop();
  }
  if (state.threads.empty()) state.Read(slot.get());
  if (!slot->status.ok()) return slot->status;
  return std::move(slot->batch);
}

absl::StatusOr<PackedBatch> BatchStream::Next() {
  CONTINUO_CHECK(state_->options.choose == nullptr);
  NextPlan();
  return NextPart();
}

const DataPosition& BatchStream::position() const { return state_->position; }

double BatchStream::fill() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  const auto done = std::count_if(state_->slots.begin(), state_->slots.end(),
                                  [](const auto& slot) { return slot->done; });
  return static_cast<double>(done) / static_cast<double>(state_->capacity);
}

}  // namespace continuo
