resource "fleet_cluster" "this" {
  for_each = {
    eu-1 = { region = "eu", tier = "canary" }
    eu-2 = { region = "eu", tier = "stable" }
    us-1 = { region = "us", tier = "stable" }
  }

  name   = each.key
  labels = each.value

  discover = ["nodes"]
}

# All that is set in a selector must hold.
resource "fleet_placement" "eu" {
  clusters = fleet_cluster.this

  selector = {
    match_labels = { region = "eu" }
    match_expressions = [
      { key = "tier", operator = "In", values = ["canary", "stable"] },
    ]
    exclude = ["eu-2"]
  }
}

# A cluster is chosen that any of several selectors matches. Expressions see
# the whole cluster, also what fleet_cluster discovered.
resource "fleet_placement" "large_or_canary" {
  clusters = fleet_cluster.this

  selectors = [
    { match_labels = { tier = "canary" } },
    { cel = "cluster.facts.nodes >= 10 && cluster.properties[?'size'].orValue('small') != 'small'" },
  ]
}

# Two of several, in different regions, stable ones first. What was chosen stays,
# whoever else comes.
resource "fleet_placement" "two_regions" {
  clusters           = fleet_cluster.this
  number_of_clusters = 2

  spread       = [{ topology_key = "region", min_groups = 2 }]
  prioritizers = [{ type = "CEL", cel = "cluster.labels.tier == 'canary' ? 1 : 0", weight = -1 }]
  tolerations  = [{ key = "maintenance", operator = "Exists" }]
}

# Placements chain: selected takes the place of clusters.
resource "fleet_placement" "eu_canary" {
  clusters = fleet_placement.eu.selected
  selector = { match_labels = { tier = "canary" } }
}

output "why_not" {
  value = fleet_placement.eu_canary.rejected
}
