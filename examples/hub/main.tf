terraform {
  required_providers {
    fleet = {
      source = "registry.terraform.io/fleetform/fleet"
    }
  }
}

# The hub is a context of the kubeconfig, named "hub".
provider "fleet" {
  owner = "stores"
}

# All stores that the hub knows. Their agents pull; nobody has to reach them.
data "fleet_clusters" "stores" {
  hub         = { connection = "hub" }
  selector    = { match_labels = { kind = "store" } }
  unreachable = "defer"
}

# Two of them first, then the others.
resource "fleet_placement" "stores" {
  clusters = data.fleet_clusters.stores.clusters
  groups = [
    { name = "pilot", selector = { match_labels = { pilot = "yes" } } },
    { name = "chain" },
  ]
}

resource "fleet_manifest" "till" {
  name      = "till"
  clusters  = fleet_placement.stores.selected
  namespace = "till"
  template  = true
  manifests = [file("${path.module}/till.yaml")]

  rollout = {
    waves           = [{ group = "pilot", soak = "10m" }, { group = "chain" }]
    max_concurrency = "25%"
    max_failures    = "5%"
  }
  wait = { timeout = "15m" }
}
