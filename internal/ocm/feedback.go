package ocm

import (
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	workv1 "open-cluster-management.io/api/work/v1"
)

// Agents report scalars only, each under a name that a rule gives it. Here a name says where in the object the value belongs:
// fields by their path, and parts of conditions by "conditions/TYPE/PART".

const (
	sentName   = "sent"
	conditions = "conditions"
)

// sentPath is where an object says which writing of it that is; see Options.Sent.
var sentPath = ".metadata.annotations." + strings.ReplaceAll(SentAnnotation, ".", `\.`)

// What tells the health of kinds, by their group and kind. Everything else is told by what is common.
var fieldsOf = map[schema.GroupKind][]string{
	{Group: "apps", Kind: "Deployment"}:  {"spec.replicas", "status.replicas", "status.updatedReplicas", "status.readyReplicas", "status.availableReplicas", "status.unavailableReplicas"},
	{Group: "apps", Kind: "StatefulSet"}: {"spec.replicas", "status.replicas", "status.updatedReplicas", "status.readyReplicas", "status.currentReplicas", "status.currentRevision", "status.updateRevision"},
	{Group: "apps", Kind: "ReplicaSet"}:  {"spec.replicas", "status.replicas", "status.readyReplicas", "status.availableReplicas", "status.fullyLabeledReplicas"},
	{Group: "apps", Kind: "DaemonSet"}: {"status.desiredNumberScheduled", "status.currentNumberScheduled", "status.updatedNumberScheduled",
		"status.numberAvailable", "status.numberReady"},
	{Group: "batch", Kind: "Job"}:                  {"status.active", "status.succeeded", "status.failed", "status.startTime", "status.completionTime"},
	{Kind: "Pod"}:                                  {"status.phase", "status.reason", "status.message"},
	{Kind: "PersistentVolumeClaim"}:                {"status.phase"},
	{Kind: "Namespace"}:                            {"status.phase"},
	{Kind: "Service"}:                              {"spec.clusterIP"},
	{Group: "policy", Kind: "PodDisruptionBudget"}: {"status.currentHealthy", "status.desiredHealthy"},
}

var conditionsOf = map[schema.GroupKind][]string{
	{Group: "apps", Kind: "Deployment"}:                               {"Available", "Progressing", "ReplicaFailure"},
	{Group: "apps", Kind: "StatefulSet"}:                              {},
	{Group: "apps", Kind: "DaemonSet"}:                                {},
	{Group: "apps", Kind: "ReplicaSet"}:                               {"ReplicaFailure"},
	{Group: "batch", Kind: "Job"}:                                     {"Complete", "Failed", "Suspended"},
	{Kind: "Pod"}:                                                     {"Ready", "PodScheduled"},
	{Kind: "PersistentVolumeClaim"}:                                   {},
	{Kind: "Namespace"}:                                               {},
	{Kind: "Service"}:                                                 {},
	{Group: "policy", Kind: "PodDisruptionBudget"}:                    {},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: {"NamesAccepted", "Established"},
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:             {"Available"},
}

// common are the fields and conditions of kinds that nothing special is known of.
var (
	commonFields     = []string{"status.phase", "status.state", "status.replicas", "status.readyReplicas"}
	commonConditions = []string{"Ready", "Available", "Healthy", "Synced", "Progressing", "Degraded", "Failed", "Reconciling", "Stalled"}
)

// rules are what an agent is to report of an object of the kind, besides the fields in also.
func rules(kind schema.GroupKind, also []string) []workv1.FeedbackRule {
	fields, known := fieldsOf[kind]
	of, special := conditionsOf[kind]
	if !known && !special {
		fields = commonFields
	}
	if !special {
		of = commonConditions
	}
	paths := []workv1.JsonPath{{Name: sentName, Path: sentPath}}
	seen := map[string]bool{}
	for _, list := range [][]string{{"metadata.generation", "metadata.uid", "status.observedGeneration"}, fields, also} {
		for _, field := range list {
			if !seen[field] {
				seen[field] = true
				paths = append(paths, workv1.JsonPath{Name: field, Path: "." + field})
			}
		}
	}
	for _, condition := range of {
		for _, part := range []string{"status", "reason", "message"} {
			paths = append(paths, workv1.JsonPath{Name: conditions + "/" + condition + "/" + part, Path: `.status.conditions[?(@.type=="` + condition + `")].` + part})
		}
	}
	return []workv1.FeedbackRule{{Type: workv1.JSONPathsType, JsonPaths: paths}}
}

// restore writes reported values into an object, where they belong.
func restore(obj map[string]any, values []workv1.FeedbackValue) {
	found := map[string]map[string]any{}
	var order []string
	for _, v := range values {
		value, ok := scalar(v.Value)
		if !ok || v.Name == sentName {
			continue
		}
		if name, ok := strings.CutPrefix(v.Name, conditions+"/"); ok {
			condition, part, ok := strings.Cut(name, "/")
			if !ok {
				continue
			}
			if found[condition] == nil {
				found[condition] = map[string]any{"type": condition}
				order = append(order, condition)
			}
			found[condition][part] = value
			continue
		}
		// A path through something that is no map can only be somebody else's rule.
		_ = unstructured.SetNestedField(obj, value, strings.Split(v.Name, ".")...)
	}
	list := make([]any, 0, len(order))
	for _, name := range order {
		list = append(list, found[name])
	}
	if len(list) > 0 {
		_ = unstructured.SetNestedSlice(obj, list, "status", "conditions")
	}
}

func scalar(v workv1.FieldValue) (any, bool) {
	switch {
	case v.Integer != nil:
		return *v.Integer, true
	case v.String != nil:
		return *v.String, true
	case v.Boolean != nil:
		return *v.Boolean, true
	case v.JsonRaw != nil:
		var value any
		if json.Unmarshal([]byte(*v.JsonRaw), &value) == nil {
			return value, true
		}
	}
	return nil, false
}

// sentOf is which writing of the object a report is about.
func sentOf(values []workv1.FeedbackValue) string {
	for _, v := range values {
		if v.Name == sentName && v.Value.String != nil {
			return *v.Value.String
		}
	}
	return ""
}
