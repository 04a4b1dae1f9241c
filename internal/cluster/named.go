package cluster

import (
	"maps"
	"slices"
)

// Named are the names of the clusters in the provider's connections and kubeconfigs, sorted. The contexts of kubeconfig
// files are not among them: a file has contexts for more than this fleet.
func (p *Pool) Named() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(p.cfg.Connections)), maps.Keys(p.cfg.Kubeconfigs))
	slices.Sort(names)
	return slices.Compact(names)
}

// Configured is the error that the provider's configuration by itself causes for a cluster, whatever the cluster may say. It
// contacts nobody.
func (p *Pool) Configured(name, access string) error {
	_, err := p.merge(name, access)
	return err
}
