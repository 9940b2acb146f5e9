# Bellwether in one image; every role is a command of it: docker run IMAGE work, crawl, notify, serve, db upgrade ...
# Build: docker build -t bellwether .                      (CPU)
#        docker build -t bellwether --build-arg TORCH=auto .   (what uv calls a torch backend: cu128, rocm6.3 ...;
#                                                              TORCH= takes the build of the package index itself)
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG TORCH=cpu
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=/opt/bellwether
RUN pip install --no-cache-dir --disable-pip-version-check uv && uv venv /opt/bellwether
WORKDIR /src
# The lock pins; pyproject.toml says what a server needs of it (no tests, no Java: Kafka is a service of its own).
COPY requirements.lock pyproject.toml ./
RUN uv pip install ${TORCH:+--torch-backend=${TORCH}} --constraint requirements.lock \
    -r pyproject.toml --extra classifier --extra dashboard --extra postgres
COPY README.md ./
COPY monitor ./monitor
COPY streams ./streams
COPY models ./models
COPY dashboard ./dashboard
RUN uv pip install --no-deps --build-constraint requirements.lock .

FROM python:${PYTHON}-slim
# 10001: no user of a host; the tmpfs of docker-compose.yml name the same number.
RUN groupadd --gid 10001 bellwether \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/bellwether --shell /usr/sbin/nologin bellwether \
 && install -d -o bellwether -g bellwether -m 0700 /var/lib/bellwether \
 && install -d -m 0755 /etc/bellwether
COPY --from=build /opt/bellwether /opt/bellwether
ENV PATH=/opt/bellwether/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    BELLWETHER_STATE=/var/lib/bellwether
# bellwether.toml is read from here, where it exists
WORKDIR /etc/bellwether
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["bellwether"]
CMD ["--help"]
