# The host side (command line and screen) as a container that drives the daemon whose socket is
# mounted into it. `repliquant images host` builds it; README says what mounting a socket means.
ARG BASE=python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84

# The packages come from wheels/, as in the images of the cells.
FROM ${BASE} AS packages
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY requirements.txt wheel[s]/* ca-bundle.pe[m] /packages/
RUN set -eu; cd /packages; \
    python3 -m venv /opt/venv; \
    if ls ./*.whl >/dev/null 2>&1; then offline="--no-index --find-links ."; else offline=""; fi; \
    if [ -f ca-bundle.pem ]; then export PIP_CERT=/packages/ca-bundle.pem; fi; \
    if [ -f hashed.txt ]; then lock=hashed.txt; else lock=requirements.txt; fi; \
    /opt/venv/bin/pip install --no-cache-dir --no-deps $offline --require-hashes -r $lock; \
    if [ -f unhashed.txt ]; then /opt/venv/bin/pip install --no-cache-dir --no-deps $offline -r unhashed.txt; fi
COPY . /opt/repliquant
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e /opt/repliquant \
    && rm -rf /opt/repliquant/wheels && chmod -R a+rX /opt/repliquant

FROM ${BASE}
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /opt/repliquant /opt/repliquant
ARG COMMIT=""
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/tmp REPLIQUANT_RUNS=/srv/runs REPLIQUANT_CACHE=/srv/cache REPLIQUANT_COMMIT=${COMMIT}
RUN mkdir -p /srv/runs /srv/cache && chmod 1777 /srv/runs /srv/cache
USER 65532:65532
WORKDIR /srv
ENTRYPOINT ["repliquant"]
