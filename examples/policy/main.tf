# What may run where: policies that the API servers enforce, and that a plan already knows.
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
  owner            = "policy-example"
}

locals {
  regions = { eu-1 = "eu", eu-2 = "eu", us-1 = "us" }
  # The policies speak of the objects of this example only.
  here = { match_labels = { "kubernetes.io/metadata.name" = "policy-shop" } }
}

resource "fleet_cluster" "this" {
  for_each = local.regions
  name     = each.key
  labels   = { region = each.value }
}

# Small clusters: not more than a few replicas. Parameters are values with types.
resource "fleet_policy" "replicas" {
  name     = "example-replicas"
  clusters = fleet_cluster.this
  match = {
    rules              = [{ groups = ["apps"], resources = ["deployments", "deployments/scale"] }]
    namespace_selector = local.here
  }
  params = jsonencode({ max = 5 })
  validations = [{
    expression         = "object.spec.replicas <= variables.params.max"
    message_expression = "'at most ' + string(variables.params.max) + ' replicas, not ' + string(object.spec.replicas)"
    reason             = "Forbidden"
  }]
}

# In Europe every object says whose it is. For now it is only a warning.
resource "fleet_policy" "team" {
  name     = "example-team"
  clusters = { for name, cluster in fleet_cluster.this : name => cluster if cluster.labels.region == "eu" }
  action   = "warn"
  match = {
    rules              = [{ groups = ["", "apps"], resources = ["deployments", "services", "configmaps"] }]
    exclude            = [{ groups = [""], resources = ["configmaps"], names = ["kube-root-ca.crt"] }]
    namespace_selector = local.here
  }
  validations = [{
    expression = "object.metadata.?labels[?'team'].hasValue()"
    message    = "the label team is missing"
  }]
}

# The selector of a Deployment tells old from new, so it stays what it is.
resource "fleet_policy" "selector" {
  name     = "example-selector"
  clusters = fleet_cluster.this
  match = {
    rules              = [{ groups = ["apps"], resources = ["deployments"], operations = ["UPDATE"] }]
    namespace_selector = local.here
  }
  match_conditions = [{ name = "not-released", expression = "!('released' in object.metadata.?annotations.orValue({}))" }]
  validations = [{
    expression = "object.spec.selector == oldObject.spec.selector"
    message    = "the selector of a Deployment does not change"
  }]
}

resource "fleet_manifest" "shop" {
  name      = "policy-shop"
  clusters  = fleet_cluster.this
  namespace = "policy-shop"
  manifests = [file("${path.module}/shop.yaml")]
  policies  = [fleet_policy.replicas.definition, fleet_policy.team.definition, fleet_policy.selector.definition]
  wait      = { until = "none" }
}
