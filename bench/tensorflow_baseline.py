#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events/s of TensorFlow on the networks that bench_train measures.

The reference beside bench_train: the same networks, batch size, lengths and
dropout, as a TensorFlow 1 graph with dynamic_rnn over padded batches, per
tensor clipping and Adam, which is how Magenta trains. Needs
`pip install tensorflow-cpu==2.21.0 tf-keras`; not used by the build or tests.

    TF_USE_LEGACY_KERAS=1 python3 bench/tensorflow_baseline.py --threads 2
"""

import argparse
import os
import time

os.environ.setdefault('TF_USE_LEGACY_KERAS', '1')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import numpy as np  # pylint: disable=wrong-import-position
import tensorflow as tf  # pylint: disable=wrong-import-position

tf1 = tf.compat.v1

# name: (inputs, classes, attention window, ones per input row)
CONFIGS = {
    'basic_rnn': (38, 38, 0, 1),
    'mono_rnn': (130, 130, 0, 1),
    'lookback_rnn': (121, 40, 0, 9),
    'attention_rnn': (74, 40, 40, 14),
}


class Lstm(tf1.nn.rnn_cell.RNNCell):
  """The LSTM of the published graphs: gates i, j, f, o, forget bias 1."""

  def __init__(self, size):
    super().__init__()
    self._size = size

  @property
  def state_size(self):
    return (self._size, self._size)

  @property
  def output_size(self):
    return self._size

  def __call__(self, x, state, scope=None):
    c, h = state
    with tf1.variable_scope(scope or 'lstm'):
      kernel = tf1.get_variable(
          'kernel', [x.shape[1] + self._size, 4 * self._size])
      bias = tf1.get_variable(
          'bias', [4 * self._size], initializer=tf1.zeros_initializer())
      z = tf.matmul(tf.concat([x, h], 1), kernel) + bias
      i, j, f, o = tf.split(z, 4, axis=1)
      c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
      h = tf.tanh(c) * tf.sigmoid(o)
    return h, (c, h)


def dense(x, width, name):
  with tf1.variable_scope(name):
    kernel = tf1.get_variable('kernel', [x.shape[1], width])
    bias = tf1.get_variable('bias', [width],
                            initializer=tf1.zeros_initializer())
    return tf.matmul(x, kernel) + bias


class Attention(tf1.nn.rnn_cell.RNNCell):
  """The attention wrapper around one LSTM, window of `length` outputs."""

  def __init__(self, cell, length):
    super().__init__()
    self._cell = cell
    self._length = length

  @property
  def state_size(self):
    n = self._cell.output_size
    return (self._cell.state_size, n, self._length * n)

  @property
  def output_size(self):
    return self._cell.output_size

  def __call__(self, x, state, scope=None):
    n, length = self._cell.output_size, self._length
    inner, attended, window = state
    with tf1.variable_scope(scope or 'attention_cell'):
      window = tf.reshape(window, [-1, length, n])
      projected_x = dense(tf.concat([x, attended], 1), x.shape[1], 'input')
      y, inner = self._cell(projected_x, inner)
      query = dense(tf.concat(list(inner), 1), n, 'query')
      w = tf1.get_variable('attn_w', [1, 1, n, n])
      v = tf1.get_variable('attn_v', [n])
      hidden = tf.nn.conv2d(
          tf.reshape(window, [-1, length, 1, n]), w, [1, 1, 1, 1], 'SAME')
      scores = tf.reduce_sum(
          v * tf.tanh(hidden + tf.reshape(query, [-1, 1, 1, n])), [2, 3])
      weights = tf.nn.softmax(scores)
      attended = tf.reduce_sum(window * weights[:, :, None], 1)
      out = dense(tf.concat([y, attended], 1), n, 'output')
      window = tf.concat([window[:, 1:], out[:, None]], 1)
      window = tf.reshape(window, [-1, length * n])
    return out, (inner, attended, window)


def build(config, sizes, keep_prob, clip_norm):
  """Placeholders and the training step of one configuration."""
  width, classes, window, _ = CONFIGS[config]
  inputs = tf1.placeholder(tf.float32, [None, None, width])
  labels = tf1.placeholder(tf.int64, [None, None])
  lengths = tf1.placeholder(tf.int32, [None])
  outputs = inputs
  cells = []
  for layer, size in enumerate(sizes):
    cell = Lstm(size)
    if window and layer == 0:
      cell = Attention(cell, window)
    cells.append(
        tf1.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=keep_prob))
  outputs, _ = tf1.nn.dynamic_rnn(
      tf1.nn.rnn_cell.MultiRNNCell(cells), inputs, lengths, dtype=tf.float32)
  mask = tf.sequence_mask(lengths)
  logits = dense(tf.boolean_mask(outputs, mask), classes, 'output')
  loss = tf.reduce_mean(
      tf.nn.sparse_softmax_cross_entropy_with_logits(
          labels=tf.boolean_mask(labels, mask), logits=logits))
  optimizer = tf1.train.AdamOptimizer(0.001)
  gradients = optimizer.compute_gradients(loss)
  step = optimizer.apply_gradients(
      [(tf.clip_by_norm(g, clip_norm), v) for g, v in gradients])
  return inputs, labels, lengths, loss, step


def measure(config, args):
  """Median events/s over `args.steps` steps after one warm-up step."""
  width, classes, _, ones = CONFIGS[config]
  rng = np.random.RandomState(1)
  with tf.Graph().as_default():
    inputs, labels, lengths, loss, step = build(config, [128, 128], 0.5, 5)
    session_config = tf1.ConfigProto(
        intra_op_parallelism_threads=args.threads,
        inter_op_parallelism_threads=args.threads)
    with tf1.Session(config=session_config) as session:
      session.run(tf1.global_variables_initializer())
      rates = []
      for i in range(args.steps + 1):
        n = rng.randint(128, 513, size=args.batch_size)
        x = np.zeros([args.batch_size, n.max(), width], np.float32)
        for _ in range(ones):
          column = rng.randint(0, width, size=x.shape[:2])
          np.put_along_axis(x, column[:, :, None], 1.0, axis=2)
        feed = {
            inputs: x,
            labels: rng.randint(0, classes, size=x.shape[:2]),
            lengths: n,
        }
        start = time.perf_counter()
        session.run([loss, step], feed)
        if i > 0:
          rates.append(n.sum() / (time.perf_counter() - start))
      print(f'{config} {np.median(rates):.0f} events/s '
            f'(min {min(rates):.0f}, max {max(rates):.0f})', flush=True)


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--threads', type=int, default=2)
  parser.add_argument('--batch_size', type=int, default=128)
  parser.add_argument('--steps', type=int, default=3)
  parser.add_argument('--configs', default=','.join(CONFIGS))
  args = parser.parse_args()
  tf1.disable_eager_execution()
  for config in args.configs.split(','):
    measure(config, args)


if __name__ == '__main__':
  main()
