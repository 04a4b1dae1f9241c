terraform {
  required_providers {
    fleet = {
      source = "fleetform/fleet"
    }
  }
}

# Every context of this file is a cluster that fleet_cluster can name.
provider "fleet" {
  kubeconfig_paths = ["~/.kube/config"]
}
