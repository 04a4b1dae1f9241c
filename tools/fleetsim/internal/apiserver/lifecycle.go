package apiserver

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	api "k8s.io/kubernetes/pkg/apis/core"
)

// lifecycle is the admission plugin NamespaceLifecycle of the real API server, which keeps objects out of namespaces that are not there. The
// real one knows of one cluster's namespaces only.
type lifecycle struct{ namespaces func() rest.Getter }

var _ admission.MutationInterface = lifecycle{}

// immortal namespaces cannot be deleted.
var immortal = map[string]bool{metav1.NamespaceDefault: true, metav1.NamespaceSystem: true, metav1.NamespacePublic: true}

// Handles says that all writes are looked at.
func (lifecycle) Handles(operation admission.Operation) bool { return operation != admission.Connect }

// Admit refuses what the real plugin refuses, in its words.
func (l lifecycle) Admit(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	namespace := a.GetKind().GroupKind() == corev1.SchemeGroupVersion.WithKind("Namespace").GroupKind()
	if namespace && a.GetOperation() == admission.Delete && immortal[a.GetName()] {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), fmt.Errorf("this namespace may not be deleted"))
	}
	review := a.GetResource().GroupResource().Group == "authorization.k8s.io"
	if namespace || review || a.GetNamespace() == "" || a.GetOperation() == admission.Delete {
		return nil
	}
	found, err := l.namespaces().Get(request.WithNamespace(ctx, ""), a.GetNamespace(), &metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		// The storage tells of what the request is for, which is something else.
		return apierrors.NewNotFound(corev1.Resource("namespaces"), a.GetNamespace())
	}
	if err != nil {
		return err
	}
	ns, ok := found.(*api.Namespace)
	if !ok || a.GetOperation() != admission.Create || ns.Status.Phase != api.NamespaceTerminating {
		return nil
	}
	refused := admission.NewForbidden(a, fmt.Errorf("unable to create new content in namespace %s because it is being terminated", a.GetNamespace()))
	if status, ok := refused.(*apierrors.StatusError); ok { //nolint:errorlint // It was made in the line above.
		status.ErrStatus.Details.Causes = append(status.ErrStatus.Details.Causes, metav1.StatusCause{
			Type:    corev1.NamespaceTerminatingCause,
			Message: fmt.Sprintf("namespace %s is being terminated", a.GetNamespace()),
			Field:   "metadata.namespace",
		})
	}
	return refused
}
