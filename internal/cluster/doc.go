// Package cluster turns what the configuration says about a cluster into a client for it, once per cluster and
// process.
//
// A connection is looked up in up to four places (the provider's connections, the provider's kubeconfigs, the
// resource's own connection, a kubeconfig context of the cluster's name), merged attribute by attribute, probed once,
// and then shared by everything that works on the cluster:
//
//	pool := cluster.NewPool(cluster.Config{Connections: connections, ConnectTimeout: 5 * time.Second})
//	resolved, err := pool.Resolve("eu-1", cluster.Connection{})
//	client, err := pool.Client(ctx, "eu-1", resolved.Access())
//
// Nothing that this package returns as text, neither access texts nor errors nor log entries, contains a credential.
package cluster
