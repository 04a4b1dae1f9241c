package inventory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
)

// ErrChanged says that the parent is not as it was read any more, or not there, and that nothing was written.
var ErrChanged = errors.New("somebody changed the inventory in the meantime")

// Write stores the parent, if it is still as it was read, or still not there; else it fails with ErrChanged. It creates the
// inventory's namespace where that is missing. A parent without salt gets one.
func (s *Store) Write(ctx context.Context, p *Parent) error {
	if len(p.Salt) == 0 {
		p.Salt = make([]byte, 32)
		if _, err := rand.Read(p.Salt); err != nil {
			return fmt.Errorf("make a salt: %w", err)
		}
	}
	secret := corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: name(s.set), Namespace: s.namespace,
			Labels:      map[string]string{idLabel: ID(s.namespace, s.set)},
			Annotations: s.annotations(p),
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{saltKey: p.Salt},
	}
	if s.Label != "" {
		secret.Labels[parentLabel] = s.Label
	}
	if p.Removal != "" {
		secret.Data[removalKey] = []byte(p.Removal)
	}
	if p.uid != "" {
		data := map[string]any{saltKey: p.Salt, removalKey: secret.Data[removalKey]}
		annotations := map[string]any{movedAnnotation: nil, revisionAnnotation: nil, previousAnnotation: nil, contentsAnnotation: nil}
		for key, value := range secret.Annotations {
			annotations[key] = value
		}
		return s.patch(ctx, p, map[string]any{"labels": secret.Labels, "annotations": annotations}, data)
	}
	created, err := s.create(ctx, &secret)
	if apierrors.IsNotFound(err) && s.NamespaceExists {
		return s.noNamespace()
	}
	if apierrors.IsNotFound(err) {
		if err := s.createNamespace(ctx); err != nil {
			return err
		}
		created, err = s.create(ctx, &secret)
	}
	if apierrors.IsAlreadyExists(err) {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("write the inventory %s/%s: %w", s.namespace, name(s.set), err)
	}
	p.follow(created)
	return nil
}

// ErrNoNamespace says that the inventory's namespace does not exist.
var ErrNoNamespace = errors.New("the namespace of the inventory does not exist")

// Try creates a parent without creating anything, to see whether it could be. It fails with ErrNoNamespace where the namespace is
// missing.
func (s *Store) Try(ctx context.Context) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name(s.set), Namespace: s.namespace, Labels: map[string]string{idLabel: ID(s.namespace, s.set)}}}
	_, err := s.core.Secrets(s.namespace).Create(ctx, secret, metav1.CreateOptions{FieldManager: manager, DryRun: []string{metav1.DryRunAll}})
	switch {
	case apierrors.IsNotFound(err):
		return s.noNamespace()
	case err != nil && !apierrors.IsAlreadyExists(err):
		return fmt.Errorf("write the inventory %s/%s: %w", s.namespace, name(s.set), err)
	}
	return nil
}

func (s *Store) noNamespace() error {
	if s.NamespaceExists {
		return fmt.Errorf("%w: create %s, since with the scope \"namespaced\" the provider creates none", ErrNoNamespace, s.namespace)
	}
	return fmt.Errorf("%w: %s", ErrNoNamespace, s.namespace)
}

// Beat stores the time at which the run that works on the set was last alive, and nothing else. Like Write, it changes only
// what is as it was read.
func (s *Store) Beat(ctx context.Context, p *Parent, at time.Time) error {
	return s.patch(ctx, p, map[string]any{"annotations": map[string]string{heartbeatAnnotation: stamp(at)}}, nil)
}

// Delete removes the parent with the contents it names, once nothing of the set is left, if it is still as it was read. One that is gone is
// no error.
func (s *Store) Delete(ctx context.Context, p *Parent) error {
	if p.uid == "" {
		return nil
	}
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &p.uid, ResourceVersion: &p.version}}
	err := s.core.Secrets(s.namespace).Delete(ctx, name(s.set), options)
	switch {
	case apierrors.IsConflict(err):
		return ErrChanged
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("delete the inventory %s/%s: %w", s.namespace, name(s.set), err)
	}
	for revision := range p.Contents {
		if err := s.Drop(ctx, p, revision); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) annotations(p *Parent) map[string]string {
	kinds := make([]string, 0, len(p.Kinds))
	for _, k := range p.Kinds {
		kinds = append(kinds, k.String())
	}
	annotations := map[string]string{
		toolingAnnotation:    s.tooling,
		groupKindsAnnotation: list(kinds),
		namespacesAnnotation: list(slices.DeleteFunc(slices.Clone(p.Namespaces), func(ns string) bool { return ns == "" || ns == s.namespace })),
		ownerAnnotation:      p.Owner,
		instanceAnnotation:   p.Instance,
		phaseAnnotation:      string(p.Phase),
		runAnnotation:        p.Run.text(),
		heartbeatAnnotation:  stamp(p.Heartbeat),
		setAnnotation:        s.set,
		usedAnnotation:       list(slices.DeleteFunc(slices.Clone(p.Namespaces), func(ns string) bool { return ns == "" })),
	}
	for key, value := range map[string]string{
		movedAnnotation: p.MovedTo, revisionAnnotation: p.Revision, previousAnnotation: p.Previous, contentsAnnotation: contentsText(p.Contents),
	} {
		if value != "" {
			annotations[key] = value
		}
	}
	return annotations
}

// patch merges into the Secret that was read. The uid keeps it from another Secret of the name, and the version from what
// somebody else has written since.
func (s *Store) patch(ctx context.Context, p *Parent, metadata, data map[string]any) error {
	metadata["uid"], metadata["resourceVersion"] = p.uid, p.version
	content := map[string]any{"metadata": metadata}
	if data != nil {
		content["data"] = data
	}
	body, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode the inventory: %w", err)
	}
	written, err := s.core.Secrets(s.namespace).Patch(ctx, name(s.set), types.MergePatchType, body, metav1.PatchOptions{FieldManager: manager})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("write the inventory %s/%s: %w", s.namespace, name(s.set), err)
	}
	p.follow(written)
	return nil
}

func (s *Store) create(ctx context.Context, secret *corev1.Secret) (*corev1.Secret, error) {
	return s.core.Secrets(s.namespace).Create(ctx, secret, metav1.CreateOptions{FieldManager: manager})
}

func (s *Store) createNamespace(ctx context.Context) error {
	_, err := s.core.Namespaces().Apply(ctx, applycorev1.Namespace(s.namespace), metav1.ApplyOptions{FieldManager: manager})
	if err != nil {
		return fmt.Errorf("create the inventory namespace %s: %w", s.namespace, err)
	}
	return nil
}

// list prints names as KEP-3659 wants them.
func list(names []string) string {
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// stamp prints a time; no time is the empty text.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}
