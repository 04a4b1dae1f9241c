package deploy

import (
	"fmt"
	"testing"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
	"github.com/fleetform/terraform-provider-fleet/internal/override"
)

// BenchmarkRender renders 50 templates for 100 clusters, and patches them.
func BenchmarkRender(b *testing.B) {
	var source Source
	source.Template, source.Fallback = true, true
	for i := range 50 {
		source.Texts = append(source.Texts, fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%d, labels: {app: web}}
spec:
  replicas: "{{ int .cluster.properties.replicas }}"
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.29", env: [{name: HOST, value: "{{ .cluster.name }}.example.org"}]}
`, i))
	}
	source.Overrides = []Override{{Rule: override.Rule{StrategicPatch: "spec: {template: {spec: {nodeSelector: {a: b}}}}"}}}
	for b.Loop() {
		r, err := NewRenderer(source)
		if err != nil {
			b.Fatal(err)
		}
		for i := range 100 {
			if _, err := r.Render(fleet.Cluster{Name: fmt.Sprintf("c-%d", i), Properties: map[string]string{"replicas": "3"}}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
