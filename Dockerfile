# syntax=docker/dockerfile:1
# The bundled program on a base that has Node and no shell, no package manager, no root.
#
#   docker build -t ferry --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) .
#   docker run --read-only --cap-drop ALL -v data:/data -v state:/var/lib/ferry ferry files --source /data --to s3://bucket/prefix

FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# No package here needs an install script.
RUN ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
COPY tsconfig.json ./
COPY app ./app
RUN ["node", "app/bundle.ts"]
# An empty directory that the last stage's user owns: a fresh named volume takes its owner from here.
RUN ["mkdir", "-p", "/empty/ferry"]

FROM gcr.io/distroless/nodejs24-debian13:nonroot
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ferry" \
      org.opencontainers.image.description="Moves files into S3, proves they arrived, and only then frees the disk." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/nodejs24-debian13:nonroot"
COPY --from=build /src/build /app
COPY --from=build --chown=65532:65532 /empty/ferry /var/lib/ferry
# The base's `nonroot`. As a number, so that Kubernetes can hold it against `runAsNonRoot`.
USER 65532:65532
# HOME: a user id without a passwd entry has none, and the AWS SDK looks for ~/.aws.
ENV NODE_ENV=production \
    HOME=/home/nonroot \
    MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=65536 \
    FERRY_LISTEN=0.0.0.0:9464 \
    FERRY_STATE=/var/lib/ferry
EXPOSE 9464
STOPSIGNAL SIGTERM
# Node itself is process 1: it gets the signals, and `ferry files` handles them.
# The flags and malloc's settings keep memory small: a burst of 50,000 files peaks at 98 MB resident with them, at 199
# to 252 without. A small heap (garbage does not pile up); one helper thread and one malloc arena (each thread keeps its
# own); young garbage collected without the helper (to wake it for a third of a millisecond costs 3 % of the CPU);
# functions compiled where they run (what waits to be compiled elsewhere takes 10 MB; the loop stands still for it, 16
# ms at the longest seen), and less of others copied into one (the compiler holds 1 MB less); WebAssembly, which reads
# HTTP's answers, as it is first compiled (to compile it anew takes 16 MB for a moment, and costs what it saves); local
# time by the C library (each date, UTC or not, otherwise loads the names of time zones: 0.7 MB); and a threshold that
# stays (malloc raises it after the first large block, and keeps what large blocks leave behind: 7 MB). Not used:
# --no-maglev, 3 MB less, but 10,000 files cost a fifth more.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=1", "--max-old-space-size=64", "--v8-pool-size=1", "--no-parallel-scavenge", "--no-concurrent-recompilation", "--liftoff-only", "--no-icu-timezone-data", "--max-inlined-bytecode-size-cumulative=300", "/app/ferry.mjs"]
CMD ["files"]
