package health

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestChecks_Fields(t *testing.T) {
	checks, problems := Compile([]Check{{
		Group: "example.org", Kind: "Database", Current: `object.status.phase == "Ready" && has(object.status.url)`,
		Failed: `object.?status.?error.orValue("") != ""`, Message: `"size " + string(object.spec.size)`,
	}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []string{"spec.size", "status.phase", "status.url"}
	if diff := cmp.Diff(want, checks.Fields(schema.GroupKind{Group: "example.org", Kind: "Database"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := checks.Fields(schema.GroupKind{Kind: "Pod"}); got != nil {
		t.Errorf("a kind without a check has %v", got)
	}
}
