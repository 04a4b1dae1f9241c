# One set on two clouds: what `helm template` yields for each, with other
# storage classes, ingress classes and annotations. aws.yaml and gcp.yaml come
# from the chart in shop/:
#
#   helm template shop ./shop --namespace multi-cloud-shop \
#     --values shop/values-aws.yaml > aws.yaml
#
# The kubeconfig is that of the test fleet: see examples/quickstart/README.md.
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

provider "fleet" {
  kubeconfig_paths = [var.kubeconfig]
  owner            = "multi-cloud-example"
}

resource "fleet_cluster" "this" {
  for_each = { eu-1 = "aws", eu-2 = "gcp", us-1 = "gcp" }

  name       = each.key
  labels     = { cloud = each.value }
  properties = { domain = "${each.key}.example.org" }
}

locals {
  shop = {
    # Terraform keeps what is rendered elsewhere in the repository, or the
    # data source helm_template of the provider helm renders it here.
    variants = [for cloud in ["aws", "gcp"] : {
      clusters  = { match_labels = { cloud = cloud } }
      manifests = [file("${path.module}/namespace.yaml"), file("${path.module}/${cloud}.yaml")]
    }]

    overrides = [
      # Every cluster has a host name of its own; the charts know only one.
      for name, cluster in fleet_cluster.this : {
        clusters   = { names = [name] }
        target     = { kind = "Ingress", name = "shop" }
        json_patch = jsonencode([{ op = "replace", path = "/spec/rules/0/host", value = "shop.${cluster.properties.domain}" }])
      }
    ]
  }
}

resource "fleet_manifest" "shop" {
  name     = "multi-cloud-shop"
  clusters = fleet_cluster.this

  # The label of the namespace is a template; nothing in the charts is.
  template  = true
  variants  = local.shop.variants
  overrides = local.shop.overrides

  # The images are made up.
  wait = { until = "none" }
}

# The same without any cluster, for tests and terraform console.
data "fleet_rendered" "shop" {
  clusters = {
    eu-1 = { labels = { cloud = "aws" } }
    eu-2 = { labels = { cloud = "gcp" } }
    us-1 = { labels = { cloud = "gcp" } }
  }
  template  = true
  variants  = local.shop.variants
  overrides = local.shop.overrides
}

output "storage_classes" {
  description = "Who provisions volumes on each cluster."
  value = {
    for name, objects in data.fleet_rendered.shop.objects :
    name => yamldecode(objects["StorageClass.storage.k8s.io multi-cloud-shop"]).provisioner
  }
}
