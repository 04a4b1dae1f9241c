package ocmtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	workv1 "open-cluster-management.io/api/work/v1"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

// RealAgent names the environment variable with the path of the real work agent's program.
const RealAgent = "FLEET_OCM_AGENT"

// Agent is a work agent of one managed cluster.
type Agent struct {
	// Real tells that it is the real one.
	Real bool
	stop func()
	once sync.Once
}

// Stop ends the agent, as when the site is cut off.
func (a *Agent) Stop() { a.once.Do(a.stop) }

// StartAgent runs a work agent that applies the works of a managed cluster to a site until the test ends: the real one where the
// environment names it, else the stand-in.
func StartAgent(t testing.TB, hub *Hub, cluster string, site *fleettest.Cluster) *Agent {
	t.Helper()
	install(t, site, "site", onSite)
	a := &Agent{stop: func() {}}
	t.Cleanup(func() {
		a.Stop()
		hub.letGo(t, cluster)
	})
	if program := os.Getenv(RealAgent); program != "" {
		a.Real, a.stop = true, startReal(t, program, hub, cluster, site)
		t.Logf("the agent of %s is the real one, %s", cluster, program)
		return a
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	a.stop = func() {
		cancel()
		running.Wait()
	}
	standIn, err := newStandIn(hub, cluster, site)
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { standIn.run(ctx, t.Logf) })
	return a
}

// standIn follows the documented contract of the work agent, by asking the hub over and over.
type standIn struct {
	hub, site dynamic.Interface
	cluster   string
	hash      string
	mapper    meta.ResettableRESTMapper
	// applied are the generations that were applied, and when, by name.
	applied map[string]attempt
}

type attempt struct {
	generation int64
	failed     bool
	at         time.Time
}

const (
	// pause is how often the hub is asked, and resync how often what is applied is applied again. The real agent does that every four
	// minutes.
	pause  = 100 * time.Millisecond
	resync = 20 * time.Second
	// again is how long after a failure is tried again.
	again = time.Second
)

func newStandIn(hub *Hub, cluster string, site *fleettest.Cluster) (*standIn, error) {
	client, err := dynamic.NewForConfig(site.AdminConfig())
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(site.AdminConfig())
	if err != nil {
		return nil, err
	}
	return &standIn{
		hub: hub.client, site: client, cluster: cluster, hash: fmt.Sprintf("%x", sha256.Sum256([]byte(hub.Host+cluster))),
		mapper: restmapper.NewDeferredDiscoveryRESTMapper(cached{found}), applied: map[string]attempt{},
	}, nil
}

// cached makes a discovery client of one that keeps nothing: a definition that a work brings has to be found at once.
type cached struct{ discovery.DiscoveryInterface }

func (cached) Fresh() bool { return true }
func (cached) Invalidate() {}

func (a *standIn) run(ctx context.Context, log func(string, ...any)) {
	last := ""
	for ctx.Err() == nil {
		if err := a.round(ctx); err != nil && ctx.Err() == nil && err.Error() != last {
			last = err.Error()
			log("the agent of %s: %v", a.cluster, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (a *standIn) round(ctx context.Context) error {
	list, err := a.hub.Resource(ManifestWorks).Namespace(a.cluster).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var errs []error
	for i := range list.Items {
		if err := a.sync(ctx, &list.Items[i]); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("%s: %w", list.Items[i].GetName(), err))
		}
	}
	return errors.Join(errs...)
}

// sync does for one work what the agent's controllers do.
func (a *standIn) sync(ctx context.Context, raw *unstructured.Unstructured) error {
	var work workv1.ManifestWork
	if err := fromObject(raw, &work); err != nil {
		return err
	}
	if work.DeletionTimestamp != nil {
		return a.finalize(ctx, raw, &work)
	}
	if !slices.Contains(work.Finalizers, workv1.ManifestWorkFinalizer) {
		raw.SetFinalizers(append(raw.GetFinalizers(), workv1.ManifestWorkFinalizer))
		_, err := a.hub.Resource(ManifestWorks).Namespace(a.cluster).Update(ctx, raw, metav1.UpdateOptions{FieldManager: "work-agent"})
		return err
	}
	applied, err := a.appliedWork(ctx, &work)
	if err != nil {
		return err
	}
	before := work.DeepCopy()
	last := a.applied[work.Name]
	if due := work.Generation != last.generation || time.Since(last.at) > resync || last.failed && time.Since(last.at) > again; due {
		failed, err := a.apply(ctx, &work, applied)
		if err != nil {
			return err
		}
		a.applied[work.Name] = attempt{generation: work.Generation, failed: failed, at: time.Now()}
	}
	if err := a.feedBack(ctx, &work); err != nil {
		// What was applied has not been told yet.
		delete(a.applied, work.Name)
		return err
	}
	return a.writeStatus(ctx, raw, before, &work)
}

func (a *standIn) owner(applied *unstructured.Unstructured) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "work.open-cluster-management.io/v1", Kind: "AppliedManifestWork", Name: applied.GetName(), UID: applied.GetUID()}
}

// appliedWork is what the site knows of a work.
func (a *standIn) appliedWork(ctx context.Context, work *workv1.ManifestWork) (*unstructured.Unstructured, error) {
	name := a.hash + "-" + work.Name
	got, err := a.site.Resource(AppliedManifestWorks).Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return got, err
	}
	body := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"hubHash": a.hash, "agentID": a.hash, "manifestWorkName": work.Name}}}
	body.SetGroupVersionKind(AppliedManifestWorks.GroupVersion().WithKind("AppliedManifestWork"))
	body.SetName(name)
	body.SetFinalizers([]string{workv1.AppliedManifestWorkFinalizer})
	return a.site.Resource(AppliedManifestWorks).Create(ctx, body, metav1.CreateOptions{})
}

// finalize removes what a deleted work has applied, and lets the work go once that is gone.
func (a *standIn) finalize(ctx context.Context, raw *unstructured.Unstructured, work *workv1.ManifestWork) error {
	if !slices.Contains(raw.GetFinalizers(), workv1.ManifestWorkFinalizer) {
		return nil
	}
	applied, err := a.site.Resource(AppliedManifestWorks).Get(ctx, a.hash+"-"+work.Name, metav1.GetOptions{})
	if err == nil {
		var known workv1.AppliedManifestWork
		if err := fromObject(applied, &known); err != nil {
			return err
		}
		left, err := a.remove(ctx, known.Status.AppliedResources, a.owner(applied))
		if err != nil || len(left) > 0 {
			return err
		}
		applied.SetFinalizers(nil)
		if applied, err = a.site.Resource(AppliedManifestWorks).Update(ctx, applied, metav1.UpdateOptions{}); err != nil {
			return err
		}
		if err := a.site.Resource(AppliedManifestWorks).Delete(ctx, applied.GetName(), metav1.DeleteOptions{}); err != nil {
			return err
		}
	} else if !apierrors.IsNotFound(err) {
		return err
	}
	delete(a.applied, work.Name)
	raw.SetFinalizers(slices.DeleteFunc(raw.GetFinalizers(), func(f string) bool { return f == workv1.ManifestWorkFinalizer }))
	_, err = a.hub.Resource(ManifestWorks).Namespace(a.cluster).Update(ctx, raw, metav1.UpdateOptions{FieldManager: "work-agent"})
	return err
}
