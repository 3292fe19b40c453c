// SPDX-License-Identifier: Apache-2.0

// The shuffled stream of training batches (data/records/dataset.h).

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "data/records/dataset.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/thread.h"

namespace continuo {
namespace {

// Batches read ahead: one being packed while another waits is enough, as a
// step takes far longer than packing.
constexpr size_t kQueueCapacity = 3;

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

struct BatchStream::State {
  struct Item {
    absl::Status status;
    PackedBatch batch;
    DataPosition after;
  };

  const Dataset* dataset;
  int batch_size;
  uint64_t seed;
  DataPosition position;  // after the last batch handed out

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::unique_ptr<Item>> queue;  // guarded by mutex
  bool stop = false;                        // guarded by mutex
  // Reads ahead; without it (where the system has no thread left) a batch is
  // read when it is wanted.
  std::optional<Thread> thread;

  // Of whoever reads.
  DataPosition next;
  std::vector<int64_t> order;

  std::unique_ptr<Item> ReadItem() {
    std::vector<int64_t> indices(batch_size);
    for (int64_t& index : indices) {
      if (next.index == dataset->num_examples()) {
        next = {.epoch = next.epoch + 1, .index = 0};
        order.clear();
      }
      if (order.empty()) {
        order = EpochOrder(dataset->num_examples(), seed, next.epoch);
      }
      index = order[next.index++];
    }
    auto item = std::make_unique<Item>();
    item->after = next;
    auto batch = dataset->ReadBatch(indices);
    item->status = batch.status();
    if (batch.ok()) item->batch = *std::move(batch);
    return item;
  }

  void ReadAhead() {
    for (;;) {
      std::unique_ptr<Item> item = ReadItem();
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return stop || queue.size() < kQueueCapacity; });
      if (stop) return;
      queue.push_back(std::move(item));
      changed.notify_all();
    }
  }
};

BatchStream::BatchStream(const Dataset* dataset, int batch_size, uint64_t seed,
                         const DataPosition& start)
    : state_(std::make_unique<State>()) {
  CONTINUO_CHECK(batch_size >= 1 && start.index >= 0 &&
                 start.index <= dataset->num_examples());
  state_->dataset = dataset;
  state_->batch_size = batch_size;
  state_->seed = seed;
  state_->position = start;
  state_->next = start;
  absl::StatusOr<Thread> thread =
      Thread::Start([state = state_.get()] { state->ReadAhead(); });
  if (thread.ok()) state_->thread.emplace(*std::move(thread));
}

BatchStream::~BatchStream() {
  if (!state_->thread.has_value()) return;
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stop = true;
  }
  state_->changed.notify_all();
  state_->thread->Join();
}

absl::StatusOr<PackedBatch> BatchStream::Next() {
  std::unique_ptr<State::Item> item;
  if (state_->thread.has_value()) {
    std::unique_lock<std::mutex> lock(state_->mutex);
    state_->changed.wait(lock, [&] { return !state_->queue.empty(); });
    item = std::move(state_->queue.front());
    state_->queue.pop_front();
    state_->changed.notify_all();
  } else {
    item = state_->ReadItem();
  }
  state_->position = item->after;
  if (!item->status.ok()) return item->status;
  return std::move(item->batch);
}

const DataPosition& BatchStream::position() const { return state_->position; }

double BatchStream::fill() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return static_cast<double>(state_->queue.size()) / kQueueCapacity;
}

}  // namespace continuo
