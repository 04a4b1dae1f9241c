# A small shop on three clusters. To try it by hand, bring a test fleet up and
# let Terraform find the provider you built: see README.md.

terraform {
  required_providers {
    fleet = {
      source = "fleetform/fleet"
    }
  }
}

provider "fleet" {
  kubeconfig_paths = [var.kubeconfig]
}

# The fleet: each name is a context of the kubeconfig.
resource "fleet_cluster" "this" {
  for_each = {
    eu-1 = "eu"
    eu-2 = "eu"
    us-1 = "us"
  }

  name   = each.key
  labels = { region = each.value }
}

# Where the shop runs.
resource "fleet_placement" "shop" {
  clusters = fleet_cluster.this

  selector = {
    match_expressions = [{
      key      = "region"
      operator = "In"
      values   = var.regions
    }]
  }
}

# What runs there: a custom resource together with its definition, and a
# namespace together with its content. The order of the files does not matter.
resource "fleet_manifest" "shop" {
  name      = "shop"
  clusters  = fleet_placement.shop.selected
  manifests = [for name in sort(fileset("${path.module}/manifests", "*.yaml")) : file("${path.module}/manifests/${name}")]
}
