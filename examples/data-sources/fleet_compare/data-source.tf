resource "fleet_cluster" "this" {
  for_each = toset(["eu-1", "eu-2", "us-1"])
  name     = each.key
}

data "fleet_compare" "system" {
  clusters = fleet_cluster.this

  # Single objects by their keys, and others by kind, namespace, name or labels.
  objects = ["Namespace kube-system"]
  targets = [{
    kind      = "ClusterRole"
    name      = "system:*"
    namespace = ""
  }]

  ignore_paths = ["metadata.annotations"]
}

output "differences" {
  value = data.fleet_compare.system.report
}
