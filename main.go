// Terraform-provider-fleet is a Terraform provider that manages one fleet of Kubernetes clusters.
package main

import (
	"context"
	"flag"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/fleetform/terraform-provider-fleet/internal/progress"
	"github.com/fleetform/terraform-provider-fleet/internal/provider"
	"github.com/fleetform/terraform-provider-fleet/internal/watch"
)

// version is set by the release build.
var version = "dev"

// finish is what is to be done at the end besides; profile.go sets it.
var finish = func() {}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "watch" {
		os.Exit(watch.Main(os.Args[2:], os.Stdout, os.Stderr))
	}
	debug := flag.Bool("debug", false, "wait for a debugger, and print how Terraform reaches this process")
	flag.Parse()
	tune()
	if !*debug {
		if err := hush(); err != nil {
			log.Print(err)
		}
	}
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/fleetform/fleet",
		Debug:   *debug,
	})
	progress.CloseAll()
	finish()
	if err != nil {
		log.Fatal(err)
	}
}
