# SPDX-License-Identifier: Apache-2.0

"""Compares continuo with Magenta on each other's files.

Started by check_interop.sh, in an environment that holds Magenta. With
--original=MODULE or --original_scores it runs a part of Magenta instead.
"""

import argparse
import glob
import importlib
import json
import math
import os
import random
import shutil
import subprocess
import sys

# Steps of the first program, and of the other one that goes on.
FIRST, MORE = 5, 2
BATCH = 4
# Losses of two programs that add floats in different orders.
LOSS_TOLERANCE = 1e-4

# Name, configuration, hyperparameters. Dropout is off: its masks cannot agree.
FAMILIES = {
    'melody_rnn': ('attention_rnn', 'rnn_layer_sizes=[24,16],attn_length=7'),
    'drums_rnn': ('drum_kit', 'rnn_layer_sizes=[24,16],attn_length=6'),
    'performance_rnn': ('performance_with_dynamics', 'rnn_layer_sizes=[24,16]'),
}
OUTPUTS = {
    'melody_rnn': 'melodies',
    'drums_rnn': 'drum_tracks',
    'performance_rnn': 'performances',
}


def run_original(module, arguments):
  """Runs a command of Magenta in this process."""
  import tensorflow as tf
  from tensorflow.python.framework import ops
  ops.IndexedSlices = tf.IndexedSlices  # where tf-slim 1.1.0 looks for it
  sys.argv = [module] + arguments
  importlib.import_module(module).console_entry_point()


def original_scores(family, bundle_file, notes):
  """Prints Magenta's log-likelihoods of NoteSequence records."""
  import note_seq
  import tensorflow as tf
  from tensorflow.python.framework import ops
  ops.IndexedSlices = tf.IndexedSlices
  tf.compat.v1.disable_v2_behavior()
  shared = importlib.import_module(
      'magenta.models.shared.sequence_generator_bundle')
  bundle = shared.read_bundle_file(bundle_file)
  generators = importlib.import_module(
      'magenta.models.%s.%s_sequence_generator' % (
          family, 'performance' if family == 'performance_rnn' else family))
  # pylint: disable=protected-access
  generator = generators.get_generator_map()[bundle.generator_details.id](
      checkpoint=None, bundle=bundle)
  generator.initialize()
  model = generator._model
  scores = []
  for record in tf.compat.v1.io.tf_record_iterator(notes):
    sequence = note_seq.NoteSequence.FromString(record)
    if family == 'performance_rnn':
      quantized = note_seq.quantize_note_sequence_absolute(sequence, 100)
      events = note_seq.Performance(quantized, num_velocity_bins=32)
      scores.append(model.performance_log_likelihood(events, None, None))
      continue
    quantized = note_seq.quantize_note_sequence(sequence, 4)
    if family == 'drums_rnn':
      events = note_seq.DrumTrack()
      events.from_quantized_sequence(quantized)
      scores.append(model.drum_track_log_likelihood(events))
    else:
      events = note_seq.Melody()
      events.from_quantized_sequence(quantized)
      scores.append(model.melody_log_likelihood(events))
  print('scores', json.dumps([float(score) for score in scores]))


class Failed(Exception):
  """A check that did not pass; the text is its figure."""


def expect(condition, text):
  if not condition:
    raise Failed(text)


def run(command, cwd=None):
  """Runs a command; Failed with the end of its output if it fails."""
  result = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
  if result.returncode != 0:
    raise Failed('%s: exit status %d: %s' % (
        os.path.basename(command[0]), result.returncode,
        ' '.join(result.stdout.split()[-60:])))
  return result.stdout


def original(family, command, arguments, cwd=None):
  module = 'magenta.models.%s.%s_%s' % (family, family, command)
  return run([sys.executable, os.path.abspath(__file__),
              '--original=' + module] + arguments, cwd)


def scalars(folder):
  """{tag: {step: value}} of the event files of a folder, by file name."""
  import tensorflow.compat.v1 as tf
  values = {}
  for path in sorted(glob.glob(os.path.join(folder, 'events.out.*'))):
    for event in tf.train.summary_iterator(path):
      for value in event.summary.value:
        if value.WhichOneof('value') == 'simple_value':
          values.setdefault(value.tag, {})[event.step] = value.simple_value
  return values


def largest_difference(ours, theirs):
  """Of the losses of the steps after FIRST, relative."""
  steps = range(FIRST + 1, FIRST + MORE + 1)
  for name, losses in (('ours', ours), ('theirs', theirs)):
    missing = [step for step in steps if step not in losses]
    expect(not missing, 'no loss at steps %s in %s' % (missing, name))
  return max(abs(ours[s] - theirs[s]) / abs(theirs[s]) for s in steps)


