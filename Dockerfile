# syntax=docker/dockerfile:1
# One image for every process; the command says which: docker run … smartmarket worker

FROM python:3.12-slim AS builder
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore UV_LINK_MODE=copy
COPY pyproject.toml requirements.lock ./
# The lock also holds tools of developers. uv, itself from the lock, installs only what runs, with its hashes.
RUN awk '/^[a-z]/ { keep = /^(setuptools|uv)==/ } keep' requirements.lock > tools.lock \
    && pip install --no-cache-dir --require-hashes -r tools.lock \
    && python -m venv --without-pip /opt/smartmarket \
    && uv pip install --no-cache --python /opt/smartmarket/bin/python --require-hashes \
        --constraint requirements.lock --extra object-store --extra sentry --requirement pyproject.toml
COPY LICENSE ./
COPY smartmarket smartmarket
COPY shared shared
COPY projections projections
COPY read_side read_side
COPY write_side write_side
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
    && uv pip install --no-cache --python /opt/smartmarket/bin/python --no-index --no-deps --compile-bytecode dist/*.whl

FROM python:3.12-slim
LABEL org.opencontainers.image.title="SmartMarket" org.opencontainers.image.licenses="MIT"
# Files that must outlive a container (the ledger of erasures, copies of the keys) are below /var/lib/smartmarket.
RUN groupadd --gid 10001 smartmarket \
    && useradd --uid 10001 --gid smartmarket --home-dir /var/lib/smartmarket --create-home --shell /usr/sbin/nologin smartmarket
COPY --from=builder /opt/smartmarket /opt/smartmarket
ENV PATH=/opt/smartmarket/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SMARTMARKET_ENV=production \
    SMARTMARKET_DATA_DIR=/var/lib/smartmarket \
    PORT=8000
USER 10001:10001
WORKDIR /var/lib/smartmarket
VOLUME /var/lib/smartmarket
EXPOSE 8000
STOPSIGNAL SIGTERM
# For the API; the other processes answer no port and switch this off (see compose.yaml).
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=2)"]
ENTRYPOINT ["smartmarket"]
CMD ["api", "--host", "0.0.0.0"]
