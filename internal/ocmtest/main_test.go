package ocmtest_test

import (
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

func TestMain(m *testing.M) { fleettest.Main(m) }
