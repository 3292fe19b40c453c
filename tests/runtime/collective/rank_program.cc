// SPDX-License-Identifier: Apache-2.0

// rank_program WHAT TIMEOUT DEVICE FOLDER: a rank of a job, or one process, for
// the tests of the forms with processes. Its error is its last line, its exit
// status 1 then.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/process.h"
#include "runtime/base/status.h"
#include "runtime/collective/make_collective.h"
#include "runtime/device/arena.h"
#include "runtime/device/graph.h"
#include "runtime/files/file.h"
#include "tests/runtime/collective/collective_cases.h"

namespace continuo {
namespace {

// Arrays of more than 2^31 bytes.
absl::Status LargeCase(Collective& ranks) {
  const size_t count = (size_t{1} << 29) + 3;
  std::vector<float> data(count, -1.f);
  const int me = ranks.rank();
  const auto begin = static_cast<size_t>(me);
  data[begin] = data[count - 3 + begin] = static_cast<float>(me);
  const absl::Span<float> all = absl::MakeSpan(data);
  std::vector<absl::Span<const float>> send(2);
  std::vector<absl::Span<float>> receive(2);
  if (me == 0) {
    send[1] = all;
  } else {
    receive[0] = all;
  }
  CONTINUO_RETURN_IF_ERROR(ranks.Exchange({}, send, receive));
  CONTINUO_RETURN_IF_ERROR(testing::Unless(
      data[0] == 0 && data[count - 3] == 0 && data[count - 1] == -1,
      "a large array did not arrive"));
  CONTINUO_RETURN_IF_ERROR(ranks.AllReduceSum({}, all));
  return testing::Unless(data[0] == 0 && data[count - 1] == -2,
                         "a large array was not added");
}

// All calls recorded once and launched several times.
absl::Status GraphCase(Collective& ranks, testing::CaseMemory memory) {
  const Stream& stream = *memory.stream;
  const auto me = static_cast<size_t>(ranks.rank());
  const auto data = memory.Take(2);
  const auto taken = memory.Take(2);
  CONTINUO_RETURN_IF_ERROR(memory.Fill(data, {1.f + ranks.rank(), 10.f}));
  std::vector<absl::Span<const float>> send = {data, data};
  std::vector<absl::Span<float>> receive = {taken, taken};
  send[me] = {};
  receive[me] = {};
  CONTINUO_ASSIGN_OR_RETURN(
      const Graph graph, Graph::Capture(stream, [&]() -> absl::Status {
        CONTINUO_RETURN_IF_ERROR(ranks.Exchange(stream, send, receive));
        CONTINUO_RETURN_IF_ERROR(ranks.AllGather(stream, {0, 1, 2}, taken));
        return ranks.AllReduceSum(stream, data);
      }));
  std::vector<float> sums;
  for (int i = 0; i < 3; ++i) {
    CONTINUO_RETURN_IF_ERROR(graph.Launch(stream));
    // Between launches, what is not recorded.
    CONTINUO_RETURN_IF_ERROR(ranks.Barrier());
    CONTINUO_RETURN_IF_ERROR(ranks.Wait(stream));
    CONTINUO_ASSIGN_OR_RETURN(sums, memory.Read(data));
    CONTINUO_RETURN_IF_ERROR(testing::Unless(
        sums == std::vector<float>{3.f * (1 << i), 10.f * (2 << i)},
        absl::StrCat("sums of launch ", i, ": ", sums[0], " ", sums[1])));
  }
  // Of the last launch: rank 1 sent its data to rank 0, which shows it to all.
  CONTINUO_ASSIGN_OR_RETURN(const std::vector<float> seen, memory.Read(taken));
  return testing::Unless(seen == std::vector<float>{6.f, 40.f},
                         absl::StrCat("seen ", seen[0], " ", seen[1]));
}

absl::Status Work(const std::string& what, Collective& ranks,
                  const testing::CaseMemory& memory) {
  const Stream& stream = *memory.stream;
  const bool odd = ranks.rank() == 1;
  if (what == "cases") {
    return testing::AllCases(ranks, memory, {1, 30, 3000});
  }
  if (what == "large") return LargeCase(ranks);
  if (what == "graph") return GraphCase(ranks, memory);
  CONTINUO_RETURN_IF_ERROR(ranks.Barrier());
  if (odd && what == "die") raise(SIGKILL);
  if (odd && what == "stop") raise(SIGSTOP);
  if (odd && what == "exit") _exit(1);
  if (odd && what == "leave") return absl::OkStatus();
  if (odd && what == "give_up") {
    ranks.Abort(absl::InternalError("the disk is on fire"));
    return absl::InternalError("the disk is on fire");
  }
  if (odd && what == "late") absl::SleepFor(absl::Milliseconds(4500));
  const auto numbers = memory.memory.subspan(0, 10000);
  CONTINUO_RETURN_IF_ERROR(ranks.AllGather(stream, {0, 5000, 10000}, numbers));
  return ranks.Wait(stream);
}

absl::Status Main(const std::string& what, double timeout,
                  const std::string& device, const std::string& folder) {
  CONTINUO_ASSIGN_OR_RETURN(const LaunchIdentity identity,
                            FindLaunchIdentity({}));
  CONTINUO_RETURN_IF_ERROR(
      WriteFileAtomically(JoinPath(folder, absl::StrCat("pid-", identity.rank)),
                          absl::StrCat(getpid())));
  if (what == "absent" && identity.rank == 1) sleep(30);
  CollectiveOptions options = {.timeout = absl::Seconds(timeout)};
  if (what == "absent") options.least_start = options.timeout;
  // Most arrays in parts.
  if (what == "cases") options.message_bytes = 1000;
  ThreadPool pool(1);
  CONTINUO_ASSIGN_OR_RETURN(const Device used, RankDevice(device, identity));
  CONTINUO_ASSIGN_OR_RETURN(const OwnedStream stream,
                            OwnedStream::Open(used, {}, &pool));
  // Freed last: a collective that ends waits for what uses it.
  Arena arena(used);
  const Shape floats = {testing::CaseFloats(identity.size, 3000)};
  arena.Allocate<float>("floats", floats);
  CONTINUO_RETURN_IF_ERROR(arena.Commit());
  float* memory = arena.Allocate<float>("floats", floats).data<float>();
  CONTINUO_ASSIGN_OR_RETURN(
      const auto ranks,
      MakeCollective(
          {.identity = identity, .rendezvous_dir = folder, .options = options},
          stream.stream()));
  if (ranks->size() == 1) {
    CONTINUO_ASSIGN_OR_RETURN(const std::string maps,
                              ReadFile("/proc/self/maps"));
    return testing::Unless(!absl::StrContains(maps, "libmpi") &&
                               !absl::StrContains(maps, "libnccl"),
                           "a process alone has loaded MPI or NCCL");
  }
  return Work(what, *ranks,
              {.stream = &stream.stream(),
               .memory = {memory, static_cast<size_t>(floats.num_elements())}});
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  double timeout = 0;
  if (argc != 5 || !absl::SimpleAtod(argv[2], &timeout)) return 2;
  continuo::PrepareProcess();
  const absl::Status status =
      continuo::Main(argv[1], timeout, argv[3], argv[4]);
  if (status.ok()) {
    std::printf("done\n");
    return 0;
  }
  continuo::LogError(status.message());
  return 1;
}
