# The dashboard as an image: docs/hosting.md says how to build and run it.
#   docker build --tag dielectric .
#   docker run --read-only --tmpfs /tmp --volume dielectric:/data --publish 127.0.0.1:8501:8501 dielectric

ARG BASE=python:3.11-slim-bookworm

# The packages, from the locks by SHA-256, and the 3D viewer: as `make app` sets them up.
FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY Makefile requirements*.txt ./
COPY supply supply
COPY static static
# PyPI's PyTorch for Linux carries CUDA; this may name an index with PyTorch's CPU builds.
ARG PIP_EXTRA_INDEX_URL=
RUN make .venv/app.stamp
RUN .venv/bin/python -m pip install --no-compile --require-hashes --no-deps -r supply/sign-in.lock
# Code that nobody may write to gets its byte code now. Some packages hold templates that are no Python.
RUN .venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash .venv/lib || true

FROM ${BASE}
RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin dielectric \
    && install --directory --owner dielectric --group dielectric /data
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY --from=build /app/static static
COPY models models
COPY data data
COPY benchmarks/results benchmarks/results
COPY .streamlit .streamlit
COPY engine engine
COPY pages pages
COPY app.py LICENSE limits.toml ./
ENV PATH=/app/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/data \
    XDG_CACHE_HOME=/data/cache \
    XDG_DATA_HOME=/data/share \
    XDG_STATE_HOME=/data/state \
    DIELECTRIC_RUNS=/data/runs \
    DIELECTRIC_DATA=/data/fetched \
    DIELECTRIC_LOGS=/data/logs \
    MPLCONFIGDIR=/data/cache/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_WAIT_POLICY=PASSIVE \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501
RUN python -m compileall -q engine pages app.py
VOLUME /data
EXPOSE 8501
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"STREAMLIT_SERVER_PORT\"]}/_stcore/health', timeout=4)"]
CMD ["python", "-m", "streamlit", "run", "app.py"]
