package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/config"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/contest"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/fleets"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/report"
)

// shape is how many clusters, and how many objects on each.
type shape struct{ clusters, objects int }

// shapes is a flag: shapes such as "4x21,8x50".
type shapes []shape

func (s *shapes) String() string {
	words := make([]string, 0, len(*s))
	for _, one := range *s {
		words = append(words, fmt.Sprintf("%dx%d", one.clusters, one.objects))
	}
	return strings.Join(words, ",")
}

// Set implements flag.Value.
func (s *shapes) Set(text string) error {
	*s = nil
	for word := range strings.SplitSeq(text, ",") {
		clusters, objects, found := strings.Cut(word, "x")
		n, err := strconv.Atoi(clusters)
		m, err2 := strconv.Atoi(objects)
		// The namespace and one object that can drift are the least.
		if !found || errors.Join(err, err2) != nil || n < 1 || m < 2 {
			return fmt.Errorf("%q is not CLUSTERSxOBJECTS, such as 4x21, with at least 1 cluster and 2 objects", word)
		}
		*s = append(*s, shape{n, m})
	}
	return nil
}

// peerFlags is a flag: name=program, as often as there are peers.
type peerFlags []peer

type peer struct {
	provider config.Provider
	program  string
}

func (p *peerFlags) String() string { return "" }

// Set implements flag.Value.
func (p *peerFlags) Set(text string) error {
	name, program, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("%q is not NAME=PROGRAM", text)
	}
	provider, err := config.Peer(name)
	if err != nil {
		return err
	}
	if program, err = filepath.Abs(program); err != nil {
		return err
	}
	if info, err := os.Stat(program); err != nil || info.IsDir() {
		return fmt.Errorf("%s is not the program of a provider", program)
	}
	*p = append(*p, peer{provider, program})
	return nil
}

// contestOptions are those of bench run.
type contestOptions struct {
	*options
	shapes shapes
	peers  peerFlags
	rounds int
	dir    string
}

func runContests(ctx context.Context, args []string, opts *options) (err error) {
	o := &contestOptions{options: opts, shapes: shapes{{4, 21}, {8, 50}}}
	flags := opts.flags("run")
	flags.Var(&o.shapes, "shape", "CLUSTERSxOBJECTS, several with commas between")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each contestant does everything; results are medians")
	flags.Var(&o.peers, "peer", "NAME=PROGRAM: another provider that does the same work: kubectl (alekc), kubernetes (hashicorp) or k8sconnect; may be given several times")
	flags.StringVar(&o.dir, "dir", "", "use the fleet of tools/controlplane that is up in this directory, which nobody else may use meanwhile (default: bring one up for each shape)")
	flags.StringVar(&o.controlplane, "controlplane", "build/controlplane", "the program of tools/controlplane, for bringing fleets up")
	flags.StringVar(&o.markdown, "markdown", "", "a page into which to paste the results, between its markers")
	if err := o.parse(flags, args); err != nil {
		return err
	}
	if o.rounds < 1 {
		return usageError{fmt.Errorf("-rounds is %d, want at least 1", o.rounds)}
	}
	programs, clean, err := o.prepare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clean()) }()
	var sections []report.Section
	about := ""
	for _, one := range o.shapes {
		results, fleet, err := o.contest(ctx, programs, one)
		if err != nil {
			return err
		}
		sections = append(sections, results.Sections()...)
		about = fleet.About
	}
	return o.publish(ctx, "run", about, sections)
}

// contest runs one shape, on a fleet of its own unless one is given.
func (o *contestOptions) contest(ctx context.Context, programs contest.Programs, of shape) (results *contest.Results, fleet *fleets.Fleet, err error) {
	fleet, down, err := o.fleet(ctx, o.dir, of.clusters)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, down()) }()
	counter, err := fleet.Counter()
	if err != nil {
		return nil, nil, err
	}
	c := &contest.Contest{
		Fleet: fleet, Objects: of.objects, Rounds: o.rounds, Programs: programs, Counter: counter, Say: o.say,
		Contestants: []contest.Contestant{&contest.Floor{Fleet: fleet}},
	}
	defer func() {
		for _, contestant := range c.Contestants {
			err = errors.Join(err, contestant.Close())
		}
	}()
	for i, one := range append([]peer{{config.Fleet, o.provider}}, o.peers...) {
		contestant, err := contest.NewProvider(programs, one.provider, one.program, fleet)
		if err != nil {
			return nil, nil, err
		}
		contestant.Strict = i == 0
		c.Contestants = append(c.Contestants, contestant)
	}
	results, err = c.Run(ctx)
	return results, fleet, err
}

// fleet is n clusters of the fleet that is up in a directory, or of one that is brought up where dir is empty.
func (o *options) fleet(ctx context.Context, dir string, n int) (*fleets.Fleet, func() error, error) {
	if dir == "" {
		o.say("bringing up %d clusters", n)
		return fleets.Up(ctx, o.controlplane, n, o.err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	fleet, err := fleets.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	part, err := fleet.First(n)
	return part, func() error { return nil }, err
}
