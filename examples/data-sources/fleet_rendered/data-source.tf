# In tests and in terraform console, for clusters that need not exist.
data "fleet_rendered" "web" {
  clusters = {
    eu-1   = { labels = { size = "large" }, properties = { replicas = "5" } }
    edge-1 = { labels = { size = "small" }, properties = { replicas = "1" } }
  }

  manifests = [<<-EOT
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: "{{ int .cluster.properties.replicas }}"
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers: [{name: web, image: "nginx:1.29"}]
  EOT
  ]
  template = true

  overrides = [{
    clusters    = { match_labels = { size = "small" } }
    merge_patch = jsonencode({ spec = { template = { spec = { nodeSelector = { "kubernetes.io/arch" = "arm64" } } } } })
  }]
}

check "small_edge" {
  assert {
    condition     = yamldecode(data.fleet_rendered.web.objects["edge-1"]["Deployment.apps web"]).spec.replicas == 1
    error_message = "An edge site has room for one replica."
  }
}