class Family:
  """The checks of one family, in the order in which they need each other."""

  def __init__(self, name, bin_dir, work):
    self.name = name
    self.bin = bin_dir
    self.work = os.path.join(work, name)
    self.config, hparams = FAMILIES[name]
    self.hparams = hparams + (
        ',batch_size=%d,dropout_keep_prob=1.0,learning_rate=0.01' % BATCH)
    self.data = self.path('data/training_%s.tfrecord' % OUTPUTS[name])
    self.same = self.path('same.tfrecord')
    os.makedirs(self.work)

  def path(self, name):
    return os.path.join(self.work, name)

  def ours(self, command, arguments):
    return run([os.path.join(self.bin, '%s_%s' % (self.name, command))]
               + arguments)

  def has(self, command, flag='help'):
    path = os.path.join(self.bin, '%s_%s' % (self.name, command))
    if not os.path.exists(path):
      return False
    text = subprocess.run([path, '--help'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          check=False).stdout
    return flag == 'help' or '--%s ' % flag in text

  def train_flags(self, run_dir, steps, data=None):
    return ['--run_dir=' + run_dir, '--config=' + self.config,
            '--hparams=' + self.hparams, '--summary_frequency=1',
            '--sequence_example_file=' + (data or self.same),
            '--num_training_steps=%d' % steps]

  def our_losses(self, run_dir):
    return scalars(os.path.join(run_dir, 'train')).get('loss', {})

  # Each check returns its figure.

  def note_sequences(self):
    """Magenta's NoteSequence records become our SequenceExamples."""
    import note_seq
    import tensorflow.compat.v1 as tf
    rng = random.Random(7)
    notes = self.path('notes.tfrecord')
    with tf.io.TFRecordWriter(notes) as writer:
      for i in range(12):
        sequence = note_seq.NoteSequence(id='n%d' % i, ticks_per_quarter=220)
        sequence.tempos.add(qpm=120)
        sequence.time_signatures.add(numerator=4, denominator=4)
        for step in range(128):
          pitch = rng.choice([36, 38, 42] if self.name == 'drums_rnn'
                             else [60, 62, 64, 65, 67, 69, 71])
          sequence.notes.add(
              pitch=pitch, velocity=rng.randrange(40, 120),
              start_time=step * 0.125, end_time=(step + 1) * 0.125,
              is_drum=self.name == 'drums_rnn',
              instrument=9 if self.name == 'drums_rnn' else 0)
        sequence.total_time = 16
        writer.write(sequence.SerializeToString())
    self.ours('create_dataset', [
        '--config=' + self.config, '--input=' + notes, '--eval_ratio=0',
        '--output_dir=' + self.path('data')])
    records = list(tf.python_io.tf_record_iterator(self.data))
    expect(len(records) >= 12, 'only %d examples' % len(records))
    # One example again and again: the order in which examples are drawn, which
    # cannot agree, does not matter then.
    with tf.io.TFRecordWriter(self.same) as writer:
      for _ in range(2 * BATCH):
        writer.write(records[0])
    return '%d examples' % len(records)

  def original_trains_on_our_data(self):
    run_dir = self.path('fresh')
    original(self.name, 'train', self.train_flags(run_dir, 2, self.data))
    losses = self.our_losses(run_dir)
    expect(losses and all(map(math.isfinite, losses.values())), str(losses))
    return 'loss %.4f at step %d' % (losses[max(losses)], max(losses))

  def our_run(self):
    run_dir = self.path('ours')
    self.ours('train', self.train_flags(run_dir, FIRST) + ['--seed=3'])
    shutil.copytree(run_dir, self.path('ours_continued_there'))
    self.ours('train', self.train_flags(run_dir, FIRST + MORE))
    losses = self.our_losses(run_dir)
    return 'loss %.4f at step %d' % (losses[FIRST + MORE], FIRST + MORE)

  def original_run(self):
    run_dir = self.path('theirs')
    original(self.name, 'train', self.train_flags(run_dir, FIRST))
    shutil.copytree(run_dir, self.path('theirs_continued_here'))
    # Given a relative run directory it writes relative paths.
    original(self.name, 'train', self.train_flags('theirs', MORE), self.work)
    losses = self.our_losses(run_dir)
    return 'loss %.4f at step %d' % (losses[FIRST + MORE], FIRST + MORE)

  def variables(self):
    """Every variable that Magenta stores, with its type and shape."""
    import tensorflow.compat.v1 as tf
    def read(name):
      reader = tf.train.load_checkpoint(
          self.path('%s/train/model.ckpt-%d' % (name, FIRST)))
      types = reader.get_variable_to_dtype_map()
      return {variable: (types[variable].name, tuple(shape)) for
              variable, shape in reader.get_variable_to_shape_map().items()}
    theirs = read('theirs')
    ours = read('ours')
    wrong = {name: (ours.get(name), theirs[name]) for name in theirs
             if ours.get(name) != theirs[name]}
    expect(not wrong, 'ours, theirs: %s' % wrong)
    added = sorted(name for name in ours if name not in theirs)
    expect(all(name.startswith('continuo/') for name in added), str(added))
    return '%d variables equal, %d of our own' % (len(theirs), len(added))

  def original_continues_our_run(self):
    run_dir = self.path('ours_continued_there')
    before = self.our_losses(run_dir)
    expect(max(before) == FIRST, str(before))
    original(self.name, 'train', self.train_flags(run_dir, MORE))
    difference = largest_difference(self.our_losses(self.path('ours')),
                                    self.our_losses(run_dir))
    expect(difference < LOSS_TOLERANCE, 'losses differ by %.1e' % difference)
    return 'losses differ by %.1e' % difference

  def we_continue_their_run(self):
    run_dir = self.path('theirs_continued_here')
    self.ours('train', self.train_flags(run_dir, FIRST + MORE))
    difference = largest_difference(self.our_losses(run_dir),
                                    self.our_losses(self.path('theirs')))
    expect(difference < LOSS_TOLERANCE, 'losses differ by %.1e' % difference)
    return 'losses differ by %.1e' % difference

  def we_continue_their_relative_run(self):
    """The state file names no folder; the run has moved besides."""
    run_dir = self.path('moved')
    os.rename(self.path('theirs'), run_dir)
    with open(os.path.join(run_dir, 'train', 'checkpoint')) as state:
      first_line = state.readline().strip()
    step = FIRST + MORE + 1
    self.ours('train', self.train_flags(run_dir, step))
    losses = self.our_losses(run_dir)
    expect(step in losses, str(losses))
    return '%s, then step %d' % (first_line.split(': ')[1], step)

  def event_files(self):
    """TensorBoard reads what log.jsonl says."""
    from tensorboard.backend.event_processing import event_accumulator
    folder = self.path('ours/train')
    events = event_accumulator.EventAccumulator(
        folder, size_guidance={event_accumulator.SCALARS: 0})
    events.Reload()
    seen = {event.step: event.value for event in events.Scalars('loss')}
    with open(os.path.join(folder, 'log.jsonl')) as log:
      logged = {line['step']: line['loss'] for line in map(json.loads, log)}
    expect(sorted(seen) == sorted(logged), '%s, %s' % (seen, logged))
    worst = max(abs(seen[s] - logged[s]) / logged[s] for s in logged)
    expect(worst < 1e-6, 'loss differs by %.1e' % worst)
    tags = events.Tags()['scalars']
    theirs = scalars(self.path('moved/train'))
    missing = [tag for tag in theirs if tag not in tags]
    expect(not missing, 'tags missing: %s' % missing)
    return '%d tags, %d steps' % (len(tags), len(seen))

  def generate_flags(self, output):
    return ['--output_dir=' + self.path(output), '--num_outputs=2',
            '--num_steps=' + ('300' if self.name == 'performance_rnn'
                              else '48')]

  def midi_files(self, output):
    import note_seq
    paths = glob.glob(self.path(output + '/*.mid'))
    expect(len(paths) == 2, '%d MIDI files' % len(paths))
    notes = [len(note_seq.midi_file_to_note_sequence(p).notes) for p in paths]
    return '2 files with %s notes' % ' and '.join(map(str, notes))

  def model_flags(self):
    return ['--config=' + self.config, '--hparams=' + self.hparams]

  def original_generates_from_our_run(self):
    original(self.name, 'generate',
             ['--run_dir=' + self.path('ours')] + self.model_flags()
             + self.generate_flags('out1'))
    return self.midi_files('out1')

  def save_their_bundle(self):
    bundle = self.path('theirs.mag')
    # With batches of one, as its log-likelihood functions need.
    hparams = self.hparams.replace('batch_size=%d' % BATCH, 'batch_size=1')
    original(self.name, 'generate',
             ['--run_dir=' + self.path('theirs_continued_here'),
              '--bundle_file=' + bundle, '--save_generator_bundle',
              '--bundle_description=interchange', '--config=' + self.config,
              '--hparams=' + hparams])
    return '%d bytes' % os.path.getsize(bundle)

  def we_score_with_their_bundle(self):
    """Log-likelihoods of the sequences that the data set was made of."""
    notes, output = self.path('notes.tfrecord'), self.path('scores.jsonl')
    bundle = self.path('theirs.mag')
    arguments = ['--bundle_file=' + bundle, '--input=' + notes,
                 '--output=' + output]
    if self.name == 'performance_rnn':
      arguments.append('--split_seconds=0')
    self.ours('score', arguments)
    with open(output) as lines:
      ours = [line['log_likelihood'] for line in map(json.loads, lines)]
    text = run([sys.executable, os.path.abspath(__file__), '--original_scores',
                self.name, bundle, notes])
    theirs = json.loads(text[text.rindex('scores ') + len('scores '):])
    expect(len(ours) == len(theirs) > 0,
           '%d and %d scores' % (len(ours), len(theirs)))
    difference = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs))
    expect(difference < LOSS_TOLERANCE, 'they differ by %.1e' % difference)
    return '%d log-likelihoods differ by %.1e' % (len(ours), difference)

  def we_generate_from_their_bundle(self):
    self.ours('generate', ['--bundle_file=' + self.path('theirs.mag'),
                           '--seed=1'] + self.generate_flags('out2'))
    return self.midi_files('out2')

  def original_generates_from_our_bundle(self):
    bundle = self.path('ours.mag')
    self.ours('generate', ['--run_dir=' + self.path('ours'),
                           '--bundle_file=' + bundle,
                           '--save_generator_bundle',
                           '--bundle_description=interchange'])
    original(self.name, 'generate',
             ['--bundle_file=' + bundle, '--config=' + self.config]
             + self.generate_flags('out3'))
    return self.midi_files('out3')

  def checks(self):
    train, generate = self.has('train'), self.has('generate')
    bundle = self.has('generate', 'save_generator_bundle')
    return [
        ('their NoteSequences, our examples', self.has('create_dataset'),
         self.note_sequences),
        ('original trains on our examples', True,
         self.original_trains_on_our_data),
        ('our run', train, self.our_run),
        ('their run', True, self.original_run),
        ('variables of a checkpoint', train, self.variables),
        ('original continues our run', train, self.original_continues_our_run),
        ('we continue their run', train, self.we_continue_their_run),
        ('relative paths, moved run', train,
         self.we_continue_their_relative_run),
        ('TensorBoard reads our events', train, self.event_files),
        ('original generates from our run', train,
         self.original_generates_from_our_run),
        ('original bundles a run we continued', train, self.save_their_bundle),
        ('we generate from its bundle', generate,
         self.we_generate_from_their_bundle),
        ('we score with its bundle', self.has('score'),
         self.we_score_with_their_bundle),
        ('original generates from our bundle', bundle,
         self.original_generates_from_our_bundle),
    ]


