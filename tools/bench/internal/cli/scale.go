package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	sizes, down := numbers{10, 100, 1000}, numbers{1, 10}
	flags := o.flags("scale")
	simulated := flags.String("simulated", "", "the directory of a fleet that fleetsim serves; required")
	flags.Var(&sizes, "sizes", "numbers of clusters")
	objects := flags.Int("objects", 20, "how many objects there are on each cluster")
	details := flags.String("details", "fields,digest", "values of fleet_manifest's detail; empty for its default")
	latency := flags.Duration("latency", 50*time.Millisecond, "how slow the slow fleet is")
	flags.Var(&down, "down", "percentages of clusters that are down")
	parallelism := flags.Int("parallelism", 10, "how many resources Terraform reads or changes at a time; 10 is its default")
	flags.StringVar(&o.markdown, "markdown", "", "a page into which to paste the results, between its markers")
	if err := o.parse(flags, args); err != nil {
		return err
	}
	slices.Sort(sizes)
	slices.Sort(down)
	switch {
	case *simulated == "":
		return usageError{errors.New("-simulated is required")}
	case *objects < 3:
		return usageError{fmt.Errorf("-objects is %d, want at least 3: a namespace, and a Deployment to edit", *objects)}
	case down[len(down)-1] > 100:
		return usageError{fmt.Errorf("-down is %s, want percentages", &down)}
	}
	where, err := filepath.Abs(*simulated)
	if err != nil {
		return err
	}
	fleet, err := fleets.OpenSimulated(where)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fleet-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.say("building the provider")
	if o.provider, err = o.provide(ctx, dir); err != nil {
		return err
	}
	programs, err := o.programs(ctx, dir)
	if err != nil {
		return err
	}
	bench := &scale.Bench{
		Fleet: fleet, Sizes: sizes, Objects: *objects, Details: strings.Split(*details, ","), Latency: *latency, Down: down,
		Programs: programs, Provider: o.provider, Args: []string{fmt.Sprintf("-parallelism=%d", *parallelism)}, Say: o.say,
	}
	rows, err := bench.Run(ctx)
	if err != nil {
		return err
	}
	return o.publish(ctx, "scale", fleet.About, bench.Sections(rows))
}
