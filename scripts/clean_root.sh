#!/usr/bin/env bash
# Runs a command in a copy of this checkout inside a bare Debian system, which
# has nothing but what it installs itself: whatever a script forgets to install
# is missing there.
#
#   scripts/clean_root.sh [OPTIONS] COMMAND...
#
#   --suite=bookworm  the Debian release: bookworm is 12, trixie 13
#   --cuda            show this machine's CUDA toolkit there, read-only
#   --beside=FOLDER   show FOLDER beside the checkout, read-only, by its own name
#   --name=continuo   the name of the checkout's folder; "my continuo" tries paths
#                     with spaces
#   --user            run the command as an ordinary user who may use sudo
#   --root=FOLDER     make the system in FOLDER and keep it; one that is there
#                     already, with the builds in its checkout, is used again
#
#   scripts/clean_root.sh scripts/quickstart.sh
#   scripts/clean_root.sh --suite=trixie --cuda scripts/test.sh
#   scripts/clean_root.sh --root=/var/tmp/look bash      to look around
#
# Copied is what git tracks, as it is in the working tree. The environment is
# empty but for CI, proxies, certificates and the variables of the scripts
# (TRAIN_SECONDS and so on). Needs root. Exit code: that of the command, or 125
# where there is no such system to run it in.

# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

no_root() {
  echo "$0: $*" >&2
  exit 125
}

suite=bookworm
cuda=false
beside=()
name=continuo
user=root
root=
keep=false
while [ $# -gt 0 ]; do
  case $1 in
    --suite=?*) suite=${1#*=} ;;
    --cuda) cuda=true ;;
    --beside=?*) beside+=("$(realpath -e "${1#*=}")") ;;
    --name=?*) name=${1#*=} ;;
    --user) user=continuo ;;
    --root=?*) root=$(realpath -m "${1#*=}") keep=true ;;
    --help) usage; exit ;;
    -*) set --; break ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { usage >&2; exit 1; }
source=$(cd "$(dirname "$0")/.." && pwd)

[ "$(id -u)" -eq 0 ] || no_root 'making a system needs root'
# All mounts are made in a mount namespace, and all processes run in a process
# namespace, which end with the command however it ends: nothing of either
# stays, and what removes the folder afterwards sees none of the mounts.
namespace=(setpriv --pdeathsig=KILL
  unshare --mount --propagation=private --pid --fork --kill-child=KILL)
"${namespace[@]}" mount -t tmpfs tmpfs /mnt 2>/dev/null ||
  no_root 'mounts are refused here'
command -v debootstrap >/dev/null || {
  apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
    --no-install-recommends debootstrap </dev/null
} >&2 || no_root 'debootstrap is missing and cannot be installed'

