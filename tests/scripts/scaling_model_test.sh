#!/usr/bin/env bash
# The tables of train/scaling.md are those of the model, which keeps its own
# rules.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh
. "$(dirname "$0")/testing.sh"
model=$source_dir/bench/scaling_model.py
command -v python3 >/dev/null || {
  echo 'no python3'
  exit 77
}

expect_exit 0 "$model" --check="$source_dir/train/scaling.md"
sed 's/^| 64 | \(.\)/| 64 | 1\1/' "$source_dir/train/scaling.md" >"$dir/other.md"
expect_exit 1 "$model" --check="$dir/other.md"
expect_text "$dir/err" '--write='
expect_exit 0 "$model" --write="$dir/other.md"
cmp "$dir/other.md" "$source_dir/train/scaling.md" || fail 'written differently'
sed '/end of limits/d' "$source_dir/train/scaling.md" >"$dir/other.md"
expect_exit 1 "$model" --check="$dir/other.md"
expect_text "$dir/err" 'limits'

cat >"$dir/rules.py" <<'END'
import scaling_model as model

for net in model.NETWORKS:
    bytes_ = model.gradient_bytes(net)
    assert model.reduction(net, 1) == 0
    # A ring's bytes.
    assert model.reduction_bytes(net, 2) == bytes_
    assert 1.99 * bytes_ < model.reduction_bytes(net, 1024) < 2 * bytes_
    last = 0
    for gpus in model.NUM_GPUS:
        cost = model.reduction(net, gpus)
        assert cost >= last, (net.name, gpus)
        assert model.reduction(net, gpus, model.ETHERNET) >= cost
        # Within a machine the network has no part.
        assert (gpus > model.GPUS_PER_HOST
                or cost == model.reduction(net, gpus, 1.0))
        assert 0 < model.efficiency(net, gpus) <= 1
        last = cost
    # Rows are free up to those at once, but for what grows with the events.
    one, full, twice = (model.compute_parts(net, rows)[0] for rows in
                        (1, net.rows_at_once, 2 * net.rows_at_once))
    assert one == full and twice == 2 * full
    k = model.local_steps(net, 1024, 0.1)
    work = k * model.compute(net, net.rows_at_once)
    assert model.reduction(net, 1024) <= 0.1 * (work + model.reduction(net, 1024))

# Three layers of 512 units, 388 inputs and classes.
performance = model.NETWORKS[2]
assert model.weights(performance) == (
    (388 + 512) * 2048 + 2048 + 2 * (1024 * 2048 + 2048) + 512 * 388 + 388)
END
PYTHONPATH=$source_dir/bench PYTHONDONTWRITEBYTECODE=1 \
  expect_exit 0 python3 "$dir/rules.py"
exit "$failed"
