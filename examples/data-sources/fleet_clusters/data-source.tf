# The stores among the clusters of a hub, each reached through the hub.
data "fleet_clusters" "stores" {
  hub         = { connection = "hub" }
  selector    = { match_labels = { kind = "store" } }
  unreachable = "defer"
}

# A list is a map of clusters as any other.
resource "fleet_placement" "stores" {
  clusters = data.fleet_clusters.stores.clusters
  selector = { cel = "cluster.properties[?\"gpu\"].orValue(\"no\") == \"yes\"" }
}

# The contexts of a kubeconfig file.
data "fleet_clusters" "mine" {
  contexts = ["eu-*", "us-*"]
}

# ClusterProfiles, with the credential plugin of their access provider.
data "fleet_clusters" "profiles" {
  cluster_profiles = {
    connection = "management"
    namespace  = "fleet"
    exec = {
      api_version = "client.authentication.k8s.io/v1"
      command     = "gke-gcloud-auth-plugin"
    }
  }
}
