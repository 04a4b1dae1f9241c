package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestFleetWorksOnEveryVersion(t *testing.T) {
	r := newRig(t)
	up := r.start("up --attach")
	up.waitReady()
	d := r.describe()
	if len(d.Clusters) != 3 || d.Clusters[0].Minor == d.Clusters[2].Minor || d.Clusters[0].Minor != d.Clusters[1].Minor {
		t.Fatalf("got clusters %+v", d.Clusters)
	}
	for _, c := range d.Clusters {
		t.Run(c.Name, func(t *testing.T) {
			r := &rig{t: t, program: r.program, dir: r.dir}
			if version := r.kubectl(c.Name, "version"); !strings.Contains(version, "Server Version: "+c.Version) {
				t.Errorf("got %s, want %s", version, c.Version)
			}
			r.kubectl(c.Name, "create deployment web --image nginx --replicas 3")
			r.kubectl(c.Name, "wait --for condition=Available deployment/web --timeout 30s")
			r.kubectl(c.Name, "delete deployment web --cascade=foreground --wait --timeout 30s")
			if pods := r.kubectl(c.Name, "get pods --output name"); pods != "" {
				t.Errorf("pods are left: %s", pods)
			}
			r.kubectl(c.Name, "create deployment bad --image registry.test/missing:1")
			r.waitUntil("the image to be missing", func() bool {
				return strings.Contains(r.kubectl(c.Name, "get pods"), "ImagePullBackOff")
			})
			r.kubectl(c.Name, "create job once --image busybox")
			r.kubectl(c.Name, "wait --for condition=Complete job/once --timeout 30s")
			r.kubectl(c.Name, "create namespace shop")
			r.kubectl(c.Name, "-n shop create deployment web --image nginx")
			r.kubectl(c.Name, "delete namespace shop --wait --timeout 60s")
			r.expectAudit(c.AuditLog)
		})
	}
	t.Run("a second fleet is refused", func(t *testing.T) {
		r := &rig{t: t, program: r.program, dir: r.dir}
		if output := r.run("up", 1); !strings.Contains(output, "runs in "+r.dir) {
			t.Errorf("got %s", output)
		}
	})
	t.Run("unknown cluster", func(t *testing.T) {
		r := &rig{t: t, program: r.program, dir: r.dir}
		if output := r.run("stop eu-9", 1); !strings.Contains(output, "eu-1, eu-2, us-1") {
			t.Errorf("got %s", output)
		}
	})
	t.Run("stop and start", func(t *testing.T) {
		r := &rig{t: t, program: r.program, dir: r.dir}
		r.stopAndStart("us-1", d.Clusters[2].Ports.API)
	})
	if err := up.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code := up.end(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	r.expectNothingLeft()
}

// expectAudit checks that the log has what people and tests do, and not what the
// control plane does.
func (r *rig) expectAudit(path string) {
	r.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	if !strings.Contains(string(content), `"username":"fleet-admin"`) || !strings.Contains(string(content), `"userAgent":"kubectl/`) {
		r.t.Error("the audit log lacks kubectl's requests")
	}
	for _, line := range strings.Split(string(content), "\n") {
		if strings.Contains(line, `"username":"system:`) || strings.Contains(line, `"stage":"RequestReceived"`) {
			r.t.Errorf("the audit log has %s", line)
			return
		}
	}
}

func (r *rig) stopAndStart(name string, port int) {
	r.t.Helper()
	uidOf := "get namespace kube-system --output jsonpath={.metadata.uid}"
	uid := r.kubectl(name, uidOf)
	r.kubectl(name, "create configmap kept --from-literal a=b")
	r.run("stop "+name, 0)
	r.run("stop "+name, 0)
	if status := r.run("status", 0); !strings.Contains(status, "stopped") {
		r.t.Errorf("status does not tell: %s", status)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		r.t.Fatalf("the stopped cluster's port is in use: %v", err)
	}
	output := r.run("start "+name, 1)
	if !strings.Contains(output, fmt.Sprintf("%s: port %d is taken by", name, port)) {
		r.t.Errorf("got %s", output)
	}
	if err := listener.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.run("start "+name, 0)
	if again := r.kubectl(name, uidOf); again != uid {
		r.t.Errorf("the uid was %s and is %s", uid, again)
	}
	r.kubectl(name, "get configmap kept")
	r.kubectl(name, "create deployment after --image nginx --replicas 2")
	// kwok takes its nodes up again when the leases of the kwok before it have run out, after 40 s.
	r.kubectl(name, "wait --for condition=Available deployment/after --timeout 120s")
	if status := r.run("status", 0); strings.Contains(status, "stopped") || strings.Contains(status, "broken") {
		r.t.Errorf("status does not tell: %s", status)
	}
}

func TestFleetOutlivesUpAndGoesDown(t *testing.T) {
	r := newRig(t)
	start := time.Now()
	output := r.run("up --names lone --nodes 1", 0)
	t.Logf("up took %s", time.Since(start))
	if !strings.Contains(output, "export KUBECONFIG="+r.dir) {
		t.Errorf("does not say what to try: %s", output)
	}
	if nodes := r.kubectl("lone", "get nodes --output name"); nodes != "node/lone-node-1" {
		t.Errorf("got nodes %s", nodes)
	}
	r.run("down", 0)
	r.expectNothingLeft()
	if output := r.run("down", 0); !strings.Contains(output, "nothing to do") {
		t.Errorf("got %s", output)
	}
}

func TestUpOnATakenPort(t *testing.T) {
	r := newRig(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	output := r.run(fmt.Sprintf("up --clusters 1 --port %d", port), 1)
	if !strings.Contains(output, fmt.Sprintf("port %d is taken by", port)) {
		t.Errorf("got %s", output)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	r.expectNothingLeft()
}
