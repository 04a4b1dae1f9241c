package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/fleet"
)

func newUp(opts *options) *cobra.Command {
	var plan fleet.Plan
	var knobs knobFlags
	command := &cobra.Command{
		Use:   "up",
		Short: "Serve a fleet until interrupted",
		Long: `Up serves the clusters until it gets SIGINT, SIGTERM or SIGHUP, and writes into the fleet's
directory:
  kubeconfig  one context for each cluster, named like it
  fleet.json  the same for programs: addresses, certificates and keys, and where the knobs are

It prints "ready" on standard output when all clusters answer. When it ends it removes
what it wrote.`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if plan.Count < 1 || plan.Count > fleet.MaxClusters {
				return usageError{fmt.Errorf("--clusters is %d, want 1 to %d", plan.Count, fleet.MaxClusters)}
			}
			text, err := knobs.json(command.Flags())
			if err != nil {
				return usageError{err}
			}
			plan.Dir, plan.Knobs = opts.dir, text
			return fleet.Up(command.Context(), plan, func(f *fleet.File) error {
				fmt.Fprintf(opts.err, "%d clusters; knobs at %s/knobs\n\nTry next:\n  export KUBECONFIG=%s\n", len(f.Clusters), f.Admin, f.Kubeconfig)
				_, err := fmt.Fprintln(opts.out, "ready")
				return err
			})
		},
	}
	flags := command.Flags()
	flags.IntVar(&plan.Count, "clusters", 10, "how many clusters")
	flags.IntVar(&plan.Port, "port", 0, "port of the first cluster, the others following; 0 chooses free ones")
	flags.Uint64Var(&plan.Seed, "seed", 1, "what random faults come from")
	knobs.add(flags)
	return command
}
