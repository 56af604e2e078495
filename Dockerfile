# A gateway as a container: `docker build -t sip-gateway .`; settings by GATEWAY_… or a mounted /etc/gateway/gateway.toml.
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY schemas schemas
COPY fixtures/scenarios fixtures/scenarios
COPY fixtures/directory.toml fixtures/directory.toml
RUN python -m venv /opt/gateway && /opt/gateway/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.12-slim
LABEL org.opencontainers.image.title="SIP Gateway" org.opencontainers.image.licenses="EUPL-1.2"
RUN useradd --system --uid 10001 --home-dir /var/lib/gateway --create-home gateway
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH PYTHONUNBUFFERED=1
USER gateway
WORKDIR /var/lib/gateway
# The first signal lets the gateway finish what it has in hand: give it `drain_seconds` and a little more.
STOPSIGNAL SIGTERM
# What the gateway needs answers, and is as it should be; a process that has ended is seen by the engine itself.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s \
    CMD gateway db migrate --dry-run && gateway exchange check
ENTRYPOINT ["gateway"]
CMD ["run"]
