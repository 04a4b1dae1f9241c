#!/usr/bin/env bash
# Runs the tests on a real fleet, which it brings up and takes down.
#
#   tools/test.sh                            everything
#   tools/test.sh --acceptance TestAcc ./... acceptance tests by name and package
#
# FLEET_TEST_DIR   use the fleet that is up in this directory, and leave it up
# FLEET_TERRAFORM  the Terraform to test with; default: the one on PATH, else OpenTofu
# FLEET_TOFU       the OpenTofu to test with; default: built from its module
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
. tools/step.sh

only=()
packages=./...
if [ "${1:-}" = --acceptance ]; then
  only=(-run "$2")
  packages=$3
fi

# gotestsum prints each test as it ends, and every failure again at the end;
# subtests that passed in no time are left out. One package at a time, because
# all of them work on the same fleet.
gotest() {
  "$root/build/gotestsum" --format testname --format-hide-empty-pkg \
    -- -p 1 -count=1 -timeout 60m "$@" 3>&- |
    grep --line-buffered -Ev '^PASS [^ ]*\.[A-Z][^/]*/.* \(0\.0.s\)$' 3>&-
}

step "Building the test fleet's programs, unless they are built already"
go build -C tools/controlplane -o "$root/build/" .
controlplane=$root/build/controlplane
"$controlplane" build

step "Finding Terraform and OpenTofu"
FLEET_TOFU=${FLEET_TOFU:-$(tools/opentofu/build.sh)}
FLEET_TERRAFORM=${FLEET_TERRAFORM:-$(command -v terraform || echo "$FLEET_TOFU")}
export FLEET_TOFU FLEET_TERRAFORM
echo "Terraform: $FLEET_TERRAFORM"
echo "OpenTofu:  $FLEET_TOFU"

# With every package at once, which the tests themselves do not get.
step "Compiling the provider and its tests"
# Not by go tool, which ends with 0 where the tool is killed.
go build -C tools -o "$root/build/" gotest.tools/gotestsum
go vet ./...

if [ -z "${FLEET_TEST_DIR:-}" ]; then
  step "Bringing up the test fleet"
  work=$(mktemp -d "${TMPDIR:-/tmp}/fleet-test.XXXXXX")
  mkfifo "$work/hold" "$work/ready"
  # The fleet lives for as long as this script holds file 3 open, so it goes
  # even when the script is killed and can clean up nothing itself.
  "$controlplane" up --attach --dir "$work/fleet" <"$work/hold" >"$work/ready" &
  exec 3>"$work/hold"
  down() {
    step "Taking down the test fleet"
    exec 3>&-
    wait
    rm -rf "$work"
  }
  trap down EXIT
  trap 'exit 130' INT TERM HUP
  read -r _ <"$work/ready"
  FLEET_TEST_DIR=$work/fleet
fi
export FLEET_TEST_DIR

step "Testing the provider"
TF_ACC=1 gotest "${only[@]+"${only[@]}"}" "$packages"

if [ ${#only[@]} -eq 0 ]; then
  step "Testing the test fleet's own tool"
  (cd tools/controlplane && TF_ACC=1 gotest ./...)

  step "Comparing the simulated fleet with the real one"
  (cd tools/fleetsim && TF_ACC=1 gotest ./...)

  step "Testing the benchmark's own tool"
  (cd tools/bench && gotest ./...)
fi

step "Tests passed"
