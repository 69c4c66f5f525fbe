#!/usr/bin/env bash
# Renders every kustomization and validates the result strictly against its Kubernetes version. Needs
# kubectl >= 1.27 (or kustomize) and python3 with venv, but no cluster.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "k8s/validate.sh: $*" >&2; exit 1; }

# Older kubectls include a kustomize that does not support `labels`.
kubectl_minor=$(kubectl version --client -o json 2>/dev/null |
  sed -n 's/^ *"minor": "\([0-9]*\).*/\1/p' | head -1) || true
if [ "${kubectl_minor:-0}" -ge 27 ]; then
  render() { kubectl kustomize "$1"; }
elif command -v kustomize >/dev/null; then
  render() { kustomize build "$1"; }
else
  fail "needs kubectl 1.27 or later (found ${kubectl_minor:+1.$kubectl_minor}${kubectl_minor:-none}), or kustomize, to render the manifests"
fi

out=${CARGO_TARGET_DIR:-target}/k8s
mkdir -p "$out"
venv=$out/venv
validator=$venv/bin/kubernetes-validate
# The validator has the schema of 1.36 since this release.
if [ ! -x "$validator" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv" || fail "needs python3 with its venv module (Debian: python3-venv)"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "kubernetes-validate>=1.36" ||
    fail "cannot install kubernetes-validate from PyPI"
fi

# kustomization:version
for entry in k8s/base:1.36; do
  directory=${entry%:*} version=${entry#*:}
  rendered=$out/$(tr / - <<<"$directory").yaml
  render "$directory" >"$rendered" || fail "$directory does not render"
  # The validator takes a file with several documents.
  "$validator" -k "$version" --strict "$rendered" || fail "$directory is not valid for $version"
  echo "$directory: $(grep -c '^kind:' "$rendered") objects, valid for Kubernetes $version"
done
