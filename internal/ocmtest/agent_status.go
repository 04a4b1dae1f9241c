package ocmtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/jsonpath"
	workv1 "open-cluster-management.io/api/work/v1"
)

// feedBack reads what the manifests of a work have become on the site.
func (a *standIn) feedBack(ctx context.Context, work *workv1.ManifestWork) error {
	if meta.FindStatusCondition(work.Status.Conditions, workv1.WorkApplied) == nil {
		return nil
	}
	rules := map[string]metav1.ConditionStatus{}
	available := metav1.Condition{Type: workv1.WorkAvailable, Status: metav1.ConditionTrue, Reason: "ResourcesAvailable", Message: "All resources are available", ObservedGeneration: work.Generation}
	for i := range work.Status.ResourceStatus.Manifests {
		m := &work.Status.ResourceStatus.Manifests[i]
		at := m.ResourceMeta
		condition := metav1.Condition{Type: workv1.ManifestAvailable, Status: metav1.ConditionTrue, Reason: "ResourceAvailable", Message: "Resource is available"}
		var obj *unstructured.Unstructured
		var err error
		if at.Resource != "" {
			obj, err = a.client(schema.GroupVersionResource{Group: at.Group, Version: at.Version, Resource: at.Resource}, at.Namespace).Get(ctx, at.Name, metav1.GetOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if at.Resource == "" || err != nil {
			condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, "ResourceNotAvailable", "Resource is not available"
			available.Status, available.Reason, available.Message = metav1.ConditionFalse, "ResourcesNotAvailable", "Some resources are not available"
		}
		meta.SetStatusCondition(&m.Conditions, condition)
		config := configOf(work, at)
		if condition.Status != metav1.ConditionTrue || config == nil {
			continue
		}
		var errs []error
		m.StatusFeedbacks.Values, errs = values(obj, config.FeedbackRules)
		synced := metav1.Condition{Type: "StatusFeedbackSynced", Status: metav1.ConditionTrue, Reason: "StatusFeedbackSynced"}
		if len(errs) > 0 {
			synced.Status, synced.Reason, synced.Message = metav1.ConditionFalse, "StatusFeedbackSyncFailed", errors.Join(errs...).Error()
		}
		meta.SetStatusCondition(&m.Conditions, synced)
		for _, rule := range config.ConditionRules {
			status, why := evaluate(obj, rule)
			meta.SetStatusCondition(&m.Conditions, metav1.Condition{Type: rule.Condition, Status: status, Reason: workv1.ConditionRuleEvaluated, Message: why, ObservedGeneration: work.Generation})
			rules[rule.Condition] = aggregate(rule.Condition, rules[rule.Condition], status)
		}
	}
	meta.SetStatusCondition(&work.Status.Conditions, available)
	for condition, status := range rules {
		meta.SetStatusCondition(&work.Status.Conditions, metav1.Condition{Type: condition, Status: status, Reason: workv1.ConditionRuleEvaluated, Message: "by the rules of the manifests", ObservedGeneration: work.Generation})
	}
	return nil
}

// aggregate is the condition of a work by those of its manifests: Progressing is true if any is, any other false if any is.
func aggregate(condition string, sum, next metav1.ConditionStatus) metav1.ConditionStatus {
	wins := metav1.ConditionFalse
	if condition == workv1.WorkProgressing || condition == workv1.WorkDegraded {
		wins = metav1.ConditionTrue
	}
	if sum == "" || next == wins {
		return next
	}
	return sum
}

// wellKnown are the values of the rule WellKnownStatus for the kinds of the tests.
var wellKnown = map[schema.GroupKind][]workv1.JsonPath{
	{Group: "apps", Kind: "Deployment"}: {
		{Name: "ReadyReplicas", Path: ".status.readyReplicas"}, {Name: "Replicas", Path: ".status.replicas"}, {Name: "AvailableReplicas", Path: ".status.availableReplicas"},
	},
}

// values are the values that feedback rules yield of an object: scalars only, of what is there.
func values(obj *unstructured.Unstructured, rules []workv1.FeedbackRule) ([]workv1.FeedbackValue, []error) {
	var out []workv1.FeedbackValue
	var errs []error
	for _, rule := range rules {
		paths := rule.JsonPaths
		if rule.Type == workv1.WellKnownStatusType {
			paths = wellKnown[obj.GroupVersionKind().GroupKind()]
		}
		for _, path := range paths {
			value, err := valueAt(obj, path)
			if err != nil {
				errs = append(errs, err)
			} else if value != nil {
				out = append(out, *value)
			}
		}
	}
	return out, errs
}

func valueAt(obj *unstructured.Unstructured, at workv1.JsonPath) (*workv1.FeedbackValue, error) {
	path := jsonpath.New(at.Name).AllowMissingKeys(true)
	if err := path.Parse("{" + at.Path + "}"); err != nil {
		return nil, fmt.Errorf("failed to parse json path %s of %s with error: %w", at.Path, at.Name, err)
	}
	results, err := path.FindResults(obj.Object)
	if err != nil {
		return nil, fmt.Errorf("failed to find value for %s with error: %w", at.Name, err)
	}
	if len(results) == 0 || len(results[0]) == 0 || results[0][0].Interface() == nil {
		return nil, nil
	}
	value := &workv1.FeedbackValue{Name: at.Name}
	switch v := results[0][0].Interface().(type) {
	case int64:
		value.Value = workv1.FieldValue{Type: workv1.Integer, Integer: &v}
	case string:
		value.Value = workv1.FieldValue{Type: workv1.String, String: &v}
	case bool:
		value.Value = workv1.FieldValue{Type: workv1.Boolean, Boolean: &v}
	default:
		return nil, fmt.Errorf("the type %T of the value for %s is not found", v, at.Name)
	}
	return value, nil
}

// evaluate is the condition that a rule gives an object.
func evaluate(obj *unstructured.Unstructured, rule workv1.ConditionRule) (metav1.ConditionStatus, string) {
	env, err := cel.NewEnv(cel.Variable("object", cel.DynType), cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true))
	if err != nil {
		return metav1.ConditionUnknown, err.Error()
	}
	for _, text := range rule.CelExpressions {
		ast, issues := env.Compile(text)
		if issues.Err() != nil {
			return metav1.ConditionFalse, issues.Err().Error()
		}
		program, err := env.Program(ast)
		if err != nil {
			return metav1.ConditionUnknown, err.Error()
		}
		out, _, err := program.Eval(map[string]any{"object": obj.Object})
		if err != nil {
			return metav1.ConditionFalse, err.Error()
		}
		if out.Value() != true {
			return metav1.ConditionFalse, "Manifest is not " + rule.Condition
		}
	}
	return metav1.ConditionTrue, "Manifest is " + rule.Condition
}

// writeStatus tells the hub what has changed.
func (a *standIn) writeStatus(ctx context.Context, raw *unstructured.Unstructured, before, work *workv1.ManifestWork) error {
	if equality.Semantic.DeepEqual(before.Status, work.Status) {
		return nil
	}
	status, err := asMap(work.Status)
	if err != nil {
		return err
	}
	raw.Object["status"] = status
	_, err = a.hub.Resource(ManifestWorks).Namespace(a.cluster).UpdateStatus(ctx, raw, metav1.UpdateOptions{FieldManager: "work-agent"})
	if err != nil {
		// What was not told has to be told again.
		delete(a.applied, work.Name)
	}
	return err
}

func asMap(from any) (map[string]any, error) {
	text, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	var into map[string]any
	return into, json.Unmarshal(text, &into)
}
