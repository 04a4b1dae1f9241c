package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/endpoint"
	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/fleet"
)

// knobFlags are the knobs on the command line.
type knobFlags struct{ wanted endpoint.Knobs }

// knobNames are the knobs' names in JSON by their flags.
var knobNames = map[string]string{
	"latency": "latency", "error-rate": "errorRate", "error-status": "errorStatus", "down": "down", "down-mode": "downMode",
}

func (k *knobFlags) add(flags *pflag.FlagSet) {
	flags.DurationVar((*time.Duration)(&k.wanted.Latency), "latency", 0, "for how long each request waits before it is served")
	flags.Float64Var(&k.wanted.ErrorRate, "error-rate", 0, "the share of requests, 0 to 1, that fail")
	flags.IntVar(&k.wanted.ErrorStatus, "error-status", http.StatusServiceUnavailable, "what they are answered with: 429, 500 or 503")
	flags.StringVar(&k.wanted.Down, "down", "", "how many clusters are down: a number, a percentage, or names with commas")
	flags.StringVar((*string)(&k.wanted.DownMode), "down-mode", string(endpoint.Hang), "how: hang (connections open, no answers) or refuse")
}

// json has the knobs that were given.
func (k *knobFlags) json(flags *pflag.FlagSet) ([]byte, error) {
	all, err := json.Marshal(k.wanted)
	if err != nil {
		return nil, fmt.Errorf("encode the knobs: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(all, &values); err != nil {
		return nil, fmt.Errorf("decode the knobs: %w", err)
	}
	for flag, name := range knobNames {
		if !flags.Changed(flag) {
			delete(values, name)
		}
	}
	return json.Marshal(values)
}

func newSet(opts *options) *cobra.Command {
	var knobs knobFlags
	command := &cobra.Command{
		Use:   "set",
		Short: "Change the faults of a fleet that is up",
		Long: `Set changes the faults that are given, and prints all of them. The same can be done by
PATCH of /knobs at the address that fleet.json names as "admin".`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			f, err := fleet.Load(opts.dir)
			if err != nil {
				return err
			}
			text, err := knobs.json(command.Flags())
			if err != nil {
				return err
			}
			req, err := http.NewRequestWithContext(command.Context(), http.MethodPatch, f.Admin+"/knobs", bytes.NewReader(text))
			if err != nil {
				return err
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return fmt.Errorf("ask the fleet in %s: %w", opts.dir, err)
			}
			defer func() { err = errors.Join(err, resp.Body.Close()) }()
			answer, err := io.ReadAll(resp.Body)
			if err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("the fleet refused: %s", answer)
			}
			_, err = fmt.Fprintf(opts.out, "%s\n", answer)
			return err
		},
	}
	knobs.add(command.Flags())
	return command
}
