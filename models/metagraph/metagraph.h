// SPDX-License-Identifier: Apache-2.0

// The meta graph of a bundle: the network as a TensorFlow graph that computes
// the probabilities of the next event, for programs that run bundles with
// TensorFlow and know nothing else about the network.

#ifndef CONTINUO_MODELS_METAGRAPH_METAGRAPH_H_
#define CONTINUO_MODELS_METAGRAPH_METAGRAPH_H_

#include <string>

#include "models/network/network.h"

namespace continuo {

struct MetaGraphOptions {
  int batch_size = 1;  // sequences that one run of the graph computes, > 0
  // The graph is fed [batch, steps, 1] columns of ones in place of rows.
  bool index_inputs = false;
};

// Whether the network can be written as a graph: its layers are LSTMs.
bool HasMetaGraph(const NetworkSpec& spec);

// A serialized MetaGraphDef of TensorFlow 1 operations, which every later
// release runs too. Its collections, as Magenta names them:
//   inputs         [batch, steps, input], any number of steps
//   temperature    a scalar by which the logits are divided
//   initial_state  zeros to be fed over: per layer c, h [batch, n]; for the
//                  attention layer also a [batch, n], window [batch, A n],
//                  oldest first; attention around the stack has a and window
//                  after all layers
//   final_state    after the last step, in the same order
//   softmax        [batch, steps, classes], one for each head
//   variables      with trainable_variables and model_variables
// Its saver reads and writes V1 checkpoints of the variables
// NetworkParameters(spec).
//
// The network is one that HasMetaGraph.
std::string BuildMetaGraph(const NetworkSpec& spec,
                           const MetaGraphOptions& options);

}  // namespace continuo

#endif  // CONTINUO_MODELS_METAGRAPH_METAGRAPH_H_
