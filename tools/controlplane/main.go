// Command controlplane builds and runs a fleet of real Kubernetes control planes
// on this machine, with simulated nodes.
package main

import (
	"os"

	"github.com/fleetform/terraform-provider-fleet/tools/controlplane/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
