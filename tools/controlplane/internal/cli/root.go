// Package cli is the command line of controlplane.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/programs"
)

// The exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

const long = `controlplane builds and runs a fleet of real Kubernetes clusters on this machine:
etcd, kube-apiserver, kube-controller-manager and kube-scheduler, built from their
Go modules, and kwok, which plays the nodes. No container runs: Pods are Ready as
soon as they are scheduled, and those with an image named "missing" never are.

Progress goes to standard error, results to standard output. Exit codes: 0 done,
1 failed, 2 wrong usage.

Environment:
  FLEET_CONTROLPLANE_CACHE  where built programs are kept, as --cache
  KUBEBUILDER_ASSETS        a directory with etcd and kube-apiserver, used instead of
                            building them; all clusters then run that version`

const example = `  controlplane up                       three clusters in ./.fleet
  export KUBECONFIG=$PWD/.fleet/kubeconfig
  controlplane stop eu-2                make one unreachable
  controlplane start eu-2               and reachable again, with its data
  controlplane down                     leave nothing behind`

// options are what all commands share.
type options struct {
	dir, cache, logLevel string

	in       io.Reader
	out, err io.Writer
	say      sync.Mutex
}

// usageError is an error of whoever typed the command.
type usageError struct{ error }

// Run runs the command line and returns its exit code.
func Run(args []string, in io.Reader, out, errOut io.Writer) int {
	opts := &options{in: in, out: out, err: errOut}
	ctx, stop := interruptible(context.Background())
	defer stop()
	root := newRoot(opts)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(errOut, "Error: %v\n", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		fmt.Fprintf(errOut, "\nRun `%s -h` for the usage.\n", command.CommandPath())
		return exitUsage
	}
	return exitFailed
}

func newRoot(opts *options) *cobra.Command {
	root := &cobra.Command{
		Use:           "controlplane",
		Short:         "Build and run a fleet of real Kubernetes control planes on this machine",
		Long:          long,
		Example:       example,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("there is no command %q", args[0])}
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			command.SetOut(opts.err)
			return errors.Join(command.Help(), usageError{errors.New("no command given")})
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringVar(&opts.dir, "dir", ".fleet", "the fleet's directory")
	flags.StringVar(&opts.cache, "cache", os.Getenv("FLEET_CONTROLPLANE_CACHE"), "where built programs are kept (default: the user's cache directory)")
	flags.StringVar(&opts.logLevel, "log-level", "warn", "diagnostics on standard error: trace, debug, info, warn, error or off")
	root.AddCommand(
		newBuild(opts), newUp(opts), newDown(opts), newStop(opts), newStart(opts), newStatus(opts),
	)
	return root
}

// printf prints a line of progress.
func (o *options) printf(format string, args ...any) {
	o.say.Lock()
	defer o.say.Unlock()
	fmt.Fprintf(o.err, format+"\n", args...)
}

func (o *options) logger() (hclog.Logger, error) {
	level := hclog.LevelFromString(o.logLevel)
	if level == hclog.NoLevel {
		return nil, usageError{fmt.Errorf("--log-level is %q, want trace, debug, info, warn, error or off", o.logLevel)}
	}
	return hclog.New(&hclog.LoggerOptions{Name: "controlplane", Level: level, Output: o.err}), nil
}

func (o *options) control() (*fleet.Control, error) {
	log, err := o.logger()
	if err != nil {
		return nil, err
	}
	dir, err := fleet.Resolve(o.dir)
	if err != nil {
		return nil, err
	}
	return &fleet.Control{Dir: dir, Log: log, Say: o.printf}, nil
}

func (o *options) supply() (*programs.Supply, error) {
	log, err := o.logger()
	if err != nil {
		return nil, err
	}
	source, err := programs.SourceDir()
	if err != nil {
		return nil, err
	}
	catalog, err := programs.LoadCatalog(source)
	if err != nil {
		return nil, err
	}
	cache, err := programs.OpenCache(o.cache)
	if err != nil {
		return nil, err
	}
	return &programs.Supply{
		Catalog: catalog,
		Builder: &programs.Builder{Cache: cache, Log: log, Say: o.printf},
		Assets:  os.Getenv("KUBEBUILDER_ASSETS"),
	}, nil
}

// noArgs and oneName check arguments such that what is wrong is a usage error.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

func oneName(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("want the name of one cluster, got %d arguments", len(args))}
	}
	return nil
}
