// Package cli is the command line of bench.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/contest"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/floor"
)

const help = `Bench measures terraform-provider-fleet on this machine. It is run from the repository.

  bench run       first apply, plans, edits and destroy on real clusters, by turns
                  with a bare loop of client-go, and with peers named by -peer
  bench scale     10, 100 and 1,000 clusters, on a simulated fleet
  bench profile   where the provider's time and memory go in an apply and a plan

  bench COMMAND -h says more.
`

// The exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

// options are what all commands share.
type options struct {
	root, terraform, provider, controlplane, fleetsim, markdown string

	out, err io.Writer
	start    time.Time
}

// usageError is an error of whoever typed the command.
type usageError struct{ error }

// Run runs the command line and returns its exit code.
func Run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	err := dispatch(ctx, args, in, &options{out: out, err: errOut, start: time.Now()})
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "Error: %v\n\n%s", err, help)
		return exitUsage
	default:
		fmt.Fprintf(errOut, "Error: %v\n", err)
		return exitFailed
	}
}

func dispatch(ctx context.Context, args []string, in io.Reader, opts *options) error {
	if len(args) == 0 {
		return usageError{errors.New("no command given")}
	}
	switch args[0] {
	case "run":
		return runContests(ctx, args[1:], opts)
	case "scale":
		return runScale(ctx, args[1:], opts)
	case "profile":
		return runProfile(ctx, args[1:], opts)
	case contest.FloorCommand:
		return floor.Main(ctx, in, opts.out)
	case "help", "-h", "--help":
		_, err := fmt.Fprint(opts.out, help)
		return err
	default:
		return usageError{fmt.Errorf("there is no command %q", args[0])}
	}
}

// flags are a command's flags, with those that all have.
func (o *options) flags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	flags.SetOutput(o.err)
	flags.StringVar(&o.root, "root", ".", "the repository")
	flags.StringVar(&o.terraform, "terraform", "", "the Terraform or OpenTofu to run (default FLEET_TERRAFORM, or the one on PATH)")
	flags.StringVar(&o.provider, "provider", "", "the provider's program (default: built from the repository)")
	return flags
}

// parse parses a command's flags, which are all it has.
func (o *options) parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if flags.NArg() > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", flags.Arg(0))}
	}
	found, err := findTerraform(o.terraform)
	o.terraform = found
	return err
}

// say tells how far a command is.
func (o *options) say(format string, args ...any) {
	passed := time.Since(o.start).Round(time.Second)
	fmt.Fprintf(o.err, "[%02d:%02d] %s\n", int(passed.Minutes()), int(passed.Seconds())%60, fmt.Sprintf(format, args...))
}
