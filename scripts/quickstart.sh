#!/usr/bin/env bash
# From nothing to new music: installs packages, builds, takes real music,
# converts it, makes a data set, trains for a few minutes, writes ten MIDI files
# and draws them.
#
#   scripts/quickstart.sh        melodies, from about 4,200 traditional tunes
#                                (20 MB are downloaded; without a network, from
#                                the few dozen in scripts/tunes)
#   scripts/quickstart.sh --family=drums        from the tracks in scripts/drums
#   scripts/quickstart.sh --family=performance  from chorales and quartets (of
#                                the same download)
#   scripts/quickstart.sh [--family=...] DIR    from your own folder of MIDI,
#                                MusicXML or ABC files
#
#   TRAIN_SECONDS=180   how long to train
#   CONFIG=...          another configuration of the family
#   OUTPUT=...          where everything is written instead of quickstart/NAME;
#                       an existing run is resumed
#   SEED=1              the same seed gives the same data set
#   CONTINUO_CUDA=...   ON builds the forms for NVIDIA GPUs, OFF leaves them out
#                       (default: built where there is such a GPU)

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

family=melody
music=
for argument in "$@"; do
  case $argument in
    --family=*) family=${argument#--family=} ;;
    --help) usage; exit ;;
    -*) usage >&2; exit 1 ;;
    *) [ -d "$argument" ] ||
         { echo "$0: $argument is not a folder" >&2; exit 1; }
       music=$(cd "$argument" && pwd) ;;
  esac
done

# What differs between the families. Small batches, a large step and a small
# network learn most in a few minutes.
generate_flags=()
case $family in
  melody)
    config=${CONFIG:-lookback_rnn}
    set_name=melodies
    hparams=batch_size=32,dropout_keep_prob=0.8,learning_rate=0.003
    # With attention a larger step than the default can run away.
    [ "$config" != attention_rnn ] ||
      hparams=batch_size=32,dropout_keep_prob=0.9,learning_rate=0.001
    generate_flags=(--num_steps=256)
    books=(ryansMammoth oneills1850 airdsAirs) ;;
  drums)
    config=${CONFIG:-drum_kit}
    set_name=drum_tracks
    # Attention needs more than a few minutes to be of use.
    hparams="batch_size=8,rnn_layer_sizes=[128,128],attn_length=0"
    hparams+=,dropout_keep_prob=0.5,learning_rate=0.002
    generate_flags=(--num_steps=128)
    books=() ;;
  performance)
    config=${CONFIG:-performance_with_dynamics_compact}
    set_name=performances
    hparams="batch_size=16,rnn_layer_sizes=[256],learning_rate=0.003"
    generate_flags=(--num_steps=3000)
    books=(bach haydn mozart) ;;
  *) echo "$0: --family=$family: expected melody, drums or performance" >&2
     exit 1 ;;
esac

