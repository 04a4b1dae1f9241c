# A primary and a standby. The kubeconfig is that of the test fleet: see
# examples/quickstart/README.md.

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

variable "kubeconfig" {
  description = "Path of a kubeconfig with the contexts eu-1, eu-2 and us-1."
  type        = string
}

variable "lost" {
  description = "Clusters that are lost. Name one in a plan to see what would move; name it in an apply, and it does."
  type        = list(string)
  default     = []
}

variable "failback" {
  description = "Whether to return to the primary once it is there again."
  type        = bool
  default     = false
}

resource "fleet_cluster" "this" {
  for_each = {
    eu-1 = "primary"
    eu-2 = "primary"
    us-1 = "standby"
  }

  name   = each.key
  labels = { site = each.value }
}

resource "fleet_placement" "shop" {
  clusters           = fleet_cluster.this
  number_of_clusters = 1

  affinities = [
    { name = "primary", selector = { match_labels = { site = "primary" } } },
    { name = "standby", selector = { match_labels = { site = "standby" } } },
  ]
  lost     = var.lost
  failback = var.failback
}

resource "fleet_manifest" "shop" {
  name      = "failover-shop"
  clusters  = fleet_placement.shop.selected
  manifests = [file("${path.module}/shop.yaml")]
}

output "in_use" {
  description = "Which of the affinities is in use, and the clusters."
  value       = { affinity = fleet_placement.shop.affinity, clusters = keys(fleet_placement.shop.selected) }
}
