# The static binary alone, for CI and for Argo CD's plugin sidecar. README.md, Install, builds the binary.
FROM scratch
COPY target/x86_64-unknown-linux-gnu/release/ma-register /ma-register
ENTRYPOINT ["/ma-register"]
