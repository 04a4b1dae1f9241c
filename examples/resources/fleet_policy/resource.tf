resource "fleet_cluster" "this" {
  for_each = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }

  name   = each.key
  labels = { region = each.value }
}

# Every API server of the fleet holds everybody to it.
resource "fleet_policy" "registry" {
  name     = "trusted-registry"
  clusters = fleet_cluster.this

  match = {
    rules = [{ groups = ["apps"], resources = ["deployments", "statefulsets", "daemonsets"] }]
    namespace_selector = {
      match_expressions = [{ key = "kubernetes.io/metadata.name", operator = "NotIn", values = ["kube-system"] }]
    }
  }

  params = jsonencode({ registry = "registry.example.org/" })

  variables = [{
    name       = "strangers"
    expression = "object.spec.template.spec.containers.filter(c, !c.image.startsWith(variables.params.registry)).map(c, c.image)"
  }]

  validations = [{
    expression         = "size(variables.strangers) == 0"
    message_expression = "'images have to come from ' + variables.params.registry + ', not ' + variables.strangers.join(', ')"
  }]
}

# And this set is judged by it at plan.
resource "fleet_manifest" "web" {
  name      = "web"
  clusters  = fleet_cluster.this
  namespace = "default"
  policies  = [fleet_policy.registry.definition]

  manifests = [yamlencode({
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web" }
    spec = {
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = { labels = { app = "web" } }
        spec     = { containers = [{ name = "web", image = "registry.example.org/web:1.4" }] }
      }
    }
  })]
}
