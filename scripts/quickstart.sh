#!/usr/bin/env bash
# From nothing to new melodies: installs packages, builds, takes real tunes,
# converts them, makes a data set, trains for a few minutes, writes ten MIDI
# files and draws them.
#
#   scripts/quickstart.sh        on about 4,200 traditional tunes (20 MB are
#                                downloaded; without a network, on the few
#                                dozen in scripts/tunes)
#   scripts/quickstart.sh DIR    on your own folder of MIDI, MusicXML or ABC
#
#   TRAIN_SECONDS=180     how long to train
#   CONFIG=lookback_rnn   basic_rnn, mono_rnn, lookback_rnn or attention_rnn
#   OUTPUT=quickstart/... where everything is written; a run that is there
#                         already goes on
#   SEED=1                the same seed gives the same data set
set -euo pipefail
tunes=${1:-}
case $tunes in
  -*) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 1 ;;
  '') ;;
  *) [ -d "$tunes" ] || { echo "$0: $tunes is not a folder" >&2; exit 1; }
     tunes=$(cd "$tunes" && pwd) ;;
esac
start_dir=$PWD
cd "$(dirname "$0")/.."
train_seconds=${TRAIN_SECONDS:-180}
config=${CONFIG:-lookback_rnn}
seed=${SEED:-1}
output=${OUTPUT:-$PWD/quickstart/${tunes:+$(basename "$tunes")-}$config}
case $output in /*) ;; *) output=$start_dir/$output ;; esac
bin=$PWD/build/bin
run_dir=$output/run
# Small batches and a large step learn most in a few minutes; with attention a
# larger step than the default can run away.
hparams=batch_size=32,dropout_keep_prob=0.8,learning_rate=0.003
[ "$config" != attention_rnn ] ||
  hparams=batch_size=32,dropout_keep_prob=0.9,learning_rate=0.001
mkdir -p "$output"

stage=
stage_started=$SECONDS
times=()
begin() {  # begin NAME: ends the stage before it and starts this one
  [ -z "$stage" ] ||
    times+=("$(printf '%5d s  %s' $((SECONDS - stage_started)) "$stage")")
  stage=$1
  stage_started=$SECONDS
  printf '\n== %s\n' "$stage"
}

# Tune books printed from 1778 to 1903, out of a published Python package (a
# zip file); no Python is run but pip.
fetch_tunes() {
  local books=(ryansMammoth oneills1850 airdsAirs)
  scripts/install_packages.sh python3-pip unzip || return 1
  python3 -m pip download --quiet --no-deps --dest "$output/download" \
    music21==10.5.1 || return 1
  rm -rf "$output/unzipped" "$output/tunes.part"
  unzip -q "$output"/download/music21-*.whl 'music21/corpus/*' \
    -d "$output/unzipped" || return 1
  mkdir -p "$output/tunes.part"
  mv "${books[@]/#/$output/unzipped/music21/corpus/}" "$output/tunes.part/" ||
    return 1
  rm -rf "$output/unzipped"
  mv "$output/tunes.part" "$output/tunes"
}

begin 'install packages'
scripts/install_packages.sh

begin 'build'
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCONTINUO_TESTS=OFF -DCONTINUO_BENCH=OFF >/dev/null
cmake --build build -j "$(nproc)"

begin 'take tunes'
if [ -z "$tunes" ]; then
  if [ -d "$output/tunes" ] || fetch_tunes; then
    tunes=$output/tunes
  else
    echo 'no network: using the tunes in scripts/tunes' >&2
    tunes=$PWD/scripts/tunes
  fi
fi
echo "tunes from $tunes"

begin 'convert to NoteSequences'
"$bin/convert_dir_to_note_sequences" --recursive --log=WARN \
  --input_dir="$tunes" --output_file="$output/notes.tfrecord" \
  --report="$output/convert.jsonl"

begin 'make the data set'
"$bin/melody_rnn_create_dataset" --config="$config" --seed="$seed" \
  --input="$output/notes.tfrecord" --output_dir="$output/data" \
  --eval_ratio=0.1 --report="$output/dataset.jsonl"

begin "train $config for $train_seconds s"
"$bin/melody_rnn_train" --config="$config" --seed="$seed" \
  --run_dir="$run_dir" \
  --sequence_example_file="$output/data/training_melodies.tfrecord" \
  --hparams="$hparams" --summary_frequency=50 \
  --max_training_seconds="$train_seconds"

begin 'evaluate'
"$bin/melody_rnn_train" --eval --eval_once --run_dir="$run_dir" \
  --config="$config" \
  --sequence_example_file="$output/data/eval_melodies.tfrecord"

begin 'generate ten melodies'
rm -rf "$output/melodies"
"$bin/melody_rnn_generate" --run_dir="$run_dir" --num_outputs=10 \
  --num_steps=256 --seed="$seed" --output_dir="$output/melodies"

begin 'draw'
"$bin/continuo_render" --midi="$output/melodies" --output="$output/melodies.png"
"$bin/continuo_render" --log="$run_dir/train/log.jsonl" \
  --eval_log="$run_dir/eval/log.jsonl" --output="$output/curve.png"

begin 'done'
printf '%s\n' "${times[@]}"
cat <<END

melodies          $output/melodies/*.mid
their piano rolls $output/melodies.png
training curve    $output/curve.png
the run           $run_dir  (train longer: the same melody_rnn_train command)
END
