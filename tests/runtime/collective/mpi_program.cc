// SPDX-License-Identifier: Apache-2.0

// mpi_program WHAT TIMEOUT: a rank of an MPI job, or one process, for
// mpi_collective_test.cc. Its error is its last line, its exit status 1 then.

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/process.h"
#include "runtime/base/status.h"
#include "runtime/collective/make_collective.h"
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

absl::Status Work(const std::string& what, Collective& ranks) {
  const bool odd = ranks.rank() == 1;
  if (what == "cases") {
    const Stream stream;
    std::vector<float> memory(
        static_cast<size_t>(testing::CaseFloats(ranks.size(), 30000)));
    return testing::AllCases(
        ranks, {.stream = &stream, .memory = absl::MakeSpan(memory)},
        {1, 30, 30000});
  }
  if (what == "large") return LargeCase(ranks);
  CONTINUO_RETURN_IF_ERROR(ranks.Barrier());
  if (odd && what == "die") raise(SIGKILL);
  if (odd && what == "stop") raise(SIGSTOP);
  if (odd && what == "exit") _exit(1);
  if (odd && what == "leave") return absl::OkStatus();
  if (odd && what == "give_up") {
    ranks.Abort(absl::InternalError("the disk is on fire"));
    return absl::InternalError("the disk is on fire");
  }
  if (odd && what == "late") absl::SleepFor(absl::Milliseconds(1500));
  std::vector<float> numbers(100000);
  return ranks.AllGather({}, {0, 50000, 100000}, absl::MakeSpan(numbers));
}

absl::Status Main(const std::string& what, double timeout) {
  CONTINUO_ASSIGN_OR_RETURN(const LaunchIdentity identity,
                            FindLaunchIdentity({}));
  if (what == "absent" && identity.rank == 1) sleep(30);
  CollectiveOptions options = {.timeout = absl::Seconds(timeout)};
  // Most arrays in parts.
  if (what == "cases") options.message_bytes = 1000;
  CONTINUO_ASSIGN_OR_RETURN(
      const auto ranks,
      MakeCollective({.identity = identity, .options = options}, Stream()));
  if (ranks->size() == 1) {
    CONTINUO_ASSIGN_OR_RETURN(const std::string maps,
                              ReadFile("/proc/self/maps"));
    return testing::Unless(!absl::StrContains(maps, "libmpi"),
                           "a process alone has loaded MPI");
  }
  return Work(what, *ranks);
}

}  // namespace
}  // namespace continuo

int main(int argc, char** argv) {
  double timeout = 0;
  if (argc != 3 || !absl::SimpleAtod(argv[2], &timeout)) return 2;
  continuo::PrepareProcess();
  const absl::Status status = continuo::Main(argv[1], timeout);
  if (status.ok()) {
    std::printf("done\n");
    return 0;
  }
  continuo::LogError(status.message());
  return 1;
}
