// SPDX-License-Identifier: Apache-2.0

#include "bench/gpu_counts.h"

#include <cuda_runtime.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "runtime/base/json.h"
#include "runtime/device/cuda_status.h"
#include "runtime/device/cuda_stream.h"

namespace continuo::bench {

absl::StatusOr<LaunchCounts> CountLaunches(
    const Stream& stream, absl::FunctionRef<absl::Status()> work) {
  const cudaStream_t handle = stream.cuda->stream();
  CONTINUO_RETURN_IF_CUDA_ERROR(
      cudaStreamBeginCapture(handle, cudaStreamCaptureModeThreadLocal));
  const absl::Status recorded = work();
  cudaGraph_t graph = nullptr;
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaStreamEndCapture(handle, &graph));
  CONTINUO_RETURN_IF_ERROR(recorded);
  size_t count = 0;
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaGraphGetNodes(graph, nullptr, &count));
  std::vector<cudaGraphNode_t> nodes(count);
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaGraphGetNodes(graph, nodes.data(), &count));
  LaunchCounts counts;
  for (cudaGraphNode_t node : nodes) {
    cudaGraphNodeType type;
    CONTINUO_RETURN_IF_CUDA_ERROR(cudaGraphNodeGetType(node, &type));
    if (type == cudaGraphNodeTypeKernel) ++counts.kernels;
    if (type == cudaGraphNodeTypeHost) ++counts.library;
    if (type == cudaGraphNodeTypeMemcpy || type == cudaGraphNodeTypeMemset) {
      ++counts.copies;
    }
  }
  CONTINUO_RETURN_IF_CUDA_ERROR(cudaGraphDestroy(graph));
  return counts;
}

double SimulatedCounters::SectorEfficiency() const {
  constexpr double kSectorBytes = 32;
  if (sectors == 0) return 1;
  return static_cast<double>(load_bytes + store_bytes) /
         (kSectorBytes * static_cast<double>(sectors));
}

std::optional<SimulatedStats> SimulatedStats::Open() {
  const char* path = std::getenv("GPUSIM_STATS");
  if (path == nullptr) return std::nullopt;
  return SimulatedStats(path);
}

SimulatedCounters SimulatedStats::Take() {
  SimulatedCounters sum;
  std::string line;
  std::ifstream file(path_);  // made with the first record
  file.seekg(read_);
  while (std::getline(file, line)) {
    read_ += static_cast<std::streamoff>(line.size()) + 1;
    const Json record = ParseJson(line);
    if (!record.is_object()) continue;
    if (record.contains("library")) {
      ++sum.library_calls;
      sum.library_flops += record.value("flops", int64_t{0});
      sum.library_bytes += record.value("bytes", int64_t{0});
      continue;
    }
    const auto& global = record["global"];
    const auto& shared = record["shared"];
    const auto& flops = record["flops"];
    const auto value = [](const Json& object, const char* name) {
      return object.value(name, int64_t{0});
    };
    ++sum.launches;
    sum.load_bytes += value(global, "load_bytes");
    sum.store_bytes += value(global, "store_bytes");
    sum.distinct_bytes += value(global, "unique_bytes");
    sum.sectors +=
        value(global, "load_sectors") + value(global, "store_sectors");
    sum.atomics += value(global, "atomic_requests");
    sum.tensor_flops += value(flops, "tensor");
    sum.fp32_flops += value(flops, "fp32");
    sum.shared_wavefronts += value(shared, "wavefronts");
    sum.bank_conflict_cycles += value(shared, "bank_conflict_cycles");
    sum.warp_instructions += value(record, "warp_instructions");
  }
  return sum;
}

}  // namespace continuo::bench
