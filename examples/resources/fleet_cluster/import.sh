# A cluster is imported by its name. The provider must know a connection for it.
terraform import 'fleet_cluster.this["eu-1"]' eu-1
