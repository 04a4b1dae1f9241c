package cli

import (
	"time"

	"github.com/spf13/cobra"
)

func newBuild(opts *options) *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "Build the programs that are not in the cache",
		Long: `Build builds etcd, kwok, kubectl and the control plane of every Kubernetes version
from Go modules and keeps them in the cache. The first time takes about ten minutes
for each Kubernetes version on two cores.`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			supply, err := opts.supply()
			if err != nil {
				return err
			}
			start := time.Now()
			for _, release := range supply.Catalog.Kubernetes {
				if _, err := supply.Set(command.Context(), release.Version); err != nil {
					return err
				}
			}
			if _, err := supply.Kubectl(command.Context()); err != nil {
				return err
			}
			opts.printf("everything is built after %.1f s; the cache is %s", time.Since(start).Seconds(), supply.Builder.Cache.Dir())
			return nil
		},
	}
}
