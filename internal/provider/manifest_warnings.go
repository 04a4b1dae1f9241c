package provider

import (
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fleetform/terraform-provider-fleet/internal/deploy"
)

// objectsPerWarning is how many objects one message of an API server names before it counts.
const objectsPerWarning = 5

// apiWarnings says what API servers warned of: each message once, with the clusters that said it and the objects.
func apiWarnings(said deploy.Problems) diag.Diagnostics {
	var diags diag.Diagnostics
	if len(said) == 0 {
		return diags
	}
	messages := map[string]deploy.Problems{}
	for _, p := range said {
		messages[p.Err.Error()] = append(messages[p.Err.Error()], p)
	}
	var parts []string
	for _, text := range sortedNames(messages) {
		parts = append(parts, text+"\n"+warnedObjects(messages[text]))
	}
	diags.AddWarning("API servers warn on "+clusterCount(len(said.Clusters())), strings.Join(parts, "\n\n")+
		"\n\nThe objects are taken all the same. This is said once, while an object is created or changed.")
	return diags
}

// warnedObjects lists objects with their clusters, those of the same clusters on one line.
func warnedObjects(said deploy.Problems) string {
	clusters := map[string][]string{}
	for _, p := range said {
		clusters[p.Object.String()] = append(clusters[p.Object.String()], p.Cluster)
	}
	objects := map[string][]string{}
	for _, key := range sortedNames(clusters) {
		slices.Sort(clusters[key])
		names := strings.Join(slices.Compact(clusters[key]), ", ")
		objects[names] = append(objects[names], key)
	}
	var lines []string
	for _, names := range sortedNames(objects) {
		lines = append(lines, "  "+names+"  "+shortList(objects[names], objectsPerWarning))
	}
	return strings.Join(lines, "\n")
}