child=
cleanup() {
  [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
  wait 2>/dev/null  # says that the child was killed
  # Once more for what processes that were just killed still wrote.
  $keep || rm -rf "${root:?}" 2>/dev/null || { sleep 1; rm -rf "$root"; }
}
if $keep; then
  mkdir -p "$root"
else
  # What predecessors left that were killed: theirs are no longer locked.
  find /var/tmp -maxdepth 1 -name 'clean_root.*' -mmin +60 \
    -exec flock -n {} rm -rf {} \; 2>/dev/null || true
  root=$(mktemp -d /var/tmp/clean_root.XXXXXX)
fi
exec 9<"$root"
flock 9
chmod 755 "$root"
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# A command that can be interrupted, as bash runs traps between commands only.
interruptible() {
  local code=0
  "$@" <&0 &
  child=$!
  wait "$child" || code=$?
  child=
  return "$code"
}

# The registry of this machine's own apt, and how it is reached.
mirror=$({
  grep -rhE '^(deb |URIs:)' /etc/apt/sources.list /etc/apt/sources.list.d ||
    true
} 2>/dev/null | grep -oE '(https?|file):[^ ]*/debian/?( |$)' | head -n 1)
mirror=${mirror:-http://deb.debian.org/debian}
apt_settings=$(apt-config dump 2>/dev/null |
  grep -E '^Acquire::(https?|Check|Retries)[^ ]* "[^"]+"' || true)
proxy=$(sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p' <<<"$apt_settings")
if [ ! -x "$root/bin/bash" ]; then
  log=$root/debootstrap.log
  http_proxy=${http_proxy:-$proxy} interruptible "${namespace[@]}" debootstrap \
    --variant=minbase --include=ca-certificates,sudo \
    "$suite" "$root" "${mirror% }" >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    no_root "no Debian $suite from $mirror"
  }
fi
printf '%s\n' "$apt_settings" >"$root/etc/apt/apt.conf.d/90host"
for path in /etc/pip.conf /etc/ssl/certs /usr/local/share/ca-certificates \
    /etc/resolv.conf /etc/hosts; do
  [ -e "$path" ] || continue
  mkdir -p "$root${path%/*}"
  rm -rf "${root:?}$path"
  cp -RL "$path" "$root$path" 2>/dev/null || true  # dangling links among them
done
kept_variables='^(https?|no|HTTPS?|NO)_(proxy|PROXY)=
^PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|CERT|PROXY)=
^(SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CI)=
^(TRAIN_SECONDS|CONFIG|OUTPUT|SEED|BUILD_DIR|GPUSIM_SEEDS|CONTINUO_CUDA)='
mapfile -t variables < <(env | grep -E "$kept_variables" || true)
home=/root
if [ "$user" != root ]; then
  home=/home/$user
  chroot "$root" id "$user" >/dev/null 2>&1 ||
    chroot "$root" useradd --create-home --shell=/bin/bash "$user"
  printf '%s ALL=(ALL) NOPASSWD: ALL\nDefaults env_keep += "%s"\n' "$user" \
    'http_proxy https_proxy no_proxy' >"$root/etc/sudoers.d/$user"
fi
variables+=(LANG=C.UTF-8 HOME="$home" USER="$user" LOGNAME="$user"
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

checkout=/src/$name
mkdir -p "$root$checkout"
git() { command git -c safe.directory="$source" -C "$source" "$@"; }
git rev-parse --verify -q HEAD >/dev/null || no_root "$source has no git history"
tree=$(git stash create 2>/dev/null || true)
# Files that stay as they are keep their times, so that builds there are
# incremental; those that are no longer there go.
new=$root/src/.new
rm -rf "$new"
mkdir "$new"
git archive "${tree:-HEAD}" | tar xm -C "$new"
(
  cd "$root$checkout"
  ours=(-mindepth 1 \( -path './build*' -o -path ./quickstart \) -prune -o)
  find . "${ours[@]}" ! -type d -exec sh -c 'for file do
    [ -e "$0/$file" ] || rm "$file"
  done' "$new" {} +
  find . "${ours[@]}" -type d -empty \
    -exec rmdir -p --ignore-fail-on-non-empty {} +
  cd "$new"
  find . -type f -exec sh -c 'for file do
    ! cmp -s "$file" "$0/$file" || touch -r "$0/$file" "$file"
  done' "$root$checkout" {} +
  cp -a . "$root$checkout"
)
rm -rf "$new"
chroot "$root" chown -R "$user" "$checkout"

toolkit=
if $cuda; then
  nvcc=$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc || true)
  toolkit=$(realpath -m "$nvcc/../..")
  case $nvcc:$toolkit in
    :*) toolkit= ; echo "$0: there is no CUDA toolkit to show" >&2 ;;
    *:/|*:/usr) toolkit=
      echo "$0: $nvcc is part of this system and cannot be shown" >&2 ;;
  esac
fi
if [ -n "$toolkit" ] && [ "$toolkit" != /usr/local/cuda ]; then
  mkdir -p "$root/usr/local"
  ln -sfn "$toolkit" "$root/usr/local/cuda"
fi

# Inside the namespaces: mounts, then the command, whose orphans this shell, as
# process 1, takes over.
inside() {
  local root=$1 toolkit=$2 checkout=$3 user=$4 count=$5 device major minor
  shift 5
  show() { mkdir -p "$root$2" && mount --bind -o ro "$1" "$root$2"; }
  mount -t proc proc "$root/proc" || return 125
  mount -t sysfs -o ro sysfs "$root/sys" ||
    mount --bind -o ro /sys "$root/sys" || return 125
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp" || return 125
  # Devices of its own, which no test that runs as root can damage.
  mount -t tmpfs -o mode=755 tmpfs "$root/dev" || return 125
  while read -r device major minor; do
    mknod -m 666 "$root/dev/$device" c "$major" "$minor" || {
      touch "$root/dev/$device" &&
        mount --bind "/dev/$device" "$root/dev/$device"
    } || return 125
  done <<<'null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0'
  mkdir -m 1777 "$root/dev/shm"
  mkdir "$root/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" || return 125
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts" ||
    return 125
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"
  [ -z "$toolkit" ] || show "$toolkit" "$toolkit" || return 125
  while [ "$count" -gt 0 ]; do
    show "$1" "/src/$(basename "$1")" || return 125
    shift
    count=$((count - 1))
  done
  local code=0
  # shellcheck disable=SC2016
  chroot --userspec="$user" "$root" /usr/bin/env -i "${variables[@]}" \
    /bin/bash -c 'cd "$0" && exec "$@"' "$checkout" "$@" || code=$?
  return "$code"
}
interruptible "${namespace[@]}" /bin/bash -c \
  "$(declare -p variables); $(declare -f inside); inside \"\$@\"" "$0" \
  "$root" "$toolkit" "$checkout" "$user" ${#beside[@]} "${beside[@]}" "$@"
