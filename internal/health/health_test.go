package health_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/fleetform/terraform-provider-fleet/internal/health"
)

func TestCompileFindsAllMistakes(t *testing.T) {
	_, problems := health.Compile([]health.Check{
		{Group: "apps", Kind: "Deployment", Current: "true"},
		{Group: "apps", Kind: "Deployment", Current: "true"},
		{Current: "object.status.size()", Failed: "1"},
	})
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	want := []string{
		`health_checks[1].kind: there is a check for Deployment.apps already`,
		`health_checks[2].kind: a check is for a kind, such as "Deployment"`,
		`health_checks[2].current: the expression yields int, want bool, such as object.status.phase == "Ready"`,
		`health_checks[2].failed: the expression yields int, want bool, such as object.status.phase == "Ready"`,
	}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

func TestChecksAreForTheirKindOnly(t *testing.T) {
	checks, problems := health.Compile([]health.Check{{Group: "apps", Kind: "Deployment", Current: "false"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	deployment := object(t, map[string]any{"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": map[string]any{"name": "a"}})
	configMap := object(t, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}})
	if h, err := checks.Evaluate(deployment); err != nil || h.State != health.InProgress {
		t.Errorf("the check does not hold for another version: %+v, %v", h, err)
	}
	if h, err := checks.Evaluate(configMap); err != nil || h.State != health.Current {
		t.Errorf("the check holds for another kind: %+v, %v", h, err)
	}
	if !checks.Covers(schema.GroupKind{Group: "apps", Kind: "Deployment"}) || checks.Covers(schema.GroupKind{Kind: "Deployment"}) || (*health.Checks)(nil).Covers(schema.GroupKind{}) {
		t.Error("Covers is wrong")
	}
}

func TestWorst(t *testing.T) {
	order := []health.State{health.Current, health.InProgress, health.Failed, health.Unknown, health.Denied}
	for i, a := range order {
		for j, b := range order {
			if got := health.Worst(a, b); got != order[max(i, j)] {
				t.Errorf("Worst(%s, %s) is %s", a, b, got)
			}
		}
	}
}
