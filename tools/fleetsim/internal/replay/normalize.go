package replay

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// controllers are managers of a real control plane, whose writes come when they come. A simulated cluster has their results at once, with the write they follow.
var controllers = []string{"kube-controller-manager", "kube-scheduler", "kube-apiserver"}

// followed are kinds that controllers write to, so that their resource versions say nothing.
var followed = []string{
	"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod", "PodDisruptionBudget", "HorizontalPodAutoscaler",
	"PersistentVolumeClaim", "CustomResourceDefinition", "Namespace", "ServiceAccount",
}

// chance are fields with values that are drawn, or that tell the time.
var chance = map[string]any{
	"time": "TIME", "creationTimestamp": "TIME", "deletionTimestamp": "TIME", "lastTransitionTime": "TIME",
	"storageVersionHash": "HASH", "clusterIP": "IP", "clusterIPs": "IP", "nodePort": "PORT",
}

// versionInMessage is the resource version in a message about preconditions.
var versionInMessage = regexp.MustCompile(`in record \(\d+\)`)

// normalize takes away what may differ. In a list, items do not say of what kind they are.
func normalize(kind string, value any) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			normalize(kind, one)
		}
	case map[string]any:
		if own, ok := value["kind"].(string); ok {
			kind = own
		}
		if metadata, ok := value["metadata"].(map[string]any); ok {
			normalizeMetadata(kind, metadata)
			if kind != "Status" && kind != "SelfSubjectAccessReview" {
				delete(value, "status")
			}
		}
		if items, ok := value["items"]; ok && strings.HasSuffix(kind, "List") {
			own, _ := items.([]any)
			// Without anything foreign, no items may be null.
			value["items"] = append([]any{}, slices.DeleteFunc(own, foreign)...)
		}
		for key, one := range value {
			if text, ok := one.(string); ok && text == "None" {
				continue
			}
			if text, ok := one.(string); ok && key == "message" {
				value[key] = versionInMessage.ReplaceAllString(text, "in record (VERSION)")
				continue
			}
			if instead, drawn := chance[key]; drawn && one != nil {
				value[key] = instead
				continue
			}
			normalize(strings.TrimSuffix(kind, "List"), one)
		}
	}
}

// foreign tells whether an item of a list is another test's, or one that a real control plane made.
func foreign(item any) bool {
	object, ok := item.(map[string]any)
	if !ok {
		return false
	}
	said, err := json.Marshal(object)
	if err != nil || !prefixed.Match(said) {
		return true
	}
	metadata, _ := object["metadata"].(map[string]any)
	_, owned := metadata["ownerReferences"]
	name, kind := text(metadata, "name"), text(object, "kind")
	annotations, _ := metadata["annotations"].(map[string]any)
	_, followsService := annotations["endpoints.kubernetes.io/last-change-trigger-time"]
	return owned || followsService || name == "kube-root-ca.crt" || name == "default" || kind == "Event" || strings.Contains(name, ".")
}

// prefixed finds the names that recordings have.
var prefixed = regexp.MustCompile("fleetsim-[0-9a-z]{8}")

func normalizeMetadata(kind string, metadata map[string]any) {
	// A list's version is that of the whole cluster.
	if slices.Contains(followed, kind) || strings.HasSuffix(kind, "List") {
		delete(metadata, "resourceVersion")
	}
	if annotations, ok := metadata["annotations"].(map[string]any); ok {
		delete(annotations, "deployment.kubernetes.io/revision")
		if len(annotations) == 0 {
			delete(metadata, "annotations")
		}
	}
	entries, ok := metadata["managedFields"].([]any)
	if !ok {
		return
	}
	entries = slices.DeleteFunc(entries, func(entry any) bool { return slices.Contains(controllers, text(entry, "manager")) })
	// The API server sorts them by the second in which they came to be.
	slices.SortFunc(entries, func(a, b any) int {
		return cmp.Or(cmp.Compare(text(a, "manager"), text(b, "manager")), cmp.Compare(text(a, "operation"), text(b, "operation")),
			cmp.Compare(text(a, "subresource"), text(b, "subresource")), cmp.Compare(text(a, "apiVersion"), text(b, "apiVersion")))
	})
	if metadata["managedFields"] = entries; len(entries) == 0 {
		delete(metadata, "managedFields")
	}
}

func text(value any, field string) string {
	object, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	found, _ := object[field].(string)
	return found
}
