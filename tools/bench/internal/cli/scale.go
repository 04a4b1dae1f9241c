package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/fleets"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/scale"
)

// numbers is a flag: numbers with commas between.
type numbers []int

func (n *numbers) String() string {
	words := make([]string, 0, len(*n))
	for _, one := range *n {
		words = append(words, strconv.Itoa(one))
	}
	return strings.Join(words, ",")
}

// Set implements flag.Value.
func (n *numbers) Set(text string) error {
	*n = nil
	for word := range strings.SplitSeq(text, ",") {
		one, err := strconv.Atoi(word)
		if err != nil || one < 1 {
			return fmt.Errorf("%q is no number above 0", word)
		}
		*n = append(*n, one)
	}
	return nil
}

func runScale(ctx context.Context, args []string, o *options) (err error) {
	sizes, shares := numbers{10, 100, 1000}, numbers{1, 10}
	flags := o.flags("scale")
	simulated := flags.String("simulated", "", "use the fleet that fleetsim serves and describes in this directory (default: serve one)")
	flags.StringVar(&o.fleetsim, "fleetsim", "build/fleetsim", "the program of tools/fleetsim, for serving a fleet")
	flags.Var(&sizes, "sizes", "numbers of clusters")
	objects := flags.Int("objects", 20, "how many objects there are on each cluster")
	details := flags.String("details", "fields,digest", "values of fleet_manifest's detail; empty for its default")
	latency := flags.Duration("latency", 50*time.Millisecond, "how slow the slow fleet is")
	flags.Var(&shares, "down", "percentages of clusters that are down")
	parallelism := flags.Int("parallelism", 10, "how many resources Terraform reads or changes at a time; 10 is its default")
	flags.StringVar(&o.markdown, "markdown", "", "a page into which to paste the results, between its markers")
	if err := o.parse(flags, args); err != nil {
		return err
	}
	slices.Sort(sizes)
	slices.Sort(shares)
	switch {
	case *objects < 3:
		return usageError{fmt.Errorf("-objects is %d, want at least 3: a namespace, and a Deployment to edit", *objects)}
	case shares[len(shares)-1] > 100:
		return usageError{fmt.Errorf("-down is %s, want percentages", &shares)}
	}
	programs, clean, err := o.prepare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clean()) }()
	fleet, down, err := o.serve(ctx, *simulated, sizes[len(sizes)-1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, down()) }()
	bench := &scale.Bench{
		Fleet: fleet, Sizes: sizes, Objects: *objects, Details: strings.Split(*details, ","), Latency: *latency, Down: shares,
		Programs: programs, Provider: o.provider, Args: []string{fmt.Sprintf("-parallelism=%d", *parallelism)}, Say: o.say,
	}
	rows, err := bench.Run(ctx)
	if err != nil {
		return err
	}
	return o.publish(ctx, "scale", fleet.About, bench.Sections(rows))
}

// serve is the simulated fleet that is described in a directory, or one of n clusters that is served where dir is
// empty.
func (o *options) serve(ctx context.Context, dir string, n int) (*fleets.Simulated, func() error, error) {
	if dir == "" {
		o.say("serving %d simulated clusters", n)
		return fleets.UpSimulated(ctx, o.fleetsim, n, o.err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	fleet, err := fleets.OpenSimulated(dir)
	return fleet, func() error { return nil }, err
}
