# A set is imported by its name, from all clusters that the provider's connections and kubeconfigs name.
terraform import fleet_manifest.web web

# From some clusters only, or from contexts of the provider's kubeconfig files.
terraform import fleet_manifest.web web@eu-1,eu-2
