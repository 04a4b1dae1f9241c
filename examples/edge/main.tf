# One text for a data centre and for small sites at the edge, with arm64 nodes
# and little room. The kubeconfig is that of the test fleet: see
# examples/quickstart/README.md.
terraform {
  required_providers {
    fleet = {
      source = "fleetform/fleet"
    }
  }
}

variable "kubeconfig" {
  description = "Path of a kubeconfig with the contexts eu-1, eu-2 and us-1."
  type        = string
}

provider "fleet" {
  kubeconfig_paths = [var.kubeconfig]
  owner            = "edge-example"
}

resource "fleet_cluster" "this" {
  for_each = {
    eu-1 = { site = "datacenter", properties = { interval = "10" } }
    eu-2 = { site = "edge", properties = { interval = "60", broker = "10.0.0.7" } }
    us-1 = { site = "edge", properties = { interval = "300" } }
  }

  name       = each.key
  labels     = { site = each.value.site }
  properties = each.value.properties

  # A site that is offline gets what it is owed when it is back.
  unreachable = each.value.site == "edge" ? "defer" : "error"
}

resource "fleet_manifest" "sensor" {
  name      = "edge-sensor"
  namespace = "edge-sensor"
  clusters  = fleet_cluster.this
  manifests = [file("${path.module}/sensor.yaml")]
  template  = true

  overrides = [
    {
      clusters = { match_labels = { site = "edge" } }
      target   = { kind = "Deployment", name = "sensor" }
      strategic_patch = yamlencode({
        spec = {
          replicas = 1
          template = { spec = {
            nodeSelector = { "kubernetes.io/arch" = "arm64" }
            containers = [{
              name      = "sensor"
              resources = { requests = { cpu = "50m", memory = "64Mi" } }
            }]
          } }
        }
      })
    },
    {
      clusters = { match_labels = { site = "edge" } }
      images   = { "registry.example.org/sensor" = { tag = "2.0-arm64" } }
      target   = { kind = "Deployment" }
    },
    # With one replica a budget would keep nodes from being drained.
    {
      clusters = { match_labels = { site = "edge" } }
      target   = { kind = "PodDisruptionBudget" }
      exclude  = true
    },
  ]

  # The images are made up, and the test fleet has no arm64 nodes.
  wait = { until = "none" }
}
