// SPDX-License-Identifier: Apache-2.0

#include "runtime/collective/nccl_collective.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/random.h"
#include "runtime/base/status.h"
#include "runtime/collective/collective_calls.h"
#include "runtime/collective/nccl_library.h"
#include "runtime/collective/nccl_watch.h"
#include "runtime/collective/rendezvous.h"
#include "runtime/device/cuda_status.h"
#include "runtime/device/cuda_stream.h"
#include "runtime/device/device_copy.h"
#include "runtime/files/file.h"

namespace continuo {
namespace {

// Bytes of hosts travel in device memory, those of most calls in one block.
struct Block {
  int64_t size;
  char bytes[248];
};

Block MakeBlock(absl::string_view bytes) {
  Block block = {.size = static_cast<int64_t>(bytes.size()), .bytes = {}};
  std::memcpy(block.bytes, bytes.data(),
              std::min(bytes.size(), sizeof(block.bytes)));
  return block;
}

size_t FirstPart(int64_t size) {
  return std::min(static_cast<size_t>(size), sizeof(Block::bytes));
}

class DeviceBytes {
 public:
  ~DeviceBytes() { cudaFree(data_); }
  absl::Status Allocate(size_t bytes) {
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaMalloc(&data_, bytes));
    return absl::OkStatus();
  }
  char* data() const { return static_cast<char*>(data_); }

 private:
  void* data_ = nullptr;
};

class Nccl : public Collective {
 public:
  Nccl(const NcclLibrary& nccl, const LaunchIdentity& identity,
       std::unique_ptr<Collective> host, std::unique_ptr<NcclWatch> watch)
      : Collective(identity.rank, identity.size),
        nccl_(nccl),
        host_(std::move(host)),
        watch_(std::move(watch)) {}

