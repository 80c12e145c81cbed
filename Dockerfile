# syntax=docker/dockerfile:1

FROM python:3.13-slim AS build
WORKDIR /src
# Wheels exist for all we need, so there is nothing to compile; pip stays behind in this stage.
RUN python -m venv --without-pip /venv
COPY .ci/requirements-server.lock ./
RUN pip --python /venv/bin/python install --no-cache-dir --require-hashes \
    --requirement requirements-server.lock
COPY pyproject.toml README.md LICENSE ./
COPY protocol protocol
COPY server server
RUN pip --python /venv/bin/python install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin fair-bingo
COPY --from=build /venv /venv
USER 10001
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT=8000
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health/live\", timeout=2)"]
ENTRYPOINT ["fair-bingo"]
CMD ["serve"]
