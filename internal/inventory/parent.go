package inventory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/version"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// The names KEP-3659 gives to what identifies a set.
const (
	idLabel              = "applyset.kubernetes.io/id"
	toolingAnnotation    = "applyset.kubernetes.io/tooling"
	groupKindsAnnotation = "applyset.kubernetes.io/contains-group-kinds"
	namespacesAnnotation = "applyset.kubernetes.io/additional-namespaces"
)

// What the parent says beyond KEP-3659.
const (
	ownerAnnotation     = "fleet.fleetform.io/owner"
	instanceAnnotation  = "fleet.fleetform.io/instance"
	phaseAnnotation     = "fleet.fleetform.io/phase"
	runAnnotation       = "fleet.fleetform.io/run"
	heartbeatAnnotation = "fleet.fleetform.io/heartbeat"
	setAnnotation       = "fleet.fleetform.io/set"
	// usedAnnotation has all namespaces with objects; KEP-3659 leaves open whether there are any in the parent's own.
	usedAnnotation  = "fleet.fleetform.io/namespaces"
	movedAnnotation = "fleet.fleetform.io/moved-to"
	// What the cluster runs of the set, what it ran when the last rollout ended well, and which contents it keeps.
	revisionAnnotation = "fleet.fleetform.io/revision"
	previousAnnotation = "fleet.fleetform.io/previous-revision"
	contentsAnnotation = "fleet.fleetform.io/contents"
	removalKey         = "removal"
	saltKey            = "salt"
)

// manager is the field manager of parents and of the namespace they live in, and this tool's name in the tooling annotation.
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
	// Run is the run that last wrote, and Heartbeat when it was last heard of, by its own clock.
	Run       Run
	Heartbeat time.Time
	// Kinds are the kinds the set may have objects of on this cluster.
	Kinds []schema.GroupKind
	// Namespaces are those it may have objects in.
	Namespaces []string
	// Removal says what becomes of the set's objects when they are removed; empty is the default.
	Removal string
	// Salt makes digests of secret values worthless to who does not have the cluster.
	Salt []byte
	// MovedTo is the namespace and name, as "namespace/name", of the set that this one is being moved to; empty where it is not.
	MovedTo string
	// Revision is what the cluster runs, or what the run that is at work, or was killed, was making it run.
	Revision string
	// Previous is the revision that the cluster ran when the last rollout came to its end with it, and that it returns to.
	Previous string
	// Contents are the revisions whose content is kept beside the parent, or is about to be, with the number of its parts.
	Contents map[string]int

	// uid and version are those of the Secret as it was read or last written; empty where there was none.
	uid     types.UID
	version string
}

// Store reads and writes the parent of one set on one cluster.
type Store struct {
	core      typedcorev1.CoreV1Interface
	namespace string
	set       string
	tooling   string
	// NamespaceExists tells that the namespace is there, or that somebody else has to create it.
	NamespaceExists bool
	// Label is set on the parent, by which ListLabelled finds it in any namespace; empty is none.
	Label string
}

// NewStore keeps the set's parent in the namespace; release is the provider's version.
func NewStore(core typedcorev1.CoreV1Interface, namespace, set, release string) *Store {
	return &Store{core: core, namespace: namespace, set: set, tooling: tooling(release)}
}

// Same tells whether two stores keep one and the same parent.
func (s *Store) Same(other *Store) bool { return s.namespace == other.namespace && s.set == other.set }

// tooling says who manages the parent, as "<tool>/<semver>".
func tooling(release string) string {
	if v, err := version.ParseSemantic(release); err == nil {
		return manager + "/v" + v.String()
	}
	// What was not released has a name at most, such as dev.
	return manager + "/v0.0.0-" + cmp.Or(release, "dev")
}

// managedByUs tells whether the parent is one of this tool's: KEP-3659 has every tool keep off the sets of others.
func managedByUs(secret *corev1.Secret) bool {
	tool, _, _ := strings.Cut(secret.Annotations[toolingAnnotation], "/")
	return tool == manager
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
		if secret.Name == name(set) && secret.Labels[idLabel] == ID(namespace, set) && managedByUs(secret) {
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
	if !managedByUs(secret) {
		return nil, fmt.Errorf("the inventory %s/%s is managed by another tool: its annotation %s is %q, want %q; rename the set or have that tool give it up",
			s.namespace, name(s.set), toolingAnnotation, secret.Annotations[toolingAnnotation], s.tooling)
	}
	return parentOf(secret), nil
}

func parentOf(secret *corev1.Secret) *Parent {
	a := secret.Annotations
	p := &Parent{Owner: a[ownerAnnotation], Instance: a[instanceAnnotation], Phase: Phase(a[phaseAnnotation]), Salt: secret.Data[saltKey], Removal: string(secret.Data[removalKey]), MovedTo: a[movedAnnotation]}
	for _, text := range split(a[groupKindsAnnotation]) {
		p.Kinds = append(p.Kinds, schema.ParseGroupKind(text))
	}
	p.Namespaces = split(a[usedAnnotation])
	p.Revision, p.Previous, p.Contents = a[revisionAnnotation], a[previousAnnotation], parseContents(a[contentsAnnotation])
	p.Run = parseRun(a[runAnnotation])
	if at, err := time.Parse(time.RFC3339, a[heartbeatAnnotation]); err == nil {
		p.Heartbeat = at
	}
	p.follow(secret)
	return p
}

// follow notes what the parent's Secret is now.
func (p *Parent) follow(secret *corev1.Secret) { p.uid, p.version = secret.UID, secret.ResourceVersion }

// Refresh takes over from a later reading what a guarded write needs, so that it holds for the Secret as it is now.
func (p *Parent) Refresh(now *Parent) { p.uid, p.version = now.uid, now.version }

// Clone is a copy that can be changed.
func (p *Parent) Clone() *Parent {
	c := *p
	c.Kinds, c.Namespaces, c.Salt, c.Contents = slices.Clone(p.Kinds), slices.Clone(p.Namespaces), slices.Clone(p.Salt), maps.Clone(p.Contents)
	return &c
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
