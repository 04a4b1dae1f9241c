package ocmtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
	workv1 "open-cluster-management.io/api/work/v1"
)

// apply applies the manifests of a work, removes what it no longer has, and sets the conditions. It tells whether any failed in a way that
// is worth another try.
func (a *standIn) apply(ctx context.Context, work *workv1.ManifestWork, applied *unstructured.Unstructured) (failed bool, err error) {
	owner := a.owner(applied)
	var known workv1.AppliedManifestWork
	if err := fromObject(applied, &known); err != nil {
		return false, err
	}
	all := true
	var now []workv1.AppliedManifestResourceMeta
	conditions := make([]workv1.ManifestCondition, len(work.Spec.Workload.Manifests))
	for _, i := range inOrder(work.Spec.Workload.Manifests) {
		at, got, err := a.applyOne(ctx, work, i, owner)
		condition := metav1.Condition{Type: workv1.ManifestApplied, Status: metav1.ConditionTrue, Reason: "AppliedManifestComplete", Message: "Apply manifest complete", ObservedGeneration: work.Generation}
		if err != nil {
			all, failed = false, failed || !apierrors.IsConflict(err)
			condition.Status, condition.Reason = metav1.ConditionFalse, "AppliedManifestFailed"
			condition.Message = fmt.Sprintf("Failed to apply manifest: %v", err)
		}
		conditions[i] = a.merged(work, at, condition)
		if err != nil && at.Resource != "" {
			// What could not be applied may be there all the same, as it was applied before.
			got, _ = a.client(schema.GroupVersionResource{Group: at.Group, Version: at.Version, Resource: at.Resource}, at.Namespace).Get(ctx, at.Name, metav1.GetOptions{})
		}
		if got != nil {
			now = append(now, workv1.AppliedManifestResourceMeta{
				ResourceIdentifier: workv1.ResourceIdentifier{Group: at.Group, Resource: at.Resource, Namespace: at.Namespace, Name: at.Name},
				Version:            at.Version, UID: string(got.GetUID()),
			})
		}
	}
	work.Status.ResourceStatus.Manifests = conditions
	condition := metav1.Condition{Type: workv1.WorkApplied, Status: metav1.ConditionTrue, Reason: "AppliedManifestWorkComplete", Message: "Apply manifest work complete", ObservedGeneration: work.Generation}
	if !all {
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, "AppliedManifestWorkFailed", "Failed to apply manifest work"
	}
	meta.SetStatusCondition(&work.Status.Conditions, condition)
	gone := slices.DeleteFunc(slices.Clone(known.Status.AppliedResources), func(old workv1.AppliedManifestResourceMeta) bool {
		return slices.ContainsFunc(now, func(n workv1.AppliedManifestResourceMeta) bool { return n.ResourceIdentifier == old.ResourceIdentifier })
	})
	left, err := a.remove(ctx, gone, owner)
	if err != nil {
		return failed, err
	}
	known.Status.AppliedResources = append(now, left...)
	status, err := asMap(known.Status)
	if err != nil {
		return failed, err
	}
	applied.Object["status"] = status
	_, err = a.site.Resource(AppliedManifestWorks).UpdateStatus(ctx, applied, metav1.UpdateOptions{})
	return failed || len(left) > 0, err
}

// inOrder are the indexes of the manifests in the order in which the agent applies them: definitions and namespaces first.
func inOrder(manifests []workv1.Manifest) []int {
	order := make([]int, len(manifests))
	first := map[int]bool{}
	for i := range manifests {
		order[i] = i
		var o unstructured.Unstructured
		if o.UnmarshalJSON(manifests[i].Raw) == nil {
			first[i] = o.GetKind() == "Namespace" || o.GetKind() == "CustomResourceDefinition"
		}
	}
	slices.SortStableFunc(order, func(x, y int) int {
		switch {
		case first[x] == first[y]:
			return 0
		case first[x]:
			return -1
		}
		return 1
	})
	return order
}

// merged keeps what was known of a manifest beside its Applied condition.
func (a *standIn) merged(work *workv1.ManifestWork, at workv1.ManifestResourceMeta, applied metav1.Condition) workv1.ManifestCondition {
	out := workv1.ManifestCondition{ResourceMeta: at}
	for _, old := range work.Status.ResourceStatus.Manifests {
		if m := old.ResourceMeta; m.Group == at.Group && m.Resource == at.Resource && m.Namespace == at.Namespace && m.Name == at.Name {
			out.Conditions, out.StatusFeedbacks = old.Conditions, old.StatusFeedbacks
		}
	}
	meta.SetStatusCondition(&out.Conditions, applied)
	return out
}