  ~Nccl() override {
    watch_ = nullptr;
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  absl::Status Open() {
    CONTINUO_RETURN_IF_CUDA_ERROR(
        cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    return blocks_.Allocate(sizeof(Block) * static_cast<size_t>(size()));
  }

  absl::Status Exchange(const Stream& stream,
                        absl::Span<const absl::Span<const float>> send,
                        absl::Span<const absl::Span<float>> receive) override {
    CheckExchange(*this, send, receive);
    int64_t bytes = 0;
    for (const auto& part : receive) {
      bytes += static_cast<int64_t>(part.size() * sizeof(float));
    }
    const auto me = static_cast<size_t>(rank());
    CONTINUO_RETURN_IF_ERROR(CopyOwnPart(stream, send[me], receive[me]));
    const cudaStream_t on = stream.cuda->stream();
    return watch_->Do(
        CallText("an exchange", bytes), [&](ncclComm_t communicator) {
          return Group([&]() -> absl::Status {
            for (int peer = 0; peer < size(); ++peer) {
              const auto& out = send[static_cast<size_t>(peer)];
              const auto& in = receive[static_cast<size_t>(peer)];
              if (peer == rank()) continue;
              if (!out.empty()) {
                CONTINUO_RETURN_IF_ERROR(
                    Check(nccl_.Send(out.data(), out.size(), ncclFloat, peer,
                                     communicator, on),
                          "Send"));
              }
              if (!in.empty()) {
                CONTINUO_RETURN_IF_ERROR(
                    Check(nccl_.Recv(in.data(), in.size(), ncclFloat, peer,
                                     communicator, on),
                          "Recv"));
              }
            }
            return absl::OkStatus();
          });
        });
  }

  absl::Status AllGather(const Stream& stream,
                         absl::Span<const int64_t> slice_begin,
                         absl::Span<float> all) override {
    CheckSlices(*this, slice_begin, all.size());
    const cudaStream_t on = stream.cuda->stream();
    const auto bytes = static_cast<int64_t>(all.size() * sizeof(float));
    return watch_->Do(
        CallText("an all-gather", bytes), [&](ncclComm_t communicator) {
          return Group([&]() -> absl::Status {
            for (int root = 0; root < size(); ++root) {
              const auto r = static_cast<size_t>(root);
              float* slice = all.data() + slice_begin[r];
              const int64_t count = slice_begin[r + 1] - slice_begin[r];
              if (count == 0) continue;
              CONTINUO_RETURN_IF_ERROR(Check(
                  nccl_.Broadcast(slice, slice, static_cast<size_t>(count),
                                  ncclFloat, root, communicator, on),
                  "Broadcast"));
            }
            return absl::OkStatus();
          });
        });
  }

  absl::Status AllReduceSum(const Stream& stream,
                            absl::Span<float> data) override {
    if (data.empty()) return absl::OkStatus();
    const auto bytes = static_cast<int64_t>(data.size() * sizeof(float));
    return watch_->Do(
        CallText("an all-reduce", bytes), [&](ncclComm_t communicator) {
          return Check(
              nccl_.AllReduce(data.data(), data.data(), data.size(), ncclFloat,
                              ncclSum, communicator, stream.cuda->stream()),
              "AllReduce");
        });
  }

  absl::Status Wait(const Stream& stream) override {
    return watch_->WaitFor("the work of the device",
                           [&] { return Synchronize(stream); });
  }

  absl::StatusOr<std::vector<std::string>> GatherBytes(
      absl::string_view mine) override {
    if (host_ != nullptr) return host_->GatherBytes(mine);
    std::vector<Block> blocks(static_cast<size_t>(size()));
    blocks[static_cast<size_t>(rank())] = MakeBlock(mine);
    CONTINUO_RETURN_IF_ERROR(
        AllGatherBytes(blocks_.data(), sizeof(Block), blocks.data()));
    size_t rest = 0;  // of the longest
    for (const Block& block : blocks) {
      rest = std::max(rest,
                      static_cast<size_t>(block.size) - FirstPart(block.size));
    }
    std::string rests(rest * blocks.size(), '\0');
    if (rest > 0) {
      const absl::string_view tail =
          mine.substr(std::min(mine.size(), sizeof(Block::bytes)));
      std::copy(tail.begin(), tail.end(),
                rests.begin() +
                    static_cast<int64_t>(rest * static_cast<size_t>(rank())));
      DeviceBytes memory;
      CONTINUO_RETURN_IF_ERROR(memory.Allocate(rests.size()));
      CONTINUO_RETURN_IF_ERROR(
          AllGatherBytes(memory.data(), rest, rests.data()));
    }
    std::vector<std::string> all;
    for (size_t r = 0; r < blocks.size(); ++r) {
      const size_t first = FirstPart(blocks[r].size);
      all.emplace_back(blocks[r].bytes, first);
      all.back().append(rests, rest * r,
                        static_cast<size_t>(blocks[r].size) - first);
    }
    return all;
  }

  absl::Status BroadcastBytes(int root, std::string* bytes) override {
    CONTINUO_CHECK(root >= 0 && root < size());
    if (host_ != nullptr) return host_->BroadcastBytes(root, bytes);
    Block block = MakeBlock(*bytes);
    CONTINUO_RETURN_IF_ERROR(
        BroadcastBytes(root, blocks_.data(), sizeof(Block), &block));
    const size_t first = FirstPart(block.size);
    const size_t rest = static_cast<size_t>(block.size) - first;
    if (rank() != root) {
      bytes->assign(block.bytes, first);
      bytes->resize(first + rest);
    }
    if (rest == 0) return absl::OkStatus();
    DeviceBytes memory;
    CONTINUO_RETURN_IF_ERROR(memory.Allocate(rest));
    return BroadcastBytes(root, memory.data(), rest, bytes->data() + first);
  }

  void Abort(const absl::Status& why) override {
    watch_->GiveUp(why);
    if (host_ != nullptr) host_->Abort(why);
  }

 private:
  absl::Status Check(ncclResult_t code, absl::string_view call) const {
    return NcclStatus(nccl_, code, call);
  }

  absl::Status Group(absl::FunctionRef<absl::Status()> calls) const {
    CONTINUO_RETURN_IF_ERROR(Check(nccl_.GroupStart(), "GroupStart"));
    absl::Status called = calls();
    const absl::Status ended = Check(nccl_.GroupEnd(), "GroupEnd");
    return called.ok() ? ended : called;
  }

  // `host` is one part of `bytes` for each rank, of which this rank's is given.
  absl::Status AllGatherBytes(char* device, size_t bytes, void* host) {
    const size_t offset = bytes * static_cast<size_t>(rank());
    CONTINUO_RETURN_IF_CUDA_ERROR(
        cudaMemcpyAsync(device + offset, static_cast<char*>(host) + offset,
                        bytes, cudaMemcpyHostToDevice, stream_));
    CONTINUO_RETURN_IF_ERROR(
        watch_->Do("a gathering", [&](ncclComm_t communicator) {
          return Check(nccl_.AllGather(device + offset, device, bytes, ncclChar,
                                       communicator, stream_),
                       "AllGather");
        }));
    return ReadBack(device, bytes * static_cast<size_t>(size()), host);
  }

  absl::Status BroadcastBytes(int root, char* device, size_t bytes,
                              void* host) {
    if (rank() == root) {
      CONTINUO_RETURN_IF_CUDA_ERROR(cudaMemcpyAsync(
          device, host, bytes, cudaMemcpyHostToDevice, stream_));
    }
    CONTINUO_RETURN_IF_ERROR(watch_->Do(
        absl::StrCat("a broadcast of rank ", root),
        [&](ncclComm_t communicator) {
          return Check(nccl_.Broadcast(device, device, bytes, ncclChar, root,
                                       communicator, stream_),
                       "Broadcast");
        }));
    return ReadBack(device, bytes, host);
  }

  absl::Status ReadBack(const char* device, size_t bytes, void* host) {
    return watch_->WaitFor("a gathering", [&]() -> absl::Status {
      CONTINUO_RETURN_IF_CUDA_ERROR(cudaMemcpyAsync(
          host, device, bytes, cudaMemcpyDeviceToHost, stream_));
      CONTINUO_RETURN_IF_CUDA_ERROR(cudaStreamSynchronize(stream_));
      return absl::OkStatus();
    });
  }

  const NcclLibrary& nccl_;
  const std::unique_ptr<Collective> host_;
  std::unique_ptr<NcclWatch> watch_;
  cudaStream_t stream_ = nullptr;  // of bytes
  DeviceBytes blocks_;
};

absl::StatusOr<std::string> UniqueId(const NcclLibrary& nccl) {
  ncclUniqueId id;
  CONTINUO_RETURN_IF_ERROR(
      NcclStatus(nccl, nccl.GetUniqueId(&id), "GetUniqueId"));
  return std::string(id.internal, sizeof(id.internal));
}

// Through MPI; the nonce is rank 0's, too.
absl::StatusOr<Rendezvous> MeetThrough(Collective& host,
                                       const NcclLibrary& nccl) {
  Rendezvous meeting;
  if (host.rank() == 0) {
    CONTINUO_ASSIGN_OR_RETURN(meeting.payload, UniqueId(nccl));
    meeting.nonce = absl::StrCat(RandomSeed());
  }
  CONTINUO_RETURN_IF_ERROR(host.BroadcastBytes(0, &meeting.payload));
  CONTINUO_RETURN_IF_ERROR(host.BroadcastBytes(0, &meeting.nonce));
  CONTINUO_ASSIGN_OR_RETURN(meeting.hosts, host.GatherBytes(LocalHostName()));
  return meeting;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Collective>> MakeNccl(
    const LaunchIdentity& identity, const Stream& stream,
    const std::string& rendezvous_dir, const CollectiveOptions& options,
    std::unique_ptr<Collective> host) {
  CONTINUO_ASSIGN_OR_RETURN(const NcclLibrary* nccl, LoadNccl());
  if (host == nullptr && rendezvous_dir.empty()) {
    return absl::InvalidArgumentError(
        "`rendezvous_dir` is needed: a folder that all processes see");
  }
  std::string folder;
  if (!rendezvous_dir.empty()) {
    folder = JoinPath(rendezvous_dir, "rendezvous");
    CONTINUO_RETURN_IF_ERROR(MakeDirectories(folder));
    if (identity.rank == 0) RollCall::RemoveOld(folder);
  }
  auto meeting =
      host != nullptr
          ? MeetThrough(*host, *nccl)
          : MeetInFolder(folder, identity,
                         std::max(options.timeout, options.least_start),
                         [&] { return UniqueId(*nccl); });
  if (!meeting.ok()) return meeting.status();
  ncclUniqueId id;
  if (meeting->payload.size() != sizeof(id.internal)) {
    return absl::InternalError("the name of a communicator is damaged");
  }
  std::memcpy(id.internal, meeting->payload.data(), sizeof(id.internal));
  auto watch = std::make_unique<NcclWatch>(
      *nccl, stream.device.index,
      RollCall(folder, meeting->nonce, identity.rank, identity.size),
      meeting->hosts, options.timeout);
  CONTINUO_RETURN_IF_ERROR(watch->Start(identity.rank, identity.size, id));
  auto collective = std::make_unique<Nccl>(*nccl, identity, std::move(host),
                                           std::move(watch));
  CONTINUO_RETURN_IF_ERROR(collective->Open());
  return collective;
}

}  // namespace continuo
