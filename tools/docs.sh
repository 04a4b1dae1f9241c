#!/usr/bin/env bash
# Generates docs/ from the provider's schema, templates/ and examples/.
#
# The schema and the format of the examples come from the OpenTofu of
# tools/opentofu, never from a Terraform on PATH, so that the pages are the
# same on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
. tools/step.sh

tofu=$(tools/opentofu/build.sh)
work=$(mktemp -d "${TMPDIR:-/tmp}/fleet-docs.XXXXXX")
trap 'rm -rf "$work"' EXIT

step "Formatting the examples"
"$tofu" fmt -recursive examples

step "Asking the provider for its schema"
go build -o "$work/" .
# tfplugindocs looks a provider up under its bare name, or as one of
# HashiCorp's, so here the provider plays that part.
address=registry.terraform.io/hashicorp/fleet
cat >"$work/cli.tfrc" <<EOF
provider_installation {
  dev_overrides { "$address" = "$work" }
}
EOF
cat >"$work/main.tf" <<EOF
terraform {
  required_providers {
    fleet = { source = "$address" }
  }
}
EOF
TF_CLI_CONFIG_FILE=$work/cli.tfrc "$tofu" -chdir="$work" providers schema -json >"$work/schema.json"

step "Writing docs/"
# Not by go tool, which ends with 0 where the tool is killed.
go build -C tools -o "$root/build/" github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs
"$root/build/tfplugindocs" generate \
  --provider-name fleet --providers-schema "$work/schema.json"
