// SPDX-License-Identifier: Apache-2.0

// One time step of a network as TensorFlow operations.

#ifndef CONTINUO_MODELS_METAGRAPH_METAGRAPH_CELLS_H_
#define CONTINUO_MODELS_METAGRAPH_METAGRAPH_CELLS_H_

#include <functional>
#include <string>
#include <vector>

#include "models/metagraph/graph_builder.h"
#include "models/network/network.h"

namespace continuo {

// Columns of the network's state tensors, in the order of initial_state.
std::vector<int> StateWidths(const NetworkSpec& spec);

// Adds one step of all layers below `scope`: from the input [batch, input] and
// the states (StateWidths) to the output of the last layer [batch, n] and the
// new states. `weight` gives the value of a variable of NetworkParameters.
struct GraphStep {
  GraphValue output;
  GraphValues states;
};
GraphStep AddNetworkStep(
    const NetworkSpec& spec, int batch_size, const std::string& scope,
    const GraphValue& input, const GraphValues& states,
    const std::function<GraphValue(const std::string&)>& weight,
    GraphBuilder* graph);

}  // namespace continuo

#endif  // CONTINUO_MODELS_METAGRAPH_METAGRAPH_CELLS_H_
