#!/usr/bin/env bash
# Tells the provider's story on three real clusters of this machine: apply,
# drift, the plan that names it, correction, removal. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

chapter() {
  printf '\n\n%s\n%s\n' "$1" "${1//?/-}"
}

say() {
  printf '\n'
  printf '%s\n' "$@"
}

# show runs a command the way a reader would type it, its output below it.
show() {
  printf '\n  $ %s\n' "$*"
  "$@" 2>&1 | sed 's/^/    /'
}

# elide leaves out what is between a line with one text and a line with another,
# and says how much it was.
elide() {
  awk -v from="$1" -v to="$2" '
    function mark() { if (left) print "    [... " left " lines left out here]"; left = 0 }
    index($0, from) { hiding = 1 }
    index($0, to) { hiding = 0 }
    hiding { left++; next }
    { mark(); print; fflush() }
    END { mark() }'
}

work=$(mktemp -d "${TMPDIR:-/tmp}/fleet-demo.XXXXXX")
controlplane=$root/build/controlplane
cleanup() {
  status=$?
  if [ -d "$work/fleet" ]; then
    "$controlplane" down --dir "$work/fleet" 2>&1 | sed 's/^/    /'
  fi
  rm -rf "$work"
  if [ "$status" -ne 0 ]; then
    say "The demo did not reach its end; everything it started is stopped."
  fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

chapter "1. What it takes"

say "The programs of a Kubernetes control plane, built from their Go modules (minutes, the first time only):"
show go build -C tools/controlplane -o "$root/build/" .
show build/controlplane build

say "The provider, installed where Terraform looks for it:"
# A local mirror and not dev_overrides, which would have every plan below begin
# with a warning about itself. One entry per registry, as OpenTofu has its own.
version=0.0.1
for registry in registry.terraform.io registry.opentofu.org; do
  mirror=$work/mirror/$registry/fleetform/fleet/$version/$(go env GOOS)_$(go env GOARCH)
  mkdir -p "$mirror"
  go build -ldflags "-X main.version=$version" -o "$mirror/terraform-provider-fleet_v$version$(go env GOEXE)" .
done
cat >"$work/cli.tfrc" <<EOF
provider_installation {
  filesystem_mirror { path = "$work/mirror" }
}
EOF
export TF_CLI_CONFIG_FILE=$work/cli.tfrc TF_CLI_ARGS=-no-color TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1

if program=$(command -v terraform); then
  terraform=terraform
else
  say "There is no Terraform on PATH, so this is told with OpenTofu, built from its module:"
  program=$(tools/opentofu/build.sh)
  terraform=tofu
fi
mkdir "$work/bin"
ln -s "$program" "$work/bin/$terraform"
export PATH=$work/bin:$PATH
show "$terraform" version

chapter "2. Three real clusters"
mkdir "$work/fleet"
show build/controlplane up --dir "$work/fleet" | elide "Try next" "never said"
ln -s "$(sed -n 's/^ *"kubectl": *"\(.*\)".*/\1/p' "$work/fleet/fleet.json")" "$work/bin/kubectl"
export KUBECONFIG=$work/fleet/kubeconfig TF_VAR_kubeconfig=$work/fleet/kubeconfig

chapter "3. One apply, three clusters"
cp -R examples/quickstart "$work/quickstart"
cd "$work/quickstart"
say "examples/quickstart is a small shop: a namespace with its content, and a custom" \
  "resource together with its definition. From nothing, in one apply:"
show "$terraform" init | elide "has created a lock file" "successfully initialized"
show "$terraform" apply -auto-approve | elide "will perform the following actions" "Plan:"
say "It is really there:"
show kubectl --context us-1 --namespace shop get deployments,services,promotions

chapter "4. Somebody scales by hand"
show kubectl --context eu-2 --namespace shop scale deployment web --replicas=7

chapter "5. The plan names the cluster, the object and the field"
status=0
show "$terraform" plan -out=correct.tfplan -detailed-exitcode || status=$?
if [ "$status" -ne 2 ]; then
  say "This plan should have shown the change by hand."
  exit 1
fi

chapter "6. The apply corrects exactly that"
show "$terraform" apply correct.tfplan
show kubectl --context eu-2 --namespace shop get deployment web
say "And a second plan has nothing to say:"
show "$terraform" plan -detailed-exitcode

chapter "7. Everything goes again"
show "$terraform" destroy -auto-approve | elide "will perform the following actions" "Plan:"
show kubectl --context eu-2 get namespaces
cd "$root"
show build/controlplane down --dir "$work/fleet"
rm -rf "$work/fleet"

say "That was it: nothing is left running. The configuration is in examples/quickstart, and CONTRIBUTING.md" \
  "tells how to bring the same fleet up and try things by hand."
