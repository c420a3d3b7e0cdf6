#!/usr/bin/env bash
# A container engine for the compose tests on a machine where none is running.
#
#   deploy/engine.sh start   use the engine that answers; else start one (root only; Debian's docker.io is installed if missing)
#   deploy/engine.sh env     print the exports that reach it: eval "$(deploy/engine.sh env)"; exit 1 and the mend if none answers
#   deploy/engine.sh stop    stop the engine this script started, and only that one
#
# The engine of this script lives in one directory: JOURNEYMAN_ENGINE_DIR (images, containers, socket, log, client plugins).
# Remove the directory after `stop` and nothing is left of it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${JOURNEYMAN_ENGINE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/journeyman-engine}

say() { printf 'engine: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# A usable client builds with BuildKit (a plugin since version 23, built in before) and has compose.
builds() {
  local major
  "$1" buildx version >/dev/null 2>&1 && return
  major=$("$1" --version | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p')
  [ -n "$major" ] && [ "$major" -lt 23 ]
}

system_engine_answers() {
  command -v docker >/dev/null && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 && builds docker
}

own_exports() {
  # shellcheck disable=SC2016  # PATH is the caller's
  printf 'export DOCKER_HOST=%q DOCKER_CONFIG=%q PATH=%q:"$PATH"\n' "unix://$dir/docker.sock" "$dir/client" "$dir/bin"
}

own_engine_answers() {
  [ -S "$dir/docker.sock" ] && (eval "$(own_exports)" && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1)
}

install_engine() {
  local package wanted=()
  command -v apt-get >/dev/null || die "no container engine, and no apt-get to install one: install Docker Engine with its compose plugin"
  apt-get update -qq
  # From Debian 13 on, the client and BuildKit are packages of their own.
  for package in docker.io docker-cli docker-buildx; do
    if apt-cache show "$package" >/dev/null 2>&1; then wanted+=("$package"); fi
  done
  say "installing ${wanted[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

# Any directory of PATH may hold a client that cannot build; take the first that can.
link_client() {
  local client
  mkdir -p "$dir/bin" "$dir/client/cli-plugins"
  [ -x "$dir/bin/docker" ] && return
  while read -r client; do
    if builds "$client"; then
      ln -sf "$client" "$dir/bin/docker"
      return
    fi
  done < <(type -ap docker)
  die "no docker client here builds with BuildKit: install docker-buildx"
}

install_compose() {
  [ -x "$dir/client/cli-plugins/docker-compose" ] && return
  say "fetching docker compose"
  "$("$here/../scripts/get-uv")" pip install --quiet --python python3 --target "$dir/python" --require-hashes -r "$here/engine.lock"
  ln -sf "$dir/python/bin/docker-compose" "$dir/client/cli-plugins/docker-compose"
}

start() {
  if system_engine_answers; then
    say "using the engine that answers at ${DOCKER_HOST:-its usual address}"
    return
  fi
  mkdir -p "$dir"
  exec 9>"$dir/lock"
  flock 9
  own_engine_answers && return
  [ "$(id -u)" = 0 ] || die "no container engine answers, and only root can start one: start Docker, or run this as root"
  command -v dockerd >/dev/null || install_engine
  link_client
  install_compose
  if [ ! -S "$dir/docker.sock" ] || ! "$dir/bin/docker" -H "unix://$dir/docker.sock" info >/dev/null 2>&1; then
    # The lock's descriptor is closed for the daemon, which would otherwise hold it for ever.
    setsid dockerd --data-root "$dir/data" --exec-root "$dir/exec" --host "unix://$dir/docker.sock" --pidfile "$dir/docker.pid" \
      >"$dir/docker.log" 2>&1 </dev/null 9>&- &
    for _ in $(seq 480); do
      own_engine_answers && break
      sleep 0.25
    done
  fi
  own_engine_answers || { tail -n 20 "$dir/docker.log" >&2; die "the engine did not come up: its log is $dir/docker.log"; }
  say "started, data in $dir"
}

environment() {
  # The engine that this script started comes first.
  if own_engine_answers; then
    own_exports
  elif ! system_engine_answers; then
    die "no container engine with BuildKit and compose answers: start one with deploy/engine.sh start"
  fi
}

stop() {
  local pid
  [ -s "$dir/docker.pid" ] || { say "nothing to stop"; return; }
  pid=$(cat "$dir/docker.pid")
  # A pid file may outlive its process; never signal a stranger that got the number.
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
    kill "$pid"
    # One that has ended stays as a zombie where nobody waits for orphans.
    while grep -q '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" 2>/dev/null; do sleep 0.2; done
    # After a container with this machine's network the engine leaves a mount, and the directory could not be removed.
    awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount
    say "stopped"
  fi
}

case "${1:-}" in
  start) start ;;
  env) environment ;;
  stop) stop ;;
  *) echo "usage: deploy/engine.sh start|env|stop" >&2; exit 2 ;;
esac
