// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/mpi_collective.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/collective/collective_calls.h"
#include "runtime/collective/exit_guard.h"
#include "runtime/collective/mpi_library.h"
#include "runtime/collective/mpi_messages.h"

namespace continuo {
namespace {

int64_t Bytes(absl::Span<const float> floats) {
  return static_cast<int64_t>(floats.size() * sizeof(float));
}

// Bytes of any length begin with one message of this size; it has all of most.
struct Head {
  int64_t size;
  char bytes[120];
};

// The signals that Open MPI handles, to print where the program was.
constexpr std::array kHandledSignals = {SIGABRT, SIGBUS, SIGFPE, SIGSEGV};

absl::Status Initialise(const MpiLibrary& mpi, const CollectiveOptions& options,
                        const LaunchIdentity& identity) {
  std::array<struct sigaction, kHandledSignals.size()> handlers;
  for (size_t i = 0; i < handlers.size(); ++i) {
    sigaction(kHandledSignals[i], nullptr, &handlers[i]);
  }
  int provided = 0;
  int rank = 0;
  int size = 0;
  {
    const ExitGuard guard(
        options.timeout,
        absl::StrCat("rank ", identity.rank, " of ", identity.size, " (host ",
                     LocalHostName(), "): MPI_Init found not all ranks within ",
                     absl::ToDoubleSeconds(options.timeout),
                     " seconds (`collective_timeout`, at least ",
                     absl::ToDoubleSeconds(options.least_start), ")"));
    CONTINUO_RETURN_IF_ERROR(MpiStatus(
        mpi,
        mpi.Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided),
        "Init_thread"));
  }
  for (size_t i = 0; i < handlers.size(); ++i) {
    sigaction(kHandledSignals[i], &handlers[i], nullptr);
  }
  CONTINUO_RETURN_IF_ERROR(
      MpiStatus(mpi, mpi.Comm_set_errhandler(mpi.world, mpi.errors_return),
                "Comm_set_errhandler"));
  CONTINUO_RETURN_IF_ERROR(
      MpiStatus(mpi, mpi.Comm_rank(mpi.world, &rank), "Comm_rank"));
  CONTINUO_RETURN_IF_ERROR(
      MpiStatus(mpi, mpi.Comm_size(mpi.world, &size), "Comm_size"));
  if (rank != identity.rank || size != identity.size) {
    return absl::InternalError(
        absl::StrCat("rank ", identity.rank, " of ", identity.size,
                     " is for MPI rank ", rank, " of ", size,
                     ": the library cannot talk to the launcher (other "
                     "versions of Open MPI, or srun without PMIx)"));
  }
  return absl::OkStatus();
}

// What is left of the job ends with this process: mpirun is told at its exit,
// when it has said why.
void EndJobAtExit() {
  static const bool registered =
      std::atexit([] {
        const ExitGuard guard(absl::Seconds(10), "MPI_Abort does not return");
        // The others have been told why, and have something to say, too.
        absl::SleepFor(absl::Milliseconds(500));
        const auto mpi = LoadMpi();
        if (mpi.ok()) (*mpi)->Abort((*mpi)->world, 1);
      }) == 0;
  if (!registered) LogWarn("other ranks end by their timeout alone");
}

class Mpi : public Collective {
 public:
  Mpi(const MpiLibrary& mpi, const LaunchIdentity& identity,
      const CollectiveOptions& options)
      : Collective(identity.rank, identity.size),
        mpi_(mpi),
        options_(options),
        messages_(mpi, identity.rank, identity.size, options) {}

  ~Mpi() override {
    if (!messages_.Leave().ok()) {
      EndJobAtExit();
      return;
    }
    const ExitGuard guard(options_.timeout, "MPI_Finalize does not return");
    mpi_.Finalize();
  }

  // From here on calls have `timeout`.
  absl::Status MeetFirst(absl::Duration timeout) {
    CONTINUO_ASSIGN_OR_RETURN(std::vector<std::string> hosts,
                              GatherBytes(LocalHostName()));
    messages_.set_hosts(std::move(hosts));
    messages_.set_timeout(timeout);
    return absl::OkStatus();
  }

  absl::Status Exchange(const Stream& stream,
                        absl::Span<const absl::Span<const float>> send,
                        absl::Span<const absl::Span<float>> receive) override {
    CheckExchange(*this, send, receive);
    CONTINUO_CHECK(stream.device.type == DeviceType::kCpu);
    int64_t bytes = 0;
    for (const auto& part : receive) bytes += Bytes(part);
    CONTINUO_RETURN_IF_ERROR(messages_.Begin(CallText("an exchange", bytes)));
    for (const int peer : Peers()) {
      const auto& part = receive[static_cast<size_t>(peer)];
      messages_.Receive(peer, part.data(), Bytes(part));
    }
    for (const int peer : Peers()) {
      const auto& part = send[static_cast<size_t>(peer)];
      messages_.Send(peer, part.data(), Bytes(part));
    }
    const auto me = static_cast<size_t>(rank());
    CONTINUO_RETURN_IF_ERROR(CopyOwnPart(stream, send[me], receive[me]));
    return messages_.End();
  }

