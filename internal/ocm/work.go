package ocm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// What works and their manifests carry beside the user's.
const (
	// SetLabel is on every work of a set, with the id of the set, by which the works of a fleet are found with one LIST.
	SetLabel = "fleet.fleetform.io/set"
	// SentAnnotation is on every manifest and another each time the manifest is written, so that a report that has it is of this writing.
	SentAnnotation = fleet.SentAnnotation
)

// Works is where hubs serve ManifestWorks.
var Works = schema.GroupVersionResource{Group: workv1.GroupName, Version: "v1", Resource: "manifestworks"}

// WorkKind is their kind.
var WorkKind = Works.GroupVersion().WithKind("ManifestWork")

// WorkName is the name of the nth work of a set.
func WorkName(set string, n int) string { return fmt.Sprintf("fleet-%s-%d", set, n) }

// Manager is the field manager of a set on the sites, in the only form that agents accept.
func Manager(set string) string { return "work-agent-" + set }

// LeftName is the name of a work that hands fields over which a set gives up. It sorts after the set's own.
func LeftName(set string) string { return fmt.Sprintf("fleet-%s-left", set) }

// LeftManager is the field manager that such fields are left to.
func LeftManager(set string) string { return Manager(set) + "-left" }

// Item is an object as a work carries it.
type Item struct {
	Key fleet.ObjectKey
	// Object is what is applied, with the marks.
	Object *unstructured.Unstructured
	// Resource is the plural name of its kind.
	Resource string
	// Config is how the agent is to treat it, and Orphan whether it stays when the work goes or no longer has it.
	Config workv1.ManifestConfigOption
	Orphan bool
	// Room is how much of a work to keep for the object, in bytes, where that is more than it takes now.
	Room int
}

// Options say how an agent is to treat an object.
type Options struct {
	// Manager is the field manager.
	Manager string
	// Force takes fields from other managers.
	Force bool
	// Look only looks whether the object is there, and writes nothing.
	Look bool
	// Report has the agent apply the object only when its manifest changes, and leave alone what becomes of it in between.
	Report bool
	// Judged tells that there is more to the object's health than that it is there, and Fields what that looks at beyond what is usual for
	// its kind.
	Judged bool
	Fields []string
}

// NewItem makes an item of an object.
func NewItem(key fleet.ObjectKey, object *unstructured.Unstructured, resource string, o Options) Item {
	item := Item{Key: key, Object: object, Resource: resource}
	item.Config.ResourceIdentifier = workv1.ResourceIdentifier{Group: key.Group, Resource: resource, Namespace: key.Namespace, Name: key.Name}
	kind := schema.GroupKind{Group: key.Group, Kind: key.Kind}
	if o.Look {
		item.Config.UpdateStrategy = &workv1.UpdateStrategy{Type: workv1.UpdateStrategyTypeReadOnly}
		return item
	}
	ssa := &workv1.ServerSideApplyConfig{Force: o.Force, FieldManager: o.Manager}
	if o.Report {
		// Any such entry makes the agent compare what it last sent instead of what is there.
		ssa.IgnoreFields = []workv1.IgnoreField{{Condition: workv1.IgnoreFieldsConditionOnSpokeChange, JSONPaths: []string{".spec"}}}
	}
	item.Config.UpdateStrategy = &workv1.UpdateStrategy{Type: workv1.UpdateStrategyTypeServerSideApply, ServerSideApply: ssa}
	if o.Judged {
		item.Config.FeedbackRules = rules(kind, o.Fields)
		item.Config.FeedbackScrapeType = workv1.FeedbackWatchType
	}
	item.Config.ConditionRules = progress(kind, o.Judged)
	return item
}

// progress are the rules for the conditions Progressing and Degraded, without which the hub's own rollouts never go on: agents set them by
// rules only.
func progress(kind schema.GroupKind, judged bool) []workv1.ConditionRule {
	progressing, degraded := "false", "false"
	const observed = `has(object.status) && has(object.status.observedGeneration) && object.status.observedGeneration >= object.metadata.generation`
	switch kind {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}, schema.GroupKind{Group: "apps", Kind: "StatefulSet"}:
		updated := `has(object.status.updatedReplicas) && object.status.updatedReplicas >= object.spec.replicas && has(object.status.readyReplicas) && object.status.readyReplicas >= object.spec.replicas`
		progressing = `!(` + observed + ` && (object.spec.replicas == 0 || ` + updated + `))`
		degraded = `has(object.status) && has(object.status.conditions) && object.status.conditions.exists(c, c.type == "Progressing" && c.status == "False")`
	case schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
		progressing = `!(` + observed + ` && (object.status.desiredNumberScheduled == 0 || has(object.status.numberReady) && object.status.numberReady >= object.status.desiredNumberScheduled))`
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		progressing = `!(has(object.status) && has(object.status.conditions) && object.status.conditions.exists(c, (c.type == "Complete" || c.type == "Failed") && c.status == "True"))`
		degraded = `has(object.status) && has(object.status.conditions) && object.status.conditions.exists(c, c.type == "Failed" && c.status == "True")`
	default:
		if judged {
			progressing = `has(object.status) && has(object.status.observedGeneration) && object.status.observedGeneration < object.metadata.generation`
			degraded = `has(object.status) && has(object.status.conditions) && object.status.conditions.exists(c, (c.type == "Degraded" || c.type == "Stalled") && c.status == "True")`
		}
	}
	rule := func(condition, expression string) workv1.ConditionRule {
		return workv1.ConditionRule{Condition: condition, Type: workv1.CelConditionExpressionsType, CelExpressions: []string{expression}}
	}
	return []workv1.ConditionRule{rule(workv1.WorkProgressing, progressing), rule(workv1.WorkDegraded, degraded)}
}

