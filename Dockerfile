# The same files as `npm run image` puts together, for who has Docker: docker build -t daybook .
FROM node:24.22.1-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN apt-get update -q && npm ci --no-audit --no-fund && npm run image -- --files /image

FROM scratch
COPY --from=build /image/ /
USER 65532:65532
WORKDIR /app
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache NODE_COMPILE_CACHE_PORTABLE=1
ENTRYPOINT ["/usr/local/bin/node"]
