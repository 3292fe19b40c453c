#!/usr/bin/env python3
"""What a training step costs on 1 to 1,024 GPUs, by a model: train/scaling.md.

    scaling_model.py                 prints the tables
    scaling_model.py --write=FILE    puts them into FILE, between its marks
    scaling_model.py --check=FILE    tells whether they are those of FILE

A step of one rank is what all rows wait for, a chain of time steps, and what
grows with the events, products and bytes; after it the gradient travels, and
nothing is computed meanwhile. Times are in seconds, sizes in bytes.
"""

# SPDX-License-Identifier: Apache-2.0

import argparse
import dataclasses
import math
import sys

# One GPU: an H200 SXM, by its data sheet, and the share of it that large
# products and copies reach.
CLOCK = 1.98e9
PRODUCTS = 0.35 * 989e12
MEMORY = 0.8 * 4.8e12
# Launches of the about 70 kernels of a recorded step, upload and download.
FIXED = 200e-6
# A GPU's way out, each direction: NVLink to the others of a machine, and one
# port of 400 Gbit/s to other machines, or its part of 100 Gbit/s of Ethernet.
GPUS_PER_HOST = 8
NVLINK = 0.8 * 450e9
INFINIBAND = 0.8 * 50e9
ETHERNET = 0.8 * 12.5e9 / GPUS_PER_HOST
# A collective that moves nothing, and what each further rank adds to it.
LATENCY = 20e-6
PER_RANK = 1e-6
# The bytes of the host, sums of the loss above all: a tree of messages.
HOST_MESSAGE = 25e-6

NUM_GPUS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


@dataclasses.dataclass(frozen=True)
class Network:
    """A configuration in bf16, and how its recurrent kernels lie on a GPU."""

    name: str
    inputs: int
    set_inputs: int  # of a row
    classes: int
    units: int
    layers: int
    attention: bool
    batch: int
    steps: int  # time steps of the longest row
    mean_length: float
    # Cycles of one time step, forward and backward, of an LSTM layer and of the
    # attention cell: kernels/README.md has the instructions and barriers that
    # these are estimated from.
    lstm_cycles: int
    attention_cycles: int
    # Rows that a GPU has on its way at once: 8 in each block or cluster.
    rows_at_once: int


NETWORKS = [
    Network("attention_rnn", 74, 14, 40, 128, 2, True, 128, 512, 320,
            2450, 13200, 120),
    Network("drum_kit", 518, 7, 512, 256, 3, True, 128, 512, 320,
            3900, 16600, 56),
    Network("performance_with_dynamics", 388, 1, 388, 512, 3, False, 64, 512,
            512, 6000, 0, 120),
]


def weights(net):
    """The number of weights: the variables of models/README.md."""
    n = net.units
    width = net.inputs
    total = 0
    for layer in range(net.layers):
        if layer == 0 and net.attention:
            total += (width + n) * width + width  # kernel, bias
            total += n * n + n  # attn_w, attn_v
            total += 2 * (2 * n * n + n)  # attention, attn_output_projection
        total += (width + n) * 4 * n + 4 * n
        width = n
    return total + n * net.classes + net.classes


def gradient_bytes(net):
    return 4 * weights(net)


def compute_parts(net, rows):
    """A step of one rank with `rows` rows: chain, products, bytes, update."""
    if rows == 0:
        return (0.0, 0.0, 0.0, update(net))
    events = rows * net.mean_length
    cycles = net.layers * net.lstm_cycles
    if net.attention:
        # The first layer's cell is in the attention's kernel.
        cycles += net.attention_cycles - net.lstm_cycles
    # Rows beyond those at once wait for these.
    chain = max(1.0, rows / net.rows_at_once) * net.steps * cycles / CLOCK
    # Rows of the first kernel that sparse inputs pick are no products.
    dense = weights(net) - (net.inputs - net.set_inputs) * 4 * net.units
    products = 6 * dense * events / PRODUCTS
    # Of an event and layer of n units: 73 n bytes in bf16, the "least" of its
    # operations in kernels/README.md.
    traffic = 73 * net.units * net.layers * events / MEMORY
    return (chain, products, traffic, update(net))


def update(net):
    """Clip and Adam on all weights, on every rank: 41 bytes a weight."""
    return 41 * weights(net) / MEMORY


def compute(net, rows):
    return FIXED + sum(compute_parts(net, rows))


def reduction_bytes(net, gpus):
    """What a rank sends in a step: 2 (N - 1)/N of the gradient."""
    return 2 * (gpus - 1) / gpus * gradient_bytes(net)


def reduction(net, gpus, between_hosts=INFINIBAND):
    """Slices to their owners, sums, slices to all; and the bytes of the host."""
    if gpus == 1:
        return 0.0
    near = min(gpus, GPUS_PER_HOST) - 1
    far = gpus - 1 - near
    total = reduction_bytes(net, gpus)
    wire = max(total * near / (gpus - 1) / NVLINK,
               total * far / (gpus - 1) / between_hosts)
    sums = gradient_bytes(net) / MEMORY
    collectives = 2 * (LATENCY + PER_RANK * (gpus - 1))
    return collectives + wire + sums + HOST_MESSAGE * math.log2(gpus)


