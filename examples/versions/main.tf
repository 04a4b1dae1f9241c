# A fleet of two Kubernetes minors, of which only the newer serves one of the set's APIs.
terraform {
  required_providers {
    fleet = {
      source = "fleetform/fleet"
    }
  }
}

variable "kubeconfig" {
  type = string
}

provider "fleet" {
  kubeconfig_paths = [var.kubeconfig]
}

resource "fleet_cluster" "this" {
  for_each = toset(["eu-1", "eu-2", "us-1"])
  name     = each.key
}

resource "fleet_manifest" "defaults" {
  name     = "versions-defaults"
  clusters = fleet_cluster.this
  manifests = [
    file("${path.module}/settings.yaml"),
    file("${path.module}/mutating.yaml"),
  ]

  # Where MutatingAdmissionPolicy is not served, the cluster does without it until it is upgraded. For everything
  # else, an API that is not served stays an error.
  rules = [{
    target   = { kind = "MutatingAdmissionPolicy" }
    unserved = "skip"
    }, {
    target   = { kind = "MutatingAdmissionPolicyBinding" }
    unserved = "skip"
  }]
}

# What is left out where.
output "left_out" {
  value = { for name, status in fleet_manifest.defaults.status : name => status.message if status.message != null }
}

# Whether all clusters have the same settings, whoever wrote them.
data "fleet_compare" "settings" {
  clusters = fleet_cluster.this
  objects  = ["ConfigMap default/versions-settings"]

  depends_on = [fleet_manifest.defaults]
}

output "differences" {
  value = data.fleet_compare.settings.report
}
