// Operations whose CUDA form is not written yet.

#include "absl/status/status.h"
#include "kernels/attention.h"
#include "kernels/attention_window.h"

#define CONTINUO_PENDING(Op)                            \
  absl::Status Op(const Stream&, const Op##Args&) {     \
    return absl::UnimplementedError(#Op " on the GPU"); \
  }                                                     \
  static_assert(true)

namespace continuo::gpu {
CONTINUO_PENDING(AttentionForward);
CONTINUO_PENDING(AttentionBackward);
CONTINUO_PENDING(AttentionStep);
CONTINUO_PENDING(AttendWindow);
CONTINUO_PENDING(EnterWindow);
int64_t AttentionScratch(int64_t, int64_t, int64_t) { return 0; }
}  // namespace continuo::gpu
