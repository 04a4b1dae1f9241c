// Command bench measures the provider on a fleet: against a bare loop of client-go, and against its peers.
package main

import (
	"os"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/cli"
	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/usage"
)

func main() {
	// Terraform finds this program in the place of the providers that are measured.
	if usage.IsLauncher() {
		os.Exit(usage.Launch())
	}
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
