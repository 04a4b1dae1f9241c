package provider_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fleetform/terraform-provider-fleet/internal/fleettest"
)

var podResource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// What differs from one run of a guide to the next, besides times.
var (
	podNames  = regexp.MustCompile(`pod web-[0-9a-z]+-[0-9a-z]{5}\b`)
	addresses = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	uidTexts  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// same gives what is random in an output the values that readers see.
func same(output string) string {
	output = podNames.ReplaceAllString(output, "pod web-6d4cf56db6-x2k7q")
	output = addresses.ReplaceAllString(output, "203.0.113.7:6443")
	uids := map[string]string{}
	return uidTexts.ReplaceAllStringFunc(output, func(uid string) string {
		if uids[uid] == "" {
			uids[uid] = strings.Repeat(fmt.Sprint(len(uids)+1), 8) + "-6d1f-4e0a-9c57-b1f2a8d0c3e4"
		}
		return uids[uid]
	})
}

// message is the error that an output ends with.
func message(output string) string {
	return output[strings.LastIndex(output, "\nError: ")+1:]
}

// unpullable has new pods of web on a cluster wait for their image, for as long as the test goes on or until it is called. No node takes such pods, as
// nodes that are only simulated can pull everything.
func unpullable(t *testing.T, cluster, ns, why string) (stop func()) {
	t.Helper()
	pods := fleettest.Get(t, cluster).AdminDynamic(t).Resource(podResource).Namespace(ns)
	ctx, cancel := context.WithCancel(t.Context())
	body := fmt.Sprintf(`{"status":{"containerStatuses":[{"name":"web","image":"nginx:1.28","imageID":"","ready":false,"restartCount":0,"state":{"waiting":{"reason":"ImagePullBackOff","message":%q}}}]}}`,
		`Back-off pulling image "nginx:1.28": ErrImagePull: failed to pull and unpack image "docker.io/library/nginx:1.28": `+why)
	go func() {
		for ctx.Err() == nil {
			list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: "app=web", FieldSelector: "status.phase=Pending"})
			for i := 0; err == nil && i < len(list.Items); i++ {
				if dig(list.Items[i].Object, "status", "containerStatuses") == nil && dig(list.Items[i].Object, "spec", "nodeSelector") != nil {
					_, err = pods.Patch(ctx, list.Items[i].GetName(), types.MergePatchType, []byte(body), metav1.PatchOptions{}, "status")
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return cancel
}

// web is a Deployment of an image.
func web(image string) string {
	return strings.ReplaceAll(deployment("web", 3), "nginx:1.27", image)
}

// TestAccGuide_rollouts makes the outputs of the guide "Rollouts".
func TestAccGuide_rollouts(t *testing.T) {
	g := newGuide(t, "rollouts", "rollout-shop", "rollout-shop")
	rolling := func(arguments string) string {
		return "  wait = { timeout = \"30s\" }\n" + waves(arguments)
	}
	broken := func(cluster string) string {
		return fmt.Sprintf(`  overrides = [{ clusters = { names = [%q] }, target = { kind = "Deployment" }, merge_patch = jsonencode({ spec = { template = { spec = { nodeSelector = { no-node = "has-this" } } } } }) }]
`, cluster)
	}
	g.set(rolling(""), web("nginx:1.26"))
	g.Apply()
	g.set(rolling(""), web("nginx:1.27"))
	out := g.Plan()
	contains(t, out, "roll out revision", "on eu-1: wave canary, from", "on us-1: wave rest, from")
	g.show("rollout", out)
	g.Apply()

	t.Log("halt")
	stop := unpullable(t, "eu-1", g.ns, "docker.io/library/nginx:1.28: not found")
	g.set(rolling("")+broken("eu-1"), web("nginx:1.28"))
	g.show("halted", same(message(g.ApplyFails())))
	contains(t, g.Plan(), "finish the last apply on eu-1", "on eu-2: wave eu, from")
	stop()
	g.set(rolling(""), web("nginx:1.27"))
	contains(t, g.Plan(), "on eu-1: wave canary, from")
	g.Apply()

	t.Log("roll back")
	g.Write("fleet.tf", strings.Replace(read(t, g.Path("fleet.tf")), "provider \"fleet\" {\n", "provider \"fleet\" {\n  progress = \"progress.json\"\n", 1))
	stop = unpullable(t, "eu-2", g.ns, "dial tcp: lookup registry-1.docker.io: no such host")
	g.set(rolling("on_failure = \"rollback\"")+broken("eu-2"), web("nginx:1.28"))
	g.show("rolled-back", same(message(g.ApplyFails())))
	stop()
	g.watched("watched")

	t.Log("promote")
	g.set(rolling("through = \"rest\""), web("nginx:1.27.1"))
	g.Apply()
	g.set(rolling("through = \"canary\""), web("nginx:1.28"))
	out = g.Plan()
	contains(t, out, "on eu-1: wave canary, from", "keep revision", "wave eu is behind through", "wave rest is behind through")
	g.show("through", out)
	g.Apply()
	patch(t, "us-1", deployments, g.ns, "web", `{"spec":{"replicas":7}}`, "scale")
	out = g.Plan()
	contains(t, out, "correct Deployment.apps rollout-shop/web on us-1: spec.replicas 7 → 3")
	g.show("drift-behind", out)
	g.Apply()
	g.PlanEmpty()
	g.set(rolling("through = \"eu\""), web("nginx:1.28"))
	out = g.Plan()
	contains(t, out, "on eu-2: wave eu, from", "wave rest is behind through")
	g.show("promoted", out)
	g.Apply()
	g.Destroy()
}

// watched shows how the subcommand watch sums up the last apply.
func (g *guide) watched(name string) {
	g.t.Helper()
	out, err := exec.Command(fleettest.Provider(g.t), "watch", "-last", "-plain", g.Path("progress.json")).CombinedOutput()
	if err != nil {
		g.t.Fatalf("watch: %v\n%s", err, out)
	}
	contains(g.t, string(out), "2 rolled back")
	text := regexp.MustCompile(` in [0-9ms]+  `).ReplaceAllString(same(string(out)), " in 38s  ")
	file := g.file(name)
	if os.Getenv(updateGuides) != "" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // it is documentation
			g.t.Fatal(err)
		}
		return
	}
	if want := read(g.t, file); text != want {
		g.t.Errorf("%s is not what is printed any more; see make guides. Printed:\n%s", file, text)
	}
}
