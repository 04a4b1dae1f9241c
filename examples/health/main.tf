# When an apply is done: what is healthy, why it is not, and what watches it afterwards.
terraform {
  required_providers {
    fleet = {
      source = "fleetform/fleet"
    }
  }
}

variable "kubeconfig" {
  type = string
}

provider "fleet" {
  kubeconfig_paths = [var.kubeconfig]
  owner            = "health-example"

  # Watch it with: terraform-provider-fleet watch progress.json
  progress = "${path.root}/progress.json"
}

resource "fleet_cluster" "this" {
  for_each = toset(["eu-1", "eu-2", "us-1"])
  name     = each.key
}

resource "fleet_manifest" "shop" {
  name      = "health-shop"
  clusters  = fleet_cluster.this
  namespace = "health-shop"
  manifests = [file("${path.module}/shop.yaml")]

  wait = {
    timeout = "5m"

    # Four of five replicas are enough, for the apply and for status.
    health_checks = [{
      group   = "apps"
      kind    = "Deployment"
      current = "object.status.availableReplicas * 10 >= object.spec.replicas * 8"
      failed  = "object.status.conditions.exists(c, c.type == 'Progressing' && c.status == 'False')"
      message = "string(object.status.availableReplicas) + ' replicas available'"
    }]
  }

  lifecycle {
    # A postcondition stops the run: what depends on the set is not done.
    postcondition {
      condition     = length([for s in values(self.status) : s if s.health == "Current"]) >= 2
      error_message = "The shop needs two healthy clusters, it has: ${join(", ", [for name, s in self.status : name if s.health == "Current"])}."
    }
  }
}

# A check only warns, at every plan and apply: of what is not healthy now, and of clusters that do not answer.
check "shop" {
  assert {
    condition = fleet_manifest.shop.ready
    error_message = join("\n", concat(["The shop is not healthy everywhere:"], [
      for name, s in fleet_manifest.shop.status : "${name}: ${s.phase}, ${coalesce(s.health, "not waited for")}: ${coalesce(s.message, "no reason is known")}"
      if s.phase != "Applied" || s.health != "Current"
    ]))
  }
}
