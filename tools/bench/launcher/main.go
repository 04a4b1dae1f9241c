// Command launcher is what Terraform finds in the place of a provider that is measured: it runs the real one and notes
// what it cost. It is a program of its own so that it starts at once.
package main

import (
	"os"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/usage"
)

func main() { os.Exit(usage.Launch()) }
