# Whose is what: a set whose objects others have a hand in.
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

  # The clusters record whose sets they are.
  owner = "ownership-example"
}

resource "fleet_cluster" "this" {
  for_each = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }
  name     = each.key
  labels   = { region = each.value }
}

resource "fleet_manifest" "shop" {
  name      = "ownership-shop"
  clusters  = fleet_cluster.this
  namespace = "ownership-shop"
  manifests = [file("${path.module}/shop.yaml")]

  # What was there before becomes ours, and stays when we go.
  existing   = "adopt"
  on_adopted = "release"

  # An autoscaler decides about replicas, everywhere.
  ignore_fields = [{
    target = { kind = "Deployment" }
    paths  = ["spec.replicas"]
  }]

  rules = [
    # In the US another team patches the banner; we only want to know.
    {
      target   = { kind = "ConfigMap", name = "banner" }
      clusters = { match_labels = { region = "us" } }
      drift    = "report"
    },
    # A sidecar injector applies its own resources.
    {
      target    = { kind = "Deployment" }
      paths     = ["spec.template.spec.containers[name=side*]"]
      conflicts = "yield"
    },
    # A migration is run once per version, and gone after a while.
    {
      target            = { kind = "Job" }
      missing           = "ignore"
      replace_immutable = true
    },
  ]

  # More than this in one plan is a mistake.
  limits = { deletions = 20 }

  # The Job never ends on nodes that are only simulated.
  wait = { until = "none" }
}

# What policy as code can judge before anything is touched.
output "blast_radius" {
  value = fleet_manifest.shop.plan_summary
}
