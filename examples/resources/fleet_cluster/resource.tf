# A cluster whose name is a context of the provider's kubeconfigs needs nothing
# but its name. Labels are what placements select by.
resource "fleet_cluster" "this" {
  for_each = {
    eu-1 = { region = "eu", tier = "canary" }
    eu-2 = { region = "eu", tier = "stable" }
    us-1 = { region = "us", tier = "stable" }
  }

  name   = each.key
  labels = each.value
}

# An edge site that is often offline: its connection is spelled out, without
# secrets, and what is owed to it waits until it is back.
resource "fleet_cluster" "edge" {
  name   = "store-17"
  labels = { region = "eu", tier = "edge" }

  properties = {
    currency = "EUR"
  }

  connect = {
    host       = "https://store-17.example.com:6443"
    token_file = "/run/secrets/store-17"
  }

  unreachable = "defer"
}

# A site behind a hub of Open Cluster Management: nobody can reach it, its agent
# pulls what it is to have from the hub, whose connection the provider knows as "hub".
resource "fleet_cluster" "harbour" {
  name    = "harbour"
  connect = { ocm = { hub = "hub", cluster = "harbour" } }

  # Creates and accepts the ManagedCluster, with these labels.
  register = true
  labels   = { region = "eu", tier = "edge" }

  unreachable = "defer"
}