def check(families, bin_dir, work):
  """Prints the table; returns the number of failures."""
  failures = 0
  for name in families:
    family = Family(name, bin_dir, work)
    for title, possible, action in family.checks():
      if not possible:
        verdict, figure = 'skip', 'this build has no such command'
      else:
        try:
          verdict, figure = 'pass', action()
        except (Failed, OSError, KeyError, IndexError, ValueError) as error:
          verdict, figure = 'FAIL', '%s: %s' % (type(error).__name__, error)
          failures += 1
      print('%-16s %-36s %s  %s' % (name, title, verdict, figure), flush=True)
  print('%d failed' % failures)
  return failures


def main():
  if len(sys.argv) > 1 and sys.argv[1].startswith('--original='):
    run_original(sys.argv[1].split('=', 1)[1], sys.argv[2:])
    return
  if len(sys.argv) > 1 and sys.argv[1] == '--original_scores':
    original_scores(*sys.argv[2:])
    return
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--bin', required=True, help='folder of our commands')
  parser.add_argument('--work', required=True, help='folder to make and fill')
  parser.add_argument('families', nargs='*', help='default: all')
  flags = parser.parse_args()
  unknown = [name for name in flags.families if name not in FAMILIES]
  if unknown:
    parser.error('%s: expected %s' % (unknown[0], ', '.join(FAMILIES)))
  if check(flags.families or list(FAMILIES), flags.bin, flags.work):
    sys.exit(1)


if __name__ == '__main__':
  main()
