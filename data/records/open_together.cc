// SPDX-License-Identifier: Apache-2.0

#include "data/records/open_together.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/thread.h"

namespace continuo {
namespace {

// What the first byte of a message says: the rest is the index; an error's code
// and text; or there is nothing yet.
constexpr char kIndexFollows = 'i';
constexpr char kErrorFollows = 'e';
constexpr char kNotYet = 'w';

// Between two signs of life of whoever reads, well below any timeout.
constexpr std::chrono::milliseconds kBeat{250};

using Opened = absl::StatusOr<std::unique_ptr<Dataset>>;

// Runs `open` and tells the others meanwhile that it is at work, as reading may
// take longer than they would wait for one that is dead.
Opened OpenWithBeats(const std::function<Opened()>& open,
                     Collective* collective) {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  Opened opened = absl::UnknownError("not opened");
  absl::StatusOr<Thread> thread = Thread::Start([&] {
    Opened result = open();
    const std::lock_guard<std::mutex> lock(mutex);
    opened = std::move(result);
    done = true;
    changed.notify_all();
  });
  if (!thread.ok()) return open();
  absl::Status beats;
  {
    std::unique_lock<std::mutex> lock(mutex);
    while (!changed.wait_for(lock, kBeat, [&] { return done; })) {
      if (!beats.ok()) continue;
      lock.unlock();
      std::string beat(1, kNotYet);
      beats = collective->BroadcastBytes(0, &beat);
      lock.lock();
    }
  }
  thread->Join();
  if (!beats.ok()) return beats;
  return opened;
}

Opened OpenFirst(const std::function<Opened()>& open, Collective* collective) {
  Opened opened = OpenWithBeats(open, collective);
  std::string message;
  if (opened.ok()) {
    message = absl::StrCat(std::string(1, kIndexFollows),
                           (*opened)->SerializeIndex());
  } else {
    message = {kErrorFollows, static_cast<char>(opened.status().code())};
    absl::StrAppend(&message, opened.status().message());
  }
  const absl::Status told = collective->BroadcastBytes(0, &message);
  if (opened.ok()) CONTINUO_RETURN_IF_ERROR(told);
  return opened;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dataset>> OpenTogether(
    absl::string_view spec, const ExampleFormat& format, ThreadPool* pool,
    Collective* collective, const OpenDatasetOptions& options) {
  const auto open = [&] { return Dataset::Open(spec, format, pool, options); };
  if (collective == nullptr || collective->size() == 1) return open();
  if (collective->rank() == 0) return OpenFirst(open, collective);
  std::string message;
  do {
    CONTINUO_RETURN_IF_ERROR(collective->BroadcastBytes(0, &message));
  } while (message == std::string(1, kNotYet));
  if (message.size() >= 2 && message[0] == kErrorFollows) {
    return absl::Status(static_cast<absl::StatusCode>(message[1]),
                        message.substr(2));
  }
  if (message.empty() || message[0] != kIndexFollows) {
    return absl::DataLossError(
        "what the first process says of the data is "
        "no index");
  }
  OpenDatasetOptions with_index = options;
  with_index.index = absl::string_view(message).substr(1);
  Opened opened = Dataset::Open(spec, format, pool, with_index);
  if (!absl::IsDataLoss(opened.status())) return opened;
  LogInfo("reading the data for this process alone: ",
          opened.status().message());
  return open();
}

}  // namespace continuo
