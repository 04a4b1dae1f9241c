// Package floor is what the work costs a program that does nothing else: concurrent requests of client-go, one
// server-side apply for each object, one LIST for each kind, one delete for each object. No provider can be faster.
package floor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/fleetform/terraform-provider-fleet/tools/bench/internal/work"
)

// How much is done at once: the provider's own defaults.
const (
	clustersAtOnce = 32
	requestsAtOnce = 16
)

// The actions of a Task.
const (
	// Apply puts the work on every cluster, the namespace first.
	Apply = "apply"
	// List lists the work's kinds.
	List = "list"
	// Compare lists the work's kinds, and asks by a dry run what would become of the objects that drifted.
	Compare = "compare"
	// ApplyOne puts the first Deployment on every cluster.
	ApplyOne = "apply-one"
	// Delete deletes the work, and ends when it is gone.
	Delete = "delete"
)

// Task is one thing to do on a fleet.
type Task struct {
	Action string
	// Kubeconfig is the path of a kubeconfig; Clusters are its contexts, one for each cluster.
	Kubeconfig string
	Clusters   []string
	Work       work.Work
	// Drifts are the objects that Compare asks about.
	Drifts []work.Drift
}

// Result is what a task took, without the start of the process that did it.
type Result struct{ Wall time.Duration }

// Main runs the task on its input and writes the result to its output, both as JSON: a process of its own is measured
// like any other contestant.
func Main(ctx context.Context, in io.Reader, out io.Writer) error {
	var task Task
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	start := time.Now()
	if err := task.run(ctx); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(Result{Wall: time.Since(start)})
}

func (t Task) run(ctx context.Context) error {
	configs, err := Configs(t.Kubeconfig, t.Clusters, "fleet-bench-floor")
	if err != nil {
		return err
	}
	objects := t.Work.List()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(clustersAtOnce)
	for i, config := range configs {
		group.Go(func() error {
			client, err := dynamic.NewForConfig(config)
			if err != nil {
				return fmt.Errorf("%s: %w", t.Clusters[i], err)
			}
			if err := t.on(ctx, i, client, objects); err != nil {
				return fmt.Errorf("%s: %w", t.Clusters[i], err)
			}
			return nil
		})
	}
	return group.Wait()
}

// on does the task on one cluster.
func (t Task) on(ctx context.Context, cluster int, client dynamic.Interface, objects []work.Object) error {
	switch t.Action {
	case Apply:
		if err := apply(ctx, client, objects[:1], nil); err != nil {
			return err
		}
		return apply(ctx, client, objects[1:], nil)
	case ApplyOne:
		one := work.FirstDeployment(objects)
		if one < 0 {
			return fmt.Errorf("%d objects are too few to have a Deployment", len(objects))
		}
		return apply(ctx, client, objects[one:one+1], nil)
	case List, Compare:
		if _, err := t.list(ctx, client, objects); err != nil {
			return err
		}
		var drifted []work.Object
		for _, drift := range t.Drifts {
			if t.Action == Compare && drift.Cluster == cluster {
				drifted = append(drifted, objects[drift.Object])
			}
		}
		return apply(ctx, client, drifted, []string{metav1.DryRunAll})
	case Delete:
		return t.remove(ctx, client, objects)
	default:
		return fmt.Errorf("there is no action %q", t.Action)
	}
}

func apply(ctx context.Context, client dynamic.Interface, objects []work.Object, dryRun []string) error {
	return each(ctx, objects, func(ctx context.Context, object work.Object) error {
		content := object.Content
		_, err := client.Resource(object.Resource).Namespace(content.GetNamespace()).
			Apply(ctx, content.GetName(), content, metav1.ApplyOptions{FieldManager: "floor", Force: true, DryRun: dryRun})
		return err
	})
}

// list lists the work's kinds, and returns how many objects there are.
func (t Task) list(ctx context.Context, client dynamic.Interface, objects []work.Object) (int, error) {
	resources := work.Resources(objects)
	found := make([]int, len(resources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for i, resource := range resources {
		group.Go(func() error {
			list, err := client.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: work.Label + "=" + t.Work.Name})
			if err != nil {
				return err
			}
			found[i] = len(list.Items)
			return nil
		})
	}
	err := group.Wait()
	total := 0
	for _, n := range found {
		total += n
	}
	return total, err
}

// remove deletes the namespace last, when everything else is gone, as the providers do.
func (t Task) remove(ctx context.Context, client dynamic.Interface, objects []work.Object) error {
	for _, part := range [][]work.Object{objects[1:], objects[:1]} {
		policy := metav1.DeletePropagationForeground
		err := each(ctx, part, func(ctx context.Context, object work.Object) error {
			return client.Resource(object.Resource).Namespace(object.Content.GetNamespace()).
				Delete(ctx, object.Content.GetName(), metav1.DeleteOptions{PropagationPolicy: &policy})
		})
		if err != nil {
			return err
		}
		if err := t.gone(ctx, client, part); err != nil {
			return err
		}
	}
	return nil
}

// gone waits until none of the objects is there any more, and asks ever less often.
func (t Task) gone(ctx context.Context, client dynamic.Interface, objects []work.Object) error {
	for pause := 50 * time.Millisecond; len(objects) > 0; pause = min(pause*3/2, time.Second) {
		left, err := t.list(ctx, client, objects)
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return nil
}

func each(ctx context.Context, objects []work.Object, do func(ctx context.Context, object work.Object) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for _, object := range objects {
		group.Go(func() error {
			if err := do(ctx, object); err != nil {
				return fmt.Errorf("%s %s: %w", object.Content.GetKind(), object.Content.GetName(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Configs are how to reach the contexts of a kubeconfig, without a limit on requests.
func Configs(kubeconfig string, contexts []string, userAgent string) ([]*rest.Config, error) {
	loaded, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return nil, err
	}
	configs := make([]*rest.Config, 0, len(contexts))
	for _, name := range contexts {
		if loaded.Contexts[name] == nil {
			return nil, fmt.Errorf("%s has no context %q", kubeconfig, name)
		}
		config, err := clientcmd.NewNonInteractiveClientConfig(*loaded, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("context %q of %s: %w", name, kubeconfig, err)
		}
		config.QPS, config.UserAgent = -1, userAgent
		configs = append(configs, config)
	}
	return configs, nil
}

// Contexts are the names of a kubeconfig's contexts, sorted.
func Contexts(kubeconfig string) ([]string, error) {
	loaded, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(loaded.Contexts))
	for name := range loaded.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}
