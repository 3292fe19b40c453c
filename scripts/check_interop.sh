#!/usr/bin/env bash
# Runs Magenta 2.1.4 (with TensorFlow) and continuo on each other's
# files, and prints what passed and by how much numbers differ: data sets, run
# directories continued in both directions, event files, bundles. Downloads
# about 600 MB of Python packages, takes some minutes, and is no part of the
# tests.
#
#   scripts/check_interop.sh                  all families, commands of build/bin
#   scripts/check_interop.sh melody_rnn ...   these
#   BUILD_DIR=dir       commands of dir/bin
#   INTEROP_VENV=dir    Python environment to use or make (default: one in the
#                       scratch folder, removed at the end)

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

case ${1:-} in
  --help) usage; exit ;;
  -*) usage >&2; exit 1 ;;
esac

cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
venv=${INTEROP_VENV:-$scratch/venv}
if ! "$venv/bin/python" -c 'import magenta' 2> /dev/null; then
  python3 -m venv "$venv"
  # setuptools has pkg_resources, which TensorFlow Probability imports, up to
  # release 80. Magenta pins packages too old for any current Python, so it
  # comes without them.
  "$venv/bin/pip" install --quiet tensorflow-cpu==2.21.0 tf-keras tf-slim \
    note-seq==0.0.5 tensorflow-probability dm-sonnet tensorboard \
    'setuptools<81'
  "$venv/bin/pip" install --quiet --no-deps magenta==2.1.4
fi
export TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 TF_ENABLE_ONEDNN_OPTS=0
"$venv/bin/python" scripts/check_interop.py \
  --bin "$(realpath "${BUILD_DIR:-build}")/bin" --work "$scratch/work" "$@"