  absl::Status AllGather(const Stream& stream,
                         absl::Span<const int64_t> slice_begin,
                         absl::Span<float> all) override {
    CheckSlices(*this, slice_begin, all.size());
    CONTINUO_CHECK(stream.device.type == DeviceType::kCpu);
    const auto slice = [&](int peer) {
      const auto begin =
          static_cast<size_t>(slice_begin[static_cast<size_t>(peer)]);
      const auto end =
          static_cast<size_t>(slice_begin[static_cast<size_t>(peer) + 1]);
      return all.subspan(begin, end - begin);
    };
    CONTINUO_RETURN_IF_ERROR(
        messages_.Begin(CallText("an all-gather", Bytes(all))));
    for (const int peer : Peers()) {
      messages_.Receive(peer, slice(peer).data(), Bytes(slice(peer)));
    }
    for (const int peer : Peers()) {
      messages_.Send(peer, slice(rank()).data(), Bytes(slice(rank())));
    }
    return messages_.End();
  }

  absl::Status AllReduceSum(const Stream& stream,
                            absl::Span<float> data) override {
    CONTINUO_CHECK(stream.device.type == DeviceType::kCpu);
    CONTINUO_RETURN_IF_ERROR(
        messages_.Begin(CallText("an all-reduce", Bytes(data))));
    // The library's call does not tell which ranks are missing; these do.
    char sent = 0;
    std::vector<char> received(static_cast<size_t>(size()));
    for (const int peer : Peers()) {
      messages_.Receive(peer, &received[static_cast<size_t>(peer)], 1);
      messages_.Send(peer, &sent, 1);
    }
    CONTINUO_RETURN_IF_ERROR(messages_.End());
    messages_.ReduceSum(data.data(), static_cast<int64_t>(data.size()));
    return messages_.End();
  }

  absl::Status Wait(const Stream&) override { return messages_.Poll(); }

  absl::StatusOr<std::vector<std::string>> GatherBytes(
      absl::string_view mine) override {
    CONTINUO_RETURN_IF_ERROR(messages_.Begin("a gathering"));
    const Head sent = MakeHead(mine);
    std::vector<Head> heads(static_cast<size_t>(size()));
    for (const int peer : Peers()) {
      messages_.Receive(peer, &heads[static_cast<size_t>(peer)], sizeof(Head));
      messages_.Send(peer, &sent, sizeof(Head));
    }
    CONTINUO_RETURN_IF_ERROR(messages_.End());
    heads[static_cast<size_t>(rank())] = sent;
    std::vector<std::string> all(heads.size());
    for (const int peer : Peers()) {
      const auto place = static_cast<size_t>(peer);
      ReceiveRest(peer, heads[place], &all[place]);
      SendRest(peer, mine);
    }
    all[static_cast<size_t>(rank())] = std::string(mine);
    CONTINUO_RETURN_IF_ERROR(messages_.End());
    return all;
  }

  absl::Status BroadcastBytes(int root, std::string* bytes) override {
    CONTINUO_CHECK(root >= 0 && root < size());
    CONTINUO_RETURN_IF_ERROR(
        messages_.Begin(absl::StrCat("a broadcast of rank ", root)));
    Head head = MakeHead(*bytes);
    if (rank() == root) {
      for (const int peer : Peers()) {
        messages_.Send(peer, &head, sizeof(Head));
        SendRest(peer, *bytes);
      }
      return messages_.End();
    }
    messages_.Receive(root, &head, sizeof(Head));
    CONTINUO_RETURN_IF_ERROR(messages_.End());
    ReceiveRest(root, head, bytes);
    return messages_.End();
  }

  void Abort(const absl::Status& why) override { messages_.GiveUp(why); }

 private:
  // The others, beginning with the next one, so that not all send to the same
  // rank at first.
  std::vector<int> Peers() const {
    std::vector<int> peers;
    for (int i = 1; i < size(); ++i) peers.push_back((rank() + i) % size());
    return peers;
  }

  static Head MakeHead(absl::string_view bytes) {
    Head head = {.size = static_cast<int64_t>(bytes.size()), .bytes = {}};
    std::memcpy(head.bytes, bytes.data(),
                std::min(bytes.size(), sizeof(head.bytes)));
    return head;
  }
  void SendRest(int peer, absl::string_view bytes) {
    if (bytes.size() <= sizeof(Head::bytes)) return;
    bytes.remove_prefix(sizeof(Head::bytes));
    messages_.Send(peer, bytes.data(), static_cast<int64_t>(bytes.size()));
  }
  void ReceiveRest(int peer, const Head& head, std::string* bytes) {
    const auto size = static_cast<size_t>(head.size);
    bytes->assign(size, '\0');
    const size_t first = std::min(size, sizeof(head.bytes));
    std::memcpy(bytes->data(), head.bytes, first);
    messages_.Receive(peer, bytes->data() + first,
                      static_cast<int64_t>(size - first));
  }

  const MpiLibrary& mpi_;
  const CollectiveOptions options_;
  MpiMessages messages_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Collective>> MakeMpi(
    const LaunchIdentity& identity, const CollectiveOptions& options) {
  CONTINUO_ASSIGN_OR_RETURN(const MpiLibrary* mpi, LoadMpi());
  CollectiveOptions start = options;
  start.timeout = std::max(options.timeout, options.least_start);
  CONTINUO_RETURN_IF_ERROR(Initialise(*mpi, start, identity));
  auto collective = std::make_unique<Mpi>(*mpi, identity, start);
  CONTINUO_RETURN_IF_ERROR(collective->MeetFirst(options.timeout));
  return collective;
}

}  // namespace continuo