start_dir=$PWD
cd "$(dirname "$0")/.."
train_seconds=${TRAIN_SECONDS:-180}
seed=${SEED:-1}
output=${OUTPUT:-$PWD/quickstart/${music:+$(basename "$music")-}$config}
case $output in /*) ;; *) output=$start_dir/$output ;; esac
bin=$PWD/build/bin
run_dir=$output/run
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

# Music long in the public domain, out of a published Python package (a zip
# file); no Python is run but pip.
fetch_music() {
  local download=$PWD/quickstart/download
  scripts/install_packages.sh python3-pip unzip || return 1
  [ -f "$download/done" ] || {
    python3 -m pip download --quiet --no-deps --dest "$download" \
      music21==10.5.1 && touch "$download/done"
  } || return 1
  rm -rf "$output/unzipped" "$output/music.part"
  unzip -q "$download"/music21-*.whl 'music21/corpus/*' \
    -d "$output/unzipped" || return 1
  mkdir -p "$output/music.part"
  mv "${books[@]/#/$output/unzipped/music21/corpus/}" "$output/music.part/" ||
    return 1
  rm -rf "$output/unzipped"
  mv "$output/music.part" "$output/music"
}

begin 'install packages'
scripts/install_packages.sh

begin 'build'
has_nvidia_gpu() {
  [ -e /dev/nvidiactl ] || nvidia-smi -L 2>/dev/null | grep -q '^GPU'
}
if [ -n "${CONTINUO_CUDA:-}" ]; then
  cuda=$CONTINUO_CUDA
elif has_nvidia_gpu; then
  cuda=AUTO
else
  cuda=OFF
  echo 'for the CPU, as there is no NVIDIA GPU (CONTINUO_CUDA=ON builds for' \
    'one nevertheless)'
fi
options=(-DCMAKE_BUILD_TYPE=Release -DCONTINUO_CUDA="$cuda"
  -DCONTINUO_TESTS=OFF -DCONTINUO_BENCH=OFF)
# A compiler newer than the project may warn of what is no error. Where there is
# a build already, changing these would recompile all of it.
[ -f build/CMakeCache.txt ] ||
  options+=(-DCONTINUO_WERROR=OFF -DCMAKE_UNITY_BUILD=ON)
cmake -S . -B build -G Ninja "${options[@]}" | sed -n 's/^-- CUDA/CUDA/p'
cmake --build build -j "$(nproc)" --target convert_dir_to_note_sequences \
  "${family}"_rnn_{create_dataset,train,generate} continuo_render

begin 'take music'
if [ -n "$music" ]; then
  :
elif [ "$family" = drums ]; then
  music=$PWD/scripts/drums
elif [ -d "$output/music" ] || fetch_music; then
  music=$output/music
elif [ "$family" = melody ]; then
  echo 'no network: using the tunes in scripts/tunes' >&2
  music=$PWD/scripts/tunes
else
  echo "$0: no network: give a folder of piano MIDI files, as in" \
    "$0 --family=performance DIR" >&2
  exit 1
fi
echo "music from $music"

begin 'convert to NoteSequences'
"$bin/convert_dir_to_note_sequences" --recursive --log=WARN \
  --input_dir="$music" --output_file="$output/notes.tfrecord" \
  --report="$output/convert.jsonl"

begin 'make the data set'
"$bin/${family}_rnn_create_dataset" --config="$config" --seed="$seed" \
  --input="$output/notes.tfrecord" --output_dir="$output/data" \
  --eval_ratio=0.1 --report="$output/dataset.jsonl"

begin "train $config for $train_seconds s"
evaluation=()
model=(--run_dir="$run_dir")
eval_log=()
if [ -s "$output/data/eval_$set_name.tfrecord" ]; then
  # The network that does best on music it has not seen is kept apart, and a
  # training that only learns its examples by heart ends early.
  evaluation=(--eval_every_steps=100 --keep_best --early_stopping_evals=20
    --eval_sequence_example_file="$output/data/eval_$set_name.tfrecord")
  eval_log=(--eval_log="$run_dir/eval/log.jsonl")
  model=(--checkpoint_file="$run_dir/best")
else
  echo 'too little music to set some aside for evaluation'
fi
"$bin/${family}_rnn_train" --config="$config" --seed="$seed" \
  --run_dir="$run_dir" \
  --sequence_example_file="$output/data/training_$set_name.tfrecord" \
  --hparams="$hparams" --summary_frequency=50 \
  --max_training_seconds="$train_seconds" "${evaluation[@]}"
# A training too short for one evaluation has no best network yet.
[ -f "$run_dir/best/checkpoint" ] || model=(--run_dir="$run_dir")
[ -f "$run_dir/eval/log.jsonl" ] || eval_log=()

begin 'generate ten pieces'
rm -rf "${output:?}/$set_name"
"$bin/${family}_rnn_generate" "${model[@]}" --num_outputs=10 \
  "${generate_flags[@]}" --seed="$seed" --output_dir="$output/$set_name"

begin 'draw'
"$bin/continuo_render" --midi="$output/$set_name" --output="$output/$set_name.png"
"$bin/continuo_render" --train_log="$run_dir/train/log.jsonl" \
  "${eval_log[@]}" --output="$output/curve.png"

begin 'done'
printf '%s\n' "${times[@]}"
cat <<END

the music         $output/$set_name/*.mid
its piano rolls   $output/$set_name.png
training curve    $output/curve.png
the run           $run_dir  (called again, the quick start trains it longer)
END
