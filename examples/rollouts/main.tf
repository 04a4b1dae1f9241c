# Waves, and promotion by a variable: a canary, the rest of Europe, the rest of the world.
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

variable "promoted" {
  description = "The last wave that gets what the manifests say now: canary, eu or rest. Promotion is a change of this default."
  type        = string
  default     = "rest"
}

variable "soak" {
  description = "How long the canary has to stay healthy."
  type        = string
  default     = "10m"
}

provider "fleet" {
  kubeconfig_paths = [var.kubeconfig]
  owner            = "rollouts-example"

  # Watch it with: terraform-provider-fleet watch progress.json
  progress = "${path.root}/progress.json"
}

resource "fleet_cluster" "this" {
  for_each = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }
  name     = each.key
  labels   = { region = each.value }
}

# Who is the canary is decided by a placement, or by a selector in the wave itself.
resource "fleet_placement" "shop" {
  clusters = fleet_cluster.this
  groups   = [{ name = "canary", size = "1" }]
}

resource "fleet_manifest" "shop" {
  name      = "rollouts-shop"
  clusters  = fleet_placement.shop.selected
  namespace = "rollouts-shop"
  manifests = [file("${path.module}/shop.yaml")]

  rollout = {
    waves = [
      { group = "canary", soak = var.soak },
      { name = "eu", clusters = { match_labels = { region = "eu" } }, max_concurrency = "25%" },
      # Everybody else forms the last wave, which is called rest.
    ]
    progress_deadline = "5m"
    on_failure        = "rollback"
    through           = var.promoted
  }

  lifecycle {
    # What depends on the set is not done where the promoted clusters do not run it.
    postcondition {
      condition = alltrue([
        for s in values(self.status) : s.phase == "Applied" && s.revision == self.revision
        if var.promoted == "rest" || s.wave == "canary" || s.wave == var.promoted
      ])
      error_message = "Not everywhere yet: ${join(", ", [for name, s in self.status : "${name} (${s.wave}) runs ${coalesce(s.revision, "nothing")}" if s.revision != self.revision])}."
    }
  }
}

# A check only warns: for as long as a revision waits for its promotion.
check "promoted" {
  assert {
    condition     = length(distinct([for s in values(fleet_manifest.shop.status) : s.revision])) == 1
    error_message = "The fleet runs more than one revision: ${join(", ", [for name, s in fleet_manifest.shop.status : "${name} ${coalesce(s.revision, "nothing")}"])}."
  }
}

output "running" {
  description = "Who runs what, by wave."
  value       = { for name, s in fleet_manifest.shop.status : coalesce(s.wave, "none") => "${name}: ${coalesce(s.revision, "nothing")}"... }
}
