// SPDX-License-Identifier: Apache-2.0

// The LSTM cell of one unit, for the CUDA forms: the formulas of
// kernels/lstm/gates-inl.h.

#ifndef CONTINUO_KERNELS_LSTM_LSTM_CELL_CUH_
#define CONTINUO_KERNELS_LSTM_LSTM_CELL_CUH_

#include "kernels/lstm/lstm.h"

namespace continuo::gpu {

// Absolute errors below 2e-7 and 4e-7. For arguments of any size: the
// exponential goes to infinity or zero, the quotient to its limit.
__device__ inline float Sigmoid(float x) {
  return __fdividef(1.0f, 1.0f + __expf(-x));
}
__device__ inline float Tanh(float x) {
  return 1.0f - __fdividef(2.0f, 1.0f + __expf(2.0f * x));
}

// z in, activated gates out (or, in the backward pass, activated gates in,
// gradient of z out), in the order of the arrays.
struct Gates {
  float i, j, f, o;
};

// Activates the gates, replaces c by the new state and returns h.
__device__ inline float CellForward(Gates* gates, float* c) {
  gates->i = Sigmoid(gates->i);
  gates->j = Tanh(gates->j);
  gates->f = Sigmoid(gates->f + kForgetBias);
  gates->o = Sigmoid(gates->o);
  *c = fmaf(*c, gates->f, gates->i * gates->j);
  return Tanh(*c) * gates->o;
}

// dc: gradient of c from the next step in, of c_prev out.
__device__ inline void CellBackward(Gates* gates, float c_prev, float c,
                                    float dh, float* dc) {
  const Gates g = *gates;
  const float tanh_c = Tanh(c);
  const float dcell = fmaf(dh * g.o, fmaf(-tanh_c, tanh_c, 1.0f), *dc);
  gates->i = dcell * g.j * fmaf(-g.i, g.i, g.i);
  gates->j = dcell * g.i * fmaf(-g.j, g.j, 1.0f);
  gates->f = dcell * c_prev * fmaf(-g.f, g.f, g.f);
  gates->o = dh * tanh_c * fmaf(-g.o, g.o, g.o);
  *dc = dcell * g.f;
}

}  // namespace continuo::gpu

#endif  // CONTINUO_KERNELS_LSTM_LSTM_CELL_CUH_
