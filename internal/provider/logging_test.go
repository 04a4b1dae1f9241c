package provider

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

func TestClusterLog(t *testing.T) {
	var base, own bytes.Buffer
	log := clusterLog(tflogtest.RootLogger(t.Context(), &base))

	log(t.Context(), cluster.LevelTrace, "request", map[string]any{"cluster": "eu-1"})
	if !strings.Contains(base.String(), `"cluster":"eu-1"`) || !strings.Contains(base.String(), `"@level":"trace"`) {
		t.Errorf("a context without a logger logs %q", base.String())
	}
	base.Reset()
	ctx := tflog.SetField(tflogtest.RootLogger(t.Context(), &own), "tf_rpc", "ReadResource")
	log(withLogging(ctx), cluster.LevelTrace, "request", map[string]any{"cluster": "eu-1"})
	if base.Len() > 0 || !strings.Contains(own.String(), `"tf_rpc":"ReadResource"`) || !strings.Contains(own.String(), `.cluster"`) {
		t.Errorf("a context with a logger logs %q, and %q elsewhere", own.String(), base.String())
	}
}

func TestKlogSink(t *testing.T) {
	var out bytes.Buffer
	ctx := tflog.NewSubsystem(tflogtest.RootLogger(t.Context(), &out), klogSubsystem)
	logger := logr.New(klogSink{ctx: context.WithoutCancel(ctx)}).WithName("transport").WithValues("a", 1)

	logger.V(8).Info("Request Headers", "Authorization", "Bearer s3cret")
	logger.V(6).Info("Response", "headers", "s3cret")
	if out.Len() > 0 {
		t.Errorf("verbose entries are logged: %s", out.String())
	}
	logger.V(4).Info("retry", "b", 2)
	logger.Error(errors.New("broken"), "refreshing credentials")
	for _, text := range []string{`"@message":"retry"`, `"a":"1"`, `"b":"2"`, `"logger":"transport"`, `"@level":"warn"`, `"error":"broken"`} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the log lacks %s:\n%s", text, out.String())
		}
	}
}
