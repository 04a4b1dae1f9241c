#!/usr/bin/env bash
# Builds OpenTofu from its Go module, once per version, and prints the path of
# the program. Everything else it has to say goes to stderr.
set -euo pipefail
cd "$(dirname "$0")"

module=github.com/opentofu/opentofu
version=$(go list -m -f '{{.Version}}' "$module")
dir=${XDG_CACHE_HOME:-$HOME/.cache}/terraform-provider-fleet/tofu-${version#v}
program=$dir/tofu

if [ ! -x "$program" ]; then
  echo "Building OpenTofu $version from its module (a few minutes, once): $program" >&2
  mkdir -p "$dir"
  # Built beside its place and then renamed, so that an interrupted build
  # never leaves half a program where the next run would find it.
  partial=$(mktemp -d "$dir/build.XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  # The name dev=no is how OpenTofu's own release makes `tofu version` say
  # 1.12.6 and not 1.12.6-dev, which provider version constraints would refuse.
  CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X $module/version.dev=no" \
    -o "$partial/tofu" "$module/cmd/tofu" >&2
  mv -f "$partial/tofu" "$program"
  echo "Built OpenTofu $version in ${SECONDS}s" >&2
fi
echo "$program"
