# The base of aurist in a container: `docker build -t aurist .`, then
# `docker run --rm -v "$PWD:/data" aurist predict run new_recordings -o labels.csv`

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src ./src
# a virtual environment is one folder for the second stage; pip stays behind
RUN python -m venv /opt/aurist \
    && /opt/aurist/bin/python -m pip install --no-cache-dir --constraint constraints.txt . \
    && /opt/aurist/bin/python -m pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
COPY --from=build /opt/aurist /opt/aurist
RUN useradd --create-home --uid 1000 aurist && install --directory --owner aurist /data
# features and compiled code are kept here; mount a volume to keep them between containers
ENV PATH=/opt/aurist/bin:$PATH \
    AURIST_CACHE_DIR=/home/aurist/.cache/aurist \
    NUMBA_CACHE_DIR=/home/aurist/.cache/numba
USER 1000
WORKDIR /data
ENTRYPOINT ["aurist"]
CMD ["--help"]
