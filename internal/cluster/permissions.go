package cluster

import (
	"context"
	"fmt"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
)

// Denied is one thing the cluster does not allow us to do.
type Denied struct {
	authorizationv1.ResourceAttributes
	// Reason is what the authorizer says about it, if anything.
	Reason string
}

// String says what is not allowed, such as "create deployments.apps" or "get namespaces kube-system".
func (d Denied) String() string {
	text := d.Verb + " " + d.Resource
	if d.Group != "" {
		text += "." + d.Group
	}
	if d.Subresource != "" {
		text += "/" + d.Subresource
	}
	if d.Name != "" {
		text += " " + d.Name
	}
	if d.Namespace != "" {
		text += " in namespace " + d.Namespace
	}
	return text
}

// Can asks the cluster, all at once, whether we may do what is listed, and returns what we may not, in the order
// given. It writes nothing: an access review is a question.
func (c *Client) Can(ctx context.Context, wanted []authorizationv1.ResourceAttributes) ([]Denied, error) {
	ctx, done := asking(ctx)
	defer done()
	client, err := authorizationclient.NewForConfigAndClient(c.config, c.http)
	if err != nil {
		return nil, err
	}
	results := make([]*authorizationv1.SelfSubjectAccessReview, len(wanted))
	errs := make([]error, len(wanted))
	var wg sync.WaitGroup
	for i, attributes := range wanted {
		wg.Go(func() {
			review := &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes},
			}
			results[i], errs[i] = client.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		})
	}
	wg.Wait()
	var denied []Denied
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("asking whether we may %s: %w", Denied{ResourceAttributes: wanted[i]}, c.explain(ctx, err))
		}
		if status := results[i].Status; !status.Allowed {
			denied = append(denied, Denied{ResourceAttributes: wanted[i], Reason: status.Reason})
		}
	}
	return denied, nil
}
