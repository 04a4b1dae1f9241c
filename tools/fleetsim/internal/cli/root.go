// Package cli is the command line of fleetsim.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

// The exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

const long = `fleetsim serves the APIs of many simulated Kubernetes clusters from one process: an
endpoint each, with the API server's own handlers on objects in memory. It is for
benchmarks of scale; tools/controlplane runs real clusters.

Nothing runs in a simulated cluster. Workloads are ready with the write that changes
them, and what is deleted is gone with all that belongs to it.

Progress goes to standard error, results to standard output. Exit codes: 0 done,
1 failed, 2 wrong usage.`

const example = `  fleetsim up --dir .sim --clusters 1000      until Ctrl-C
  export KUBECONFIG=$PWD/.sim/kubeconfig      contexts sim-0001, sim-0002, ...
  fleetsim set --dir .sim --latency 50ms      while it runs
  fleetsim set --dir .sim --down 10% --down-mode refuse`

// options are what all commands share.
type options struct {
	dir      string
	out, err io.Writer
}

// usageError is an error of whoever typed the command.
type usageError struct{ error }

// Run runs the command line and returns its exit code.
func Run(args []string, out, errOut io.Writer) int {
	opts := &options{out: out, err: errOut}
	// Kubernetes' handlers tell of each request they refuse, and the client knows.
	klog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
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
		Use:           "fleetsim",
		Short:         "Serve the APIs of many simulated Kubernetes clusters",
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
	root.PersistentFlags().StringVar(&opts.dir, "dir", ".sim", "the fleet's directory")
	root.AddCommand(newUp(opts), newSet(opts))
	return root
}

// noArgs checks arguments such that what is wrong is a usage error.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}