def step(net, gpus, batch, between_hosts=INFINIBAND):
    rows = math.ceil(batch / gpus)  # of the rank that has most
    return compute(net, rows) + reduction(net, gpus, between_hosts)


def full_batch(net, gpus):
    """Every GPU has as many rows as it takes at once."""
    return net.rows_at_once * gpus


def efficiency(net, gpus, between_hosts=INFINIBAND):
    """Events/s against N times those of one GPU, rows a GPU being the same."""
    rows = net.rows_at_once
    return compute(net, rows) / step(net, gpus, rows * gpus, between_hosts)


def last_above(net, least, between_hosts=INFINIBAND):
    """The most GPUs with which the efficiency is `least`."""
    good = [n for n in NUM_GPUS if efficiency(net, n, between_hosts) >= least]
    return max(good)


def local_steps(net, gpus, share, between_hosts=INFINIBAND):
    """Steps between two reductions that make these `share` of the time."""
    cost = reduction(net, gpus, between_hosts)
    return max(1, math.ceil(
        cost * (1 - share) / share / compute(net, net.rows_at_once)))


def ms(seconds):
    return f"{1e3 * seconds:.2f}"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "| " + " | ".join("---" for _ in header) + " |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def one_gpu():
    rows = []
    for net in NETWORKS:
        parts = compute_parts(net, net.batch)
        rows.append([net.name, f"{weights(net):,}",
                     f"{1e-6 * gradient_bytes(net):.1f}", str(net.batch),
                     *[ms(part) for part in parts],
                     ms(compute(net, net.batch))])
    return table(["network", "weights", "gradient, MB", "batch", "chain",
                  "products", "memory", "update", "step, ms"], rows)


def reductions():
    rows = []
    for gpus in NUM_GPUS[1:]:
        rows.append([f"{gpus:,}"] + [
            ms(reduction(net, gpus, wire)) for net in NETWORKS
            for wire in (INFINIBAND, ETHERNET)])
    header = ["GPUs"]
    for net in NETWORKS:
        header += [net.name, "on Ethernet"]
    return table(header, rows)


def same_batch():
    rows = []
    for gpus in NUM_GPUS:
        row = [f"{gpus:,}"]
        for net in NETWORKS:
            if gpus > net.batch:
                row.append("-")
                continue
            speedup = step(net, 1, net.batch) / step(net, gpus, net.batch)
            row.append(f"{speedup:.2f}")
        rows.append(row)
    return table(["GPUs"] + [f"{net.name}, batch {net.batch}"
                             for net in NETWORKS], rows)


def same_rows():
    rows = []
    for gpus in NUM_GPUS:
        row = [f"{gpus:,}"]
        for net in NETWORKS:
            batch = full_batch(net, gpus)
            speed = batch * net.mean_length / step(net, gpus, batch)
            row += [f"{batch:,}", f"{1e-6 * speed:,.0f}",
                    f"{100 * efficiency(net, gpus):.0f}"]
        rows.append(row)
    header = ["GPUs"]
    for net in NETWORKS:
        header += [f"{net.name}: batch", "M events/s", "%"]
    return table(header, rows)


def limits():
    rows = []
    for net in NETWORKS:
        for name, wire in (("InfiniBand", INFINIBAND), ("Ethernet", ETHERNET)):
            rows.append([
                net.name, name, f"{last_above(net, 0.8, wire):,}",
                f"{last_above(net, 0.5, wire):,}",
                *[str(local_steps(net, gpus, 0.1, wire))
                  for gpus in (64, 1024)]])
    return table(["network", "between machines", "GPUs at 80 %",
                  "GPUs at 50 %", "local steps, 64 GPUs", "1,024 GPUs"], rows)


TABLES = {"one_gpu": one_gpu, "reductions": reductions,
          "same_batch": same_batch, "same_rows": same_rows, "limits": limits}


def fill(text):
    """The text with all tables computed anew, each between its two marks."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            sys.exit(f"there are no marks, or several, of the table {name}")
        head, rest = text.split(begin)
        text = head + begin + make() + "\n" + end + rest.split(end)[1]
    return text


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--check", metavar="FILE")
    arguments = parser.parse_args()
    path = arguments.write or arguments.check
    if path is None:
        for make in TABLES.values():
            print(make() + "\n")
        return
    with open(path, encoding="utf-8") as file:
        old = file.read()
    new = fill(old)
    if arguments.write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)
    elif new != old:
        sys.exit(f"the tables of {path} are not those of the model: "
                 f"scaling_model.py --write={path}")


if __name__ == "__main__":
    main()
