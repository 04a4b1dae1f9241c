package manifest

import (
	"fmt"
	"slices"
)

// Stage orders the objects of a set: those of a lower stage are applied before those of a higher one, and
// pruned after them.
type Stage int

// The stages, in the order of an apply.
const (
	// StageDefinitions holds what makes other objects possible: custom resource definitions and namespaces. An
	// apply waits for these before it goes on, since the server refuses what depends on them.
	StageDefinitions Stage = iota
	// StageConfig holds everything built in that has no reason to be elsewhere: accounts, RBAC, configuration, storage,
	// quotas and services, so that pods find what they mount and the policies that judge them.
	StageConfig
	// StageWorkloads holds what makes pods.
	StageWorkloads
	// StageCustom holds custom resources. They come after workloads because an operator of the same set is then
	// on its way, and so that they go before it: a custom resource with a finalizer needs its operator to be deleted.
	StageCustom
	// StageWebhooks holds what judges or serves requests by calling or restricting others. They come last, after
	// the pods behind them, because a webhook or an API service that nobody answers blocks the rest of the apply;
	// and they go first, for the same reason.
	StageWebhooks
)

// LastStage is the stage applied last.
const LastStage = StageWebhooks

// Stages are all stages in the order of an apply.
var Stages = []Stage{StageDefinitions, StageConfig, StageWorkloads, StageCustom, StageWebhooks}

// String names the stage as messages do.
func (s Stage) String() string {
	switch s {
	case StageDefinitions:
		return "definitions"
	case StageConfig:
		return "configuration"
	case StageWorkloads:
		return "workloads"
	case StageCustom:
		return "custom resources"
	case StageWebhooks:
		return "webhooks"
	default:
		return fmt.Sprintf("Stage(%d)", int(s))
	}
}

// StageOf returns the stage of a kind. The version of its API makes no difference.
func StageOf(group, kind string) Stage {
	switch group {
	case "":
		switch kind {
		case "Namespace":
			return StageDefinitions
		case "Pod", "ReplicationController":
			return StageWorkloads
		}
	case "apiextensions.k8s.io":
		if kind == "CustomResourceDefinition" {
			return StageDefinitions
		}
	case "apps":
		switch kind {
		case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
			return StageWorkloads
		}
	case "batch":
		switch kind {
		case "Job", "CronJob":
			return StageWorkloads
		}
	case "admissionregistration.k8s.io", "apiregistration.k8s.io":
		// Every kind of these groups, of today or tomorrow, takes part in answering other requests.
		return StageWebhooks
	}
	if !slices.Contains(builtinGroups, group) {
		return StageCustom
	}
	return StageConfig
}

// builtinGroups are the API groups that Kubernetes itself serves.
var builtinGroups = []string{
	"", "apiextensions.k8s.io", "apps", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io",
	"coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "extensions", "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io",
	"networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
	"storagemigration.k8s.io",
}