// ConfigText prints how the agent is to treat the item, always the same.
func (i Item) ConfigText() string {
	config := i.Config
	if config.FeedbackScrapeType == "" {
		// As the hub's default has it.
		config.FeedbackScrapeType = workv1.FeedbackPollType
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Size is how much of a work the item takes, in bytes.
func (i Item) Size() (int, error) {
	text, err := json.Marshal(i.Object.Object)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", i.Key, err)
	}
	return max(len(text), i.Room), nil
}

// Spec is the specification of a work with the items. executor is the service account, as "namespace/name", as whom the agent applies.
func Spec(items []Item, executor string) (workv1.ManifestWorkSpec, error) {
	var spec workv1.ManifestWorkSpec
	var orphans []workv1.OrphaningRule
	for _, item := range slices.SortedFunc(slices.Values(items), func(a, b Item) int { return a.Key.Compare(b.Key) }) {
		text, err := json.Marshal(item.Object.Object)
		if err != nil {
			return spec, fmt.Errorf("encode %s: %w", item.Key, err)
		}
		spec.Workload.Manifests = append(spec.Workload.Manifests, workv1.Manifest{RawExtension: runtime.RawExtension{Raw: text}})
		spec.ManifestConfigs = append(spec.ManifestConfigs, item.Config)
		if item.Orphan {
			orphans = append(orphans, workv1.OrphaningRule(item.Config.ResourceIdentifier))
		}
	}
	switch {
	case len(orphans) == 0:
	case len(orphans) == len(items):
		spec.DeleteOption = &workv1.DeleteOption{PropagationPolicy: workv1.DeletePropagationPolicyTypeOrphan}
	default:
		spec.DeleteOption = &workv1.DeleteOption{PropagationPolicy: workv1.DeletePropagationPolicyTypeSelectivelyOrphan,
			SelectivelyOrphan: &workv1.SelectivelyOrphan{OrphaningRules: orphans}}
	}
	if namespace, name, ok := strings.Cut(executor, "/"); ok {
		spec.Executor = &workv1.ManifestWorkExecutor{Subject: workv1.ManifestWorkExecutorSubject{
			Type: workv1.ExecutorSubjectTypeServiceAccount, ServiceAccount: &workv1.ManifestWorkSubjectServiceAccount{Namespace: namespace, Name: name},
		}}
	}
	return spec, nil
}

// Executor is the service account, as "namespace/name", as whom the agent applies the work; empty is the agent itself.
func Executor(work *workv1.ManifestWork) string {
	if e := work.Spec.Executor; e != nil && e.Subject.ServiceAccount != nil {
		return e.Subject.ServiceAccount.Namespace + "/" + e.Subject.ServiceAccount.Name
	}
	return ""
}

// Items reads the items of a work as it is.
func Items(work *workv1.ManifestWork) ([]Item, error) {
	items := make([]Item, 0, len(work.Spec.Workload.Manifests))
	for i, m := range work.Spec.Workload.Manifests {
		obj := &unstructured.Unstructured{}
		if err := obj.UnmarshalJSON(m.Raw); err != nil {
			return nil, fmt.Errorf("manifest %d of ManifestWork %s/%s does not parse: %w", i, work.Namespace, work.Name, err)
		}
		item := Item{Key: KeyOf(obj), Object: obj}
		item.Resource = resourceAt(work, item.Key)
		for _, c := range work.Spec.ManifestConfigs {
			id := c.ResourceIdentifier
			if id.Group == item.Key.Group && id.Namespace == item.Key.Namespace && id.Name == item.Key.Name && (item.Resource == "" || id.Resource == item.Resource) {
				item.Config = c
			}
		}
		if item.Resource == "" {
			item.Resource = item.Config.ResourceIdentifier.Resource
		}
		item.Orphan = orphaned(work.Spec.DeleteOption, workv1.OrphaningRule{Group: item.Key.Group, Resource: item.Resource, Namespace: item.Key.Namespace, Name: item.Key.Name})
		items = append(items, item)
	}
	return items, nil
}

func orphaned(o *workv1.DeleteOption, rule workv1.OrphaningRule) bool {
	switch {
	case o == nil:
		return false
	case o.PropagationPolicy == workv1.DeletePropagationPolicyTypeOrphan:
		return true
	}
	return o.PropagationPolicy == workv1.DeletePropagationPolicyTypeSelectivelyOrphan && o.SelectivelyOrphan != nil && slices.Contains(o.SelectivelyOrphan.OrphaningRules, rule)
}

// KeyOf is the key of an object.
func KeyOf(obj *unstructured.Unstructured) fleet.ObjectKey {
	kind := obj.GroupVersionKind()
	return fleet.ObjectKey{Group: kind.Group, Kind: kind.Kind, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

// Manager is the field manager that the agent applies the item as; empty where it does not.
func (i Item) Manager() string {
	if s := i.Config.UpdateStrategy; s != nil && s.ServerSideApply != nil {
		return s.ServerSideApply.FieldManager
	}
	return ""
}

// LooksOnly tells whether the agent only looks whether the object is there.
func (i Item) LooksOnly() bool {
	s := i.Config.UpdateStrategy
	return s != nil && s.Type == workv1.UpdateStrategyTypeReadOnly
}
