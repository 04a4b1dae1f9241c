resource "fleet_cluster" "this" {
  for_each = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }

  name   = each.key
  labels = { region = each.value }
}

# One set: what belongs together on every cluster it is put on.
resource "fleet_manifest" "web" {
  name      = "web"
  clusters  = fleet_cluster.this
  manifests = [file("${path.module}/web.yaml")]

  # For objects that name no namespace of their own.
  namespace = "web"

  # How long one cluster may take to get ready.
  wait = {
    timeout = "5m"
  }
}

# A cluster map is an ordinary map, so a plain `for` chooses from it, too.
resource "fleet_manifest" "consent" {
  name     = "consent"
  clusters = { for name, cluster in fleet_cluster.this : name => cluster if cluster.labels.region == "eu" }

  manifests = [yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "consent", namespace = "default" }
    data       = { banner = "true" }
  })]
}

output "where_web_runs" {
  value = { for name, status in fleet_manifest.web.status : name => status.phase }
}
