package inventory

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// The names KEP-3659 gives to what identifies a set.
const (
	idLabel              = "applyset.kubernetes.io/id"
	toolingAnnotation    = "applyset.kubernetes.io/tooling"
	groupKindsAnnotation = "applyset.kubernetes.io/contains-group-kinds"
	namespacesAnnotation = "applyset.kubernetes.io/additional-namespaces"
	tooling              = "terraform-provider-fleet/v1"
)

// What the parent says beyond KEP-3659.
const (
	ownerAnnotation    = "fleet.fleetform.io/owner"
	instanceAnnotation = "fleet.fleetform.io/instance"
	phaseAnnotation    = "fleet.fleetform.io/phase"
	setAnnotation      = "fleet.fleetform.io/set"
	movedAnnotation    = "fleet.fleetform.io/moved-to"
	saltKey            = "salt"
)

// manager is the field manager of parents and of the namespace they live in.
const manager = "terraform-provider-fleet"

// Phase is how far the last run on the cluster came.
type Phase string

// The phases of a set on a cluster.
const (
	// Applying is a run at work, or one that was killed.
	Applying Phase = "applying"
	// Applied is a run that did all it was to do.
	Applied Phase = "applied"
	// Failed is a run that ended with an error on this cluster.
	Failed Phase = "failed"
	// HandedOver is a resource that was destroyed to be replaced: the objects are its successor's.
	HandedOver Phase = "handed-over"
)

// Parent is what a cluster knows of one set.
type Parent struct {
	// Owner is the configuration the set belongs to.
	Owner string
	// Instance is the resource instance that last wrote; its successor carries on.
	Instance string
	// Phase is how far the last run came.
	Phase Phase
	// Kinds are the kinds the set may have objects of on this cluster.
	Kinds []schema.GroupKind
	// Namespaces are those it may have objects in.
	Namespaces []string
	// Salt makes digests of secret values worthless to who does not have the cluster.
	Salt []byte
	// MovedTo is the namespace and name, as "namespace/name", of the set that this one is being moved to; empty where it is not.
	MovedTo string
}

// Store reads and writes the parent of one set on one cluster.
type Store struct {
	core      typedcorev1.CoreV1Interface
	namespace string
	set       string
}

// NewStore keeps the set's parent in the namespace.
func NewStore(core typedcorev1.CoreV1Interface, namespace, set string) *Store {
	return &Store{core: core, namespace: namespace, set: set}
}

// ID is the value of the part-of label on the set's objects, as KEP-3659 computes it.
func ID(namespace, set string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{name(set), namespace, "Secret", ""}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

func name(set string) string { return "fleet-" + set }

// List returns the parents in the namespace, by the name of their set.
func List(ctx context.Context, core typedcorev1.CoreV1Interface, namespace string) (map[string]*Parent, error) {
	secrets, err := core.Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: idLabel})
	if err != nil {
		return nil, fmt.Errorf("list the inventories in namespace %s: %w", namespace, err)
	}
	found := map[string]*Parent{}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		set := secret.Annotations[setAnnotation]
		if secret.Name == name(set) && secret.Labels[idLabel] == ID(namespace, set) {
			found[set] = parentOf(secret)
		}
	}
	return found, nil
}

// Read returns the set's parent, nil where there is none.
func (s *Store) Read(ctx context.Context) (*Parent, error) {
	secret, err := s.core.Secrets(s.namespace).Get(ctx, name(s.set), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the inventory %s/%s: %w", s.namespace, name(s.set), err)
	}
	if got, want := secret.Labels[idLabel], ID(s.namespace, s.set); got != want {
		return nil, fmt.Errorf("the Secret %s/%s is not this set's inventory: its label %s is %q, want %q; rename the set or remove the Secret", s.namespace, name(s.set), idLabel, got, want)
	}
	return parentOf(secret), nil
}

func parentOf(secret *corev1.Secret) *Parent {
	a := secret.Annotations
	p := &Parent{Owner: a[ownerAnnotation], Instance: a[instanceAnnotation], Phase: Phase(a[phaseAnnotation]), Salt: secret.Data[saltKey], MovedTo: a[movedAnnotation]}
	for _, text := range split(a[groupKindsAnnotation]) {
		p.Kinds = append(p.Kinds, schema.ParseGroupKind(text))
	}
	p.Namespaces = append(split(a[namespacesAnnotation]), secret.Namespace)
	return p
}

// Write stores the parent and creates the inventory namespace where it is missing. A parent without salt gets one.
func (s *Store) Write(ctx context.Context, p *Parent) error {
	if len(p.Salt) == 0 {
		p.Salt = make([]byte, 32)
		if _, err := rand.Read(p.Salt); err != nil {
			return fmt.Errorf("make a salt: %w", err)
		}
	}
	err := s.apply(ctx, p)
	if apierrors.IsNotFound(err) {
		if err := s.createNamespace(ctx); err != nil {
			return err
		}
		err = s.apply(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("write the inventory %s/%s: %w", s.namespace, name(s.set), err)
	}
	return nil
}

func (s *Store) apply(ctx context.Context, p *Parent) error {
	kinds := make([]string, 0, len(p.Kinds))
	for _, k := range p.Kinds {
		kinds = append(kinds, k.String())
	}
	slices.Sort(kinds)
	namespaces := slices.DeleteFunc(slices.Clone(p.Namespaces), func(ns string) bool { return ns == "" || ns == s.namespace })
	slices.Sort(namespaces)
	secret := applycorev1.Secret(name(s.set), s.namespace).
		WithLabels(map[string]string{idLabel: ID(s.namespace, s.set)}).
		WithAnnotations(map[string]string{
			toolingAnnotation:    tooling,
			groupKindsAnnotation: strings.Join(slices.Compact(kinds), ","),
			namespacesAnnotation: strings.Join(slices.Compact(namespaces), ","),
			ownerAnnotation:      p.Owner,
			instanceAnnotation:   p.Instance,
			phaseAnnotation:      string(p.Phase),
			setAnnotation:        s.set,
		}).
		WithType(corev1.SecretTypeOpaque).
		WithData(map[string][]byte{saltKey: p.Salt})
	if p.MovedTo != "" {
		secret.WithAnnotations(map[string]string{movedAnnotation: p.MovedTo})
	}
	_, err := s.core.Secrets(s.namespace).Apply(ctx, secret, metav1.ApplyOptions{FieldManager: manager, Force: true})
	return err
}

func (s *Store) createNamespace(ctx context.Context) error {
	_, err := s.core.Namespaces().Apply(ctx, applycorev1.Namespace(s.namespace), metav1.ApplyOptions{FieldManager: manager})
	if err != nil {
		return fmt.Errorf("create the inventory namespace %s: %w", s.namespace, err)
	}
	return nil
}

// Delete removes the parent, once nothing of the set is left.
func (s *Store) Delete(ctx context.Context) error {
	err := s.core.Secrets(s.namespace).Delete(ctx, name(s.set), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the inventory %s/%s: %w", s.namespace, name(s.set), err)
	}
	return nil
}

// Include adds kinds and namespaces, so that a run that is killed while it writes them finds them again.
func (p *Parent) Include(kinds []schema.GroupKind, namespaces []string) {
	p.Kinds = append(p.Kinds, kinds...)
	slices.SortFunc(p.Kinds, func(a, b schema.GroupKind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
	p.Kinds = slices.Compact(p.Kinds)
	p.Namespaces = append(p.Namespaces, namespaces...)
	slices.Sort(p.Namespaces)
	p.Namespaces = slices.Compact(p.Namespaces)
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
