// Command fleetsim serves the APIs of many simulated Kubernetes clusters from one process, for benchmarks of scale.
package main

import (
	"os"

	"github.com/fleetform/terraform-provider-fleet/tools/fleetsim/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr))
}
