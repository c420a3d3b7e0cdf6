#!/usr/bin/env bash
# Builds the image with this machine's own package settings: deploy/build.sh [TAG] (default journeyman:local).
#
# `docker compose build` does the same where packages come straight from the public registries. Behind a private
# certificate authority or package index, the files that say so are handed to the build as secrets: they are seen by the
# steps that install packages, and are in no layer of the image.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
eval "$("$here/engine.sh" env)"
secrets=()
offer() { if [ -s "$2" ]; then secrets+=(--secret "id=$1,src=$2"); fi; }

offer ca-bundle "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}"
offer uv-config "${UV_CONFIG_FILE:-${XDG_CONFIG_HOME:-$HOME/.config}/uv/uv.toml}"
offer npm-config "${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}"

DOCKER_BUILDKIT=1 docker build --network host --tag "${1:-journeyman:local}" \
  --build-arg UV_DEFAULT_INDEX ${secrets[@]+"${secrets[@]}"} "$(dirname "$here")"
