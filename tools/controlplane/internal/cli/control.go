package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/fleet"
)

func newDown(opts *options) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the fleet and remove everything of it",
		Long: `Down stops every program of the fleet, makes sure that none is left, and removes its
files. It also cleans up after an up that was killed.`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			control, err := opts.control()
			if err != nil {
				return err
			}
			err = control.Down(command.Context(), "")
			if errors.Is(err, fleet.ErrNone) {
				opts.printf("%v: nothing to do", err)
				return nil
			}
			if err == nil {
				opts.printf("the fleet in %s is down, nothing is left of it", control.Dir)
			}
			return err
		},
	}
}

func newStop(opts *options) *cobra.Command {
	return &cobra.Command{
		Use:   "stop NAME",
		Short: "Stop one cluster and keep its data",
		Args:  oneName,
		RunE: func(command *cobra.Command, args []string) error {
			control, err := opts.control()
			if err != nil {
				return err
			}
			return control.Stop(command.Context(), args[0])
		},
	}
}

func newStart(opts *options) *cobra.Command {
	return &cobra.Command{
		Use:   "start NAME",
		Short: "Start one stopped cluster, with the data, address and certificates it had",
		Args:  oneName,
		RunE: func(command *cobra.Command, args []string) error {
			control, err := opts.control()
			if err != nil {
				return err
			}
			return control.Start(command.Context(), args[0])
		},
	}
}

func newStatus(opts *options) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show the clusters of the fleet",
		Args:  noArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			control, err := opts.control()
			if err != nil {
				return err
			}
			present, statuses, err := control.Status(command.Context())
			if err != nil {
				return err
			}
			if asJSON {
				content, err := present.JSON()
				if err != nil {
					return err
				}
				_, err = opts.out.Write(content)
				return err
			}
			return opts.table(statuses)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print what fleet.json holds, with the processes that run now")
	return command
}

func (o *options) table(statuses []fleet.Status) error {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVERSION\tNODES\tADDRESS\tMEMORY\tSTATE")
	for _, status := range statuses {
		one := status.Cluster
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%d MiB\t%s\n", one.Name, one.Version, one.Nodes, one.Host, status.Memory>>20, status.Summary)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the status: %w", err)
	}
	_, err := fmt.Fprint(o.out, text.String())
	return err
}
