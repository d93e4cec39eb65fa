# syntax=docker/dockerfile:1
# One image for web and worker. Build: docker build -t spondy .

FROM node:24-slim AS viewer
WORKDIR /src/viewer
COPY viewer/package.json viewer/package-lock.json viewer/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY viewer/ ./
RUN mkdir -p ../static && npm run build

FROM python:3.11-slim AS packages
# Compiled here: the running user may not write beside the modules, and would compile them at every start.
ENV UV_COMPILE_BYTECODE=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
WORKDIR /app
COPY run requirements.lock ./
COPY deploy/launcher/ deploy/launcher/
RUN ./run setup --no-viewer

FROM python:3.11-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 SPONDY_DATA_DIR=/data SPONDY_BIND=0.0.0.0:8000
RUN useradd --system --uid 10001 --home-dir /nonexistent --no-create-home spondy \
    && install --directory --owner=spondy --group=spondy --mode=0700 /data
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY run manage.py requirements.lock CHANGELOG.md LICENSE ./
COPY deploy/launcher/ deploy/launcher/
COPY spondy/ spondy/
COPY annotation/ annotation/
COPY analytics/ analytics/
COPY templates/ templates/
COPY static/ static/
COPY --from=viewer /src/static/viewer static/viewer
RUN .venv/bin/python -m compileall -q spondy annotation analytics
USER spondy
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["./run"]
CMD ["serve"]