// applyOne applies one manifest, by its strategy.
func (a *standIn) applyOne(ctx context.Context, work *workv1.ManifestWork, i int, owner metav1.OwnerReference) (workv1.ManifestResourceMeta, *unstructured.Unstructured, error) {
	at := workv1.ManifestResourceMeta{Ordinal: int32(i)} //nolint:gosec // a work has few manifests
	body := &unstructured.Unstructured{}
	if err := body.UnmarshalJSON(work.Spec.Workload.Manifests[i].Raw); err != nil {
		return at, nil, err
	}
	kind := body.GroupVersionKind()
	at.Group, at.Version, at.Kind, at.Name, at.Namespace = kind.Group, kind.Version, kind.Kind, body.GetName(), body.GetNamespace()
	a.mapper.Reset()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return at, nil, fmt.Errorf("the server doesn't have a resource type %q", kind.Kind)
	}
	at.Resource = mapping.Resource.Resource
	client := a.client(mapping.Resource, body.GetNamespace())
	config := configOf(work, at)
	strategy := workv1.UpdateStrategy{Type: workv1.UpdateStrategyTypeUpdate}
	if config != nil && config.UpdateStrategy != nil {
		strategy = *config.UpdateStrategy
	}
	switch strategy.Type {
	case workv1.UpdateStrategyTypeReadOnly:
		got, err := client.Get(ctx, body.GetName(), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return at, nil, nil
		}
		return at, got, err
	case workv1.UpdateStrategyTypeCreateOnly:
		got, err := client.Create(ctx, body, metav1.CreateOptions{FieldManager: "work-agent"})
		if apierrors.IsAlreadyExists(err) {
			got, err = client.Get(ctx, body.GetName(), metav1.GetOptions{})
		}
		if err != nil {
			return at, nil, err
		}
		return at, got, a.own(ctx, client, got, owner, owned(work, at))
	case workv1.UpdateStrategyTypeServerSideApply:
		options := metav1.ApplyOptions{FieldManager: workv1.DefaultFieldManager}
		if ssa := strategy.ServerSideApply; ssa != nil {
			options.Force = ssa.Force
			if ssa.FieldManager != "" {
				options.FieldManager = ssa.FieldManager
			}
		}
		got, err := client.Apply(ctx, body.GetName(), body, options)
		if err != nil {
			return at, nil, err
		}
		return at, got, a.own(ctx, client, got, owner, owned(work, at))
	default:
		return at, nil, fmt.Errorf("the stand-in does not know the update strategy %q", strategy.Type)
	}
}

func (a *standIn) client(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	if namespace == "" {
		return a.site.Resource(resource)
	}
	return a.site.Resource(resource).Namespace(namespace)
}

// own adds the owner to an object, or removes it from one that is to be orphaned.
func (a *standIn) own(ctx context.Context, client dynamic.ResourceInterface, obj *unstructured.Unstructured, owner metav1.OwnerReference, wanted bool) error {
	has := slices.ContainsFunc(obj.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.UID == owner.UID })
	if has == wanted {
		return nil
	}
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		now, err := client.Get(ctx, obj.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		owners := slices.DeleteFunc(now.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.UID == owner.UID })
		if wanted {
			owners = append(owners, owner)
		}
		now.SetOwnerReferences(owners)
		_, err = client.Update(ctx, now, metav1.UpdateOptions{FieldManager: "work"})
		return err
	})
}

// owned tells whether an object goes with the work.
func owned(work *workv1.ManifestWork, at workv1.ManifestResourceMeta) bool {
	option := work.Spec.DeleteOption
	switch {
	case option == nil || option.PropagationPolicy == workv1.DeletePropagationPolicyTypeForeground:
		return true
	case option.PropagationPolicy == workv1.DeletePropagationPolicyTypeOrphan:
		return false
	case option.SelectivelyOrphan == nil:
		return true
	}
	return !slices.ContainsFunc(option.SelectivelyOrphan.OrphaningRules, func(r workv1.OrphaningRule) bool {
		return r.Group == at.Group && r.Resource == at.Resource && r.Namespace == at.Namespace && r.Name == at.Name
	})
}

// remove deletes objects that no work owns besides, and returns those that are still there.
func (a *standIn) remove(ctx context.Context, resources []workv1.AppliedManifestResourceMeta, owner metav1.OwnerReference) ([]workv1.AppliedManifestResourceMeta, error) {
	var left []workv1.AppliedManifestResourceMeta
	for _, r := range resources {
		client := a.client(schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource}, r.Namespace)
		got, err := client.Get(ctx, r.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		owners := got.GetOwnerReferences()
		mine := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool { return o.UID == owner.UID })
		others := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool {
			return o.UID != owner.UID && o.Kind == "AppliedManifestWork"
		})
		switch {
		case !mine || r.UID != string(got.GetUID()):
		case others:
			if err := a.own(ctx, client, got, owner, false); err != nil {
				return nil, err
			}
		case got.GetDeletionTimestamp() != nil:
			left = append(left, r)
		default:
			background, uid := metav1.DeletePropagationBackground, got.GetUID()
			err := client.Delete(ctx, r.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &background})
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				return nil, err
			}
			left = append(left, r)
		}
	}
	return left, nil
}

func configOf(work *workv1.ManifestWork, at workv1.ManifestResourceMeta) *workv1.ManifestConfigOption {
	for i := range work.Spec.ManifestConfigs {
		id := work.Spec.ManifestConfigs[i].ResourceIdentifier
		if id.Group == at.Group && id.Resource == at.Resource && id.Namespace == at.Namespace && strings.EqualFold(id.Name, at.Name) {
			return &work.Spec.ManifestConfigs[i]
		}
	}
	return nil
}
