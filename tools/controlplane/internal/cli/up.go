package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/fleet"
)

func newUp(opts *options) *cobra.Command {
	var plan fleet.Plan
	var attach bool
	command := &cobra.Command{
		Use:   "up",
		Short: "Start a fleet, building first what is missing",
		Long: `Up starts several clusters and writes into the fleet's directory:
  kubeconfig  one context for each cluster, named like it
  fleet.json  the same for programs: addresses, versions, certificates and keys,
              audit logs, process ids

The third cluster runs an older Kubernetes version unless --versions is given.

With --attach, up stays until its standard input is at its end or it is told to end
with a signal, and then takes the fleet down. It prints "ready" on standard output
when the fleet is.`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx := command.Context()
			if attach {
				attached, stop := untilEOF(ctx, opts.in)
				defer stop()
				ctx = attached
			}
			if command.Flags().Changed("clusters") && len(plan.Names) > 0 {
				return usageError{errors.New("--clusters and --names exclude each other")}
			}
			if err := plan.Check(); err != nil {
				return usageError{err}
			}
			control, err := opts.control()
			if err != nil {
				return err
			}
			supply, err := opts.supply()
			if err != nil {
				return err
			}
			started, err := control.Up(ctx, plan, supply, attach)
			if err != nil {
				return err
			}
			opts.suggest(started, attach)
			if !attach {
				return nil
			}
			if _, err := fmt.Fprintln(opts.out, "ready"); err != nil {
				// Whoever was to read this has gone.
				return errors.Join(fmt.Errorf("telling that the fleet is ready: %w", err), control.Down(ctx, started.ID))
			}
			return control.Attend(ctx, started)
		},
	}
	flags := command.Flags()
	flags.IntVar(&plan.Count, "clusters", 3, "how many clusters")
	flags.StringSliceVar(&plan.Names, "names", nil, "their names, instead of --clusters (default eu-1,eu-2,us-1,us-2,ap-1,...)")
	flags.StringVar(&plan.Prefix, "prefix", "", "put before every name")
	flags.StringSliceVar(&plan.Versions, "versions", nil, "their Kubernetes versions, in order, such as 1.36,1.34; the last one goes on for the rest")
	flags.IntVar(&plan.Nodes, "nodes", 3, "how many nodes each cluster has")
	flags.IntVar(&plan.Port, "port", 0, "port of the first API server, the others following; 0 chooses free ones")
	flags.BoolVar(&attach, "attach", false, "stay, and take the fleet down at the end of standard input")
	return command
}

// suggest says what to do with a fleet.
func (o *options) suggest(started *fleet.Fleet, attached bool) {
	var text strings.Builder
	first, last := started.Clusters[0].Name, started.Clusters[len(started.Clusters)-1].Name
	fmt.Fprintf(&text, "\nTry next:\n")
	fmt.Fprintf(&text, "  export KUBECONFIG=%s\n", started.Kubeconfig)
	fmt.Fprintf(&text, "  alias kubectl=%s\n", started.Kubectl)
	fmt.Fprintf(&text, "  kubectl --context %s create deployment web --image nginx --replicas 3\n", first)
	fmt.Fprintf(&text, "  kubectl --context %s get deployments,pods,nodes\n", first)
	fmt.Fprintf(&text, "\nOne cluster unreachable, and back:\n")
	fmt.Fprintf(&text, "  controlplane stop %s --dir %s\n", last, started.Dir)
	fmt.Fprintf(&text, "  controlplane start %s --dir %s\n", last, started.Dir)
	if attached {
		fmt.Fprintf(&text, "\nCtrl-C, or the end of standard input, takes the fleet down.\n")
	} else {
		fmt.Fprintf(&text, "\nTake it down, leaving nothing:\n  controlplane down --dir %s\n", started.Dir)
	}
	o.printf("%s", text.String())
}
