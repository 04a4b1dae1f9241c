// Command bench measures the provider on a fleet: against a bare loop of client-go, against its peers, and at scale.
package main

import (
	"os"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
