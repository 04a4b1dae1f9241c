# Three clusters in two regions, and different ways to choose among them. The
# kubeconfig is that of the test fleet: see examples/quickstart/README.md.

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

resource "fleet_cluster" "this" {
  for_each = {
    eu-1 = { region = "eu", cost = "3" }
    eu-2 = { region = "eu", cost = "1" }
    us-1 = { region = "us", cost = "2" }
  }

  name       = each.key
  labels     = { region = each.value.region }
  properties = { cost = each.value.cost }

  discover = ["apis", "capacity"]
}

# Two clusters, in two regions, where Deployments can run, the cheap ones first.
resource "fleet_placement" "web" {
  clusters      = fleet_cluster.this
  required_apis = ["apps/v1/Deployment"]

  number_of_clusters = 2
  spread = [
    { topology_key = "region", min_groups = 2 },
  ]
  prioritizers = [
    { type = "Property", property = "cost", weight = -1 },
  ]

  # Which of them is the canary: each cluster in selected has its group, by which
  # a wave of a fleet_manifest takes it.
  groups = [
    { name = "canary", size = "1" },
    { name = "stable" },
  ]
}

# As few as can be where the first is: what one has chosen weighs on the other.
resource "fleet_placement" "batch" {
  clusters           = fleet_cluster.this
  number_of_clusters = 1
  balance_over       = [fleet_placement.web.selected]

  # Nothing else matters as much.
  prioritizers = [
    { type = "Balance", weight = 10 },
  ]
}

# Everywhere, with twice as many replicas in Europe.
resource "fleet_placement" "edge" {
  clusters = fleet_cluster.this

  weights = {
    by           = "static"
    min_replicas = 1
    static = [
      { selector = { match_labels = { region = "eu" } }, weight = 2 },
      { weight = 1 },
    ]
  }
}

# Ten replicas in all, divided by these weights.
resource "fleet_manifest" "edge" {
  name               = "placement-edge"
  clusters           = fleet_placement.edge.selected
  replica_scheduling = "divided"

  manifests = [yamlencode({
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "placement-edge", namespace = "default" }
    spec = {
      replicas = 10
      selector = { matchLabels = { app = "placement-edge" } }
      template = {
        metadata = { labels = { app = "placement-edge" } }
        spec     = { containers = [{ name = "edge", image = "nginx:1.27" }] }
      }
    }
  })]
}

output "web" {
  description = "Where it runs, why not elsewhere, and what the last change was."
  value = {
    selected = { for name, cluster in fleet_placement.web.selected : name => cluster.group }
    rejected = fleet_placement.web.rejected
    scores   = { for name, score in fleet_placement.web.scores : name => jsondecode(score) }
    changes  = fleet_placement.web.changes
  }
}
