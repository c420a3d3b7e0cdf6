# One image for all services; the command says which: `journeyman service brain|planner|executor|gateway|projector`.
# Behind a private package index or certificate authority build it with deploy/build.sh, which offers the secrets named here.
FROM ghcr.io/astral-sh/uv:0.13.9 AS uv

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1


FROM base AS build
COPY --from=uv /uv /usr/local/bin/uv
# NODE_EXTRA_CA_CERTS and UV_SYSTEM_CERTS: both package managers trust what the ca-bundle secret (or the base image) trusts.
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PYTHON=python3 UV_SYSTEM_CERTS=1 \
    UV_CACHE_DIR=/var/cache/uv NPM_CONFIG_CACHE=/var/cache/npm NPM_CONFIG_USERCONFIG=/etc/npm/npmrc \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
ARG UV_DEFAULT_INDEX


# The dashboard. Vite writes it to services/gateway/static beside web/.
FROM build AS web
WORKDIR /src
COPY deploy/node.lock ./
RUN --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=uv-config,target=/etc/uv/uv.toml \
    --mount=type=cache,target=/var/cache/uv \
    uv venv /opt/node && uv pip install --python /opt/node --require-hashes -r node.lock
ENV PATH=/opt/node/bin:$PATH
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=npm-config,target=/etc/npm/npmrc \
    --mount=type=cache,target=/var/cache/npm \
    npm ci --no-audit --no-fund
COPY web ./
RUN npm run build


# The dependencies: by far the largest layer (the Claude Code CLI is in it), rebuilt only when the lock changes.
FROM build AS dependencies
WORKDIR /app
COPY requirements.lock ./
RUN --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=uv-config,target=/etc/uv/uv.toml \
    --mount=type=cache,target=/var/cache/uv \
    uv venv && uv pip install --require-hashes -r requirements.lock


FROM base AS journeyman
# git for the agents' worktrees; tini reaps what they leave behind; the rest is what set-ups and checks commonly call. A
# toolchain is added on top: deploy/Dockerfile.toolchain. Their versions are those of the base image's release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl git make openssh-client patch procps tini unzip xz-utils \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data --shell /bin/bash journeyman \
    && install -d -o journeyman -g journeyman /data /repos
WORKDIR /app
COPY --from=dependencies /app/.venv .venv
COPY --from=web /src/services/gateway/static services/gateway/static
COPY pyproject.toml README.md ./
COPY agents agents
COPY shared shared
COPY cli cli
COPY services services
# Editable, so that agents/ stays beside the code; uv builds it without fetching anything.
RUN --mount=type=bind,from=uv,source=/uv,target=/usr/local/bin/uv \
    uv pip install --offline --no-cache --no-deps --editable . && .venv/bin/python -m compileall -q shared cli services

ENV PATH=/app/.venv/bin:$PATH \
    JOURNEYMAN_DATA_DIR=/data \
    JOURNEYMAN_HTTP_HOST=0.0.0.0 \
    JOURNEYMAN_HTTP_OPEN=1 \
    JOURNEYMAN_HEALTH_HOST=0.0.0.0 \
    JOURNEYMAN_HEALTH_PORT=9100 \
    JOURNEYMAN_LOG_FORMAT=json
USER 10001:10001
EXPOSE 8080 9100
ENTRYPOINT ["tini", "--", "journeyman"]
CMD ["--help"]
