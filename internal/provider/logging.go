package provider

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"sync"

	"github.com/go-logr/logr"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	"k8s.io/klog/v2"

	"github.com/fleetform/terraform-provider-fleet/internal/cluster"
)

// The subsystems of the log, one for each package that logs. TF_LOG_PROVIDER_FLEET_CLUSTER and the like set a level for
// one of them.
const (
	clusterSubsystem = "cluster"
	deploySubsystem  = "deploy"
	klogSubsystem    = "client-go"
)

// klogVerbosity is how much client-go may say. From 6 on it prints headers, and from 8 on bodies.
const klogVerbosity = "4"

type loggingKey struct{}

// withLogging gives a context the subsystems' loggers. Entries that are logged with another context go to the log, too,
// but do not tell which request of Terraform's they belong to.
func withLogging(ctx context.Context) context.Context {
	ctx = tflog.NewSubsystem(ctx, clusterSubsystem, tflog.WithRootFields(), clusterLevel, callersLine)
	ctx = tflog.NewSubsystem(ctx, deploySubsystem, tflog.WithRootFields(), deployLevel, callersLine)
	return context.WithValue(ctx, loggingKey{}, true)
}

var (
	clusterLevel = tflog.WithLevelFromEnv("TF_LOG_PROVIDER_FLEET", clusterSubsystem)
	deployLevel  = tflog.WithLevelFromEnv("TF_LOG_PROVIDER_FLEET", deploySubsystem)
	klogLevel    = tflog.WithLevelFromEnv("TF_LOG_PROVIDER_FLEET", "client_go")
	// callersLine has entries name the line that logs and not the ones here that pass them on.
	callersLine = tflog.WithAdditionalLocationOffset(2)
)

// clusterLog is how the cluster package logs, and deployLog the deploy package.
func clusterLog(base context.Context) cluster.Log {
	return packageLog(base, clusterSubsystem, tflog.Options{clusterLevel, callersLine})
}

func deployLog(base context.Context) cluster.Log {
	return packageLog(base, deploySubsystem, tflog.Options{deployLevel, callersLine})
}

// packageLog logs with the logger of the context at hand, else with the one of base.
func packageLog(base context.Context, subsystem string, options tflog.Options) cluster.Log {
	base = tflog.NewSubsystem(context.WithoutCancel(base), subsystem, options...)
	return func(ctx context.Context, level slog.Level, message string, fields map[string]any) {
		if ctx.Value(loggingKey{}) == nil {
			ctx = base
		}
		logAt(ctx, subsystem, level, message, fields)
	}
}

func logAt(ctx context.Context, subsystem string, level slog.Level, message string, fields map[string]any) {
	switch {
	case level >= slog.LevelError:
		tflog.SubsystemError(ctx, subsystem, message, fields)
	case level >= slog.LevelWarn:
		tflog.SubsystemWarn(ctx, subsystem, message, fields)
	case level >= slog.LevelInfo:
		tflog.SubsystemInfo(ctx, subsystem, message, fields)
	case level >= slog.LevelDebug:
		tflog.SubsystemDebug(ctx, subsystem, message, fields)
	default:
		tflog.SubsystemTrace(ctx, subsystem, message, fields)
	}
}

var routeKlogOnce sync.Once

// routeKlog sends what client-go logs through klog to Terraform's log, with the logger of ctx. klog is global to the
// process, and so is this.
func routeKlog(ctx context.Context) {
	routeKlogOnce.Do(func() {
		var flags flag.FlagSet
		klog.InitFlags(&flags)
		if err := flags.Set("v", klogVerbosity); err != nil {
			tflog.Warn(ctx, "client-go's verbosity cannot be set", map[string]any{"error": err.Error()})
		}
		ctx = tflog.NewSubsystem(context.WithoutCancel(ctx), klogSubsystem, klogLevel)
		klog.SetLogger(logr.New(klogSink{ctx: ctx}))
	})
}

// klogSink is a logr.LogSink that writes to Terraform's log.
type klogSink struct {
	ctx    context.Context
	name   string
	values []any
}

func (s klogSink) Init(logr.RuntimeInfo) {}

// Enabled keeps out what could contain headers or bodies, whatever klog's own verbosity says.
func (s klogSink) Enabled(level int) bool { return level < 6 }

func (s klogSink) Info(level int, message string, keysAndValues ...any) {
	at := slog.LevelDebug
	if level > 0 {
		at = cluster.LevelTrace
	}
	logAt(s.ctx, klogSubsystem, at, message, s.fields(keysAndValues))
}

func (s klogSink) Error(err error, message string, keysAndValues ...any) {
	fields := s.fields(keysAndValues)
	if err != nil {
		fields["error"] = err.Error()
	}
	logAt(s.ctx, klogSubsystem, slog.LevelWarn, message, fields)
}

func (s klogSink) WithValues(keysAndValues ...any) logr.LogSink {
	s.values = append(s.values[:len(s.values):len(s.values)], keysAndValues...)
	return s
}

func (s klogSink) WithName(name string) logr.LogSink {
	if s.name != "" {
		name = s.name + "." + name
	}
	s.name = name
	return s
}

func (s klogSink) fields(keysAndValues []any) map[string]any {
	fields := map[string]any{}
	if s.name != "" {
		fields["logger"] = s.name
	}
	for _, pairs := range [][]any{s.values, keysAndValues} {
		for i := 0; i+1 < len(pairs); i += 2 {
			fields[fmt.Sprint(pairs[i])] = fmt.Sprint(pairs[i+1])
		}
	}
	return fields
}
