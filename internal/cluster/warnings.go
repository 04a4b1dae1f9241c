package cluster

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// Warnings are what API servers warned of, such as deprecated APIs, in the answers to some requests. It is safe for concurrent use.
type Warnings struct {
	mu    sync.Mutex
	texts []string
}

// Texts are the warnings, each once, in the order in which they came first.
func (w *Warnings) Texts() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.texts)
}

func (w *Warnings) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

type warningsKey struct{}

// CollectWarnings returns a context for requests whose warnings are to be collected.
func CollectWarnings(ctx context.Context) (context.Context, *Warnings) {
	collected := &Warnings{}
	return context.WithValue(ctx, warningsKey{}, collected), collected
}

// warnings hears what an API server warns of. Code 299 is the only one it uses.
type warnings struct {
	cluster string
	log     Log
}

// HandleWarningHeaderWithContext hands the warning to whoever asked for it. The log has only that there was one: it may
// repeat values that are not to be shown.
func (w warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	if collected, ok := ctx.Value(warningsKey{}).(*Warnings); ok {
		collected.add(text)
		w.log(ctx, slog.LevelDebug, "warning from the API server", map[string]any{"cluster": w.cluster})
		return
	}
	w.log(ctx, slog.LevelDebug, "warning from the API server", map[string]any{"cluster": w.cluster, "warning": text})
}
