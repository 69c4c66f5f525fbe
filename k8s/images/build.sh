#!/usr/bin/env bash
# Builds static binaries and both images. BUILDER=docker|podman selects the builder (default: the one that
# is installed). Further arguments are passed to its `build`, e.g. --isolation=chroot for podman without
# privileges.
set -euo pipefail
cd "$(dirname "$0")/../.."

builder=${BUILDER:-$(command -v podman || command -v docker || true)}
if [ -z "$builder" ]; then
  echo "k8s/images/build.sh: podman or docker is required (or set BUILDER)" >&2
  exit 1
fi
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
target=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-target}

# Statically linked glibc. With --target the flag does not apply to build scripts and proc macros.
RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target "$target" \
  -p patient-app -p healing-sidecar -p healing-cli

context=$target_dir/images
mkdir -p "$context"
for binary in patient-app healing-sidecar healing; do
  cp "$target_dir/$target/release/$binary" "$context/"
  if readelf -d "$context/$binary" 2>/dev/null | grep -q NEEDED; then
    echo "k8s/images/build.sh: $binary is not static, so it would not start in an empty image" >&2
    exit 1
  fi
done
for image in patient-app healing-sidecar; do
  "$builder" build "$@" -t "localhost/$image:$version" -f "k8s/images/$image.Containerfile" "$context"
done
