package inventory

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Place is where a parent was found.
type Place struct {
	// Namespace is the namespace of the inventory, and Set the name of the set.
	Namespace, Set string
	// ID is the value of the part-of label on the set's objects.
	ID string
	// Parent is what is recorded there.
	Parent *Parent
}

// Find returns the parents in the namespace, or, with "", in all namespaces.
func Find(ctx context.Context, core typedcorev1.CoreV1Interface, namespace string) ([]Place, error) {
	secrets, err := core.Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: idLabel})
	if err != nil {
		where := "namespace " + namespace
		if namespace == metav1.NamespaceAll {
			where = "all namespaces"
		}
		return nil, fmt.Errorf("list the inventories in %s: %w", where, err)
	}
	var found []Place
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		set := secret.Annotations[setAnnotation]
		if id := ID(secret.Namespace, set); secret.Name == name(set) && secret.Labels[idLabel] == id {
			found = append(found, Place{Namespace: secret.Namespace, Set: set, ID: id, Parent: parentOf(secret)})
		}
	}
	return found, nil
}

// parentLabel is what Store.Label sets.
const parentLabel = "fleet.fleetform.io/parent-of"

// ListLabelled returns the parents with the label, by their namespace, with one LIST over all namespaces.
func ListLabelled(ctx context.Context, core typedcorev1.CoreV1Interface, label string) (map[string]*Parent, error) {
	secrets, err := core.Secrets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: parentLabel + "=" + label})
	if err != nil {
		return nil, fmt.Errorf("list the inventories of a set in all namespaces: %w", err)
	}
	found := map[string]*Parent{}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		set := secret.Annotations[setAnnotation]
		if secret.Name == name(set) && secret.Labels[idLabel] == ID(secret.Namespace, set) && managedByUs(secret) {
			found[secret.Namespace] = parentOf(secret)
		}
	}
	return found, nil
}
