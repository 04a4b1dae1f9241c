resource "fleet_cluster" "this" {
  for_each = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }

  name   = each.key
  labels = { region = each.value }
}

# Carried to no cluster yet: first see what it would refuse.
resource "fleet_policy" "latest" {
  name     = "no-latest"
  clusters = {}

  match = {
    rules = [{ groups = ["apps"], resources = ["deployments"] }]
  }

  validations = [{
    expression         = "object.spec.template.spec.containers.all(c, c.image.contains(':') && !c.image.endsWith(':latest'))"
    message_expression = "'an image without a version: ' + object.spec.template.spec.containers.map(c, c.image).join(', ')"
  }]
}

data "fleet_policy_report" "latest" {
  definition = fleet_policy.latest.definition
  clusters   = fleet_cluster.this
}

output "who_would_be_refused" {
  value = { for cluster, objects in data.fleet_policy_report.latest.violations : cluster => keys(objects) }
}
