package requests

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// metric is the name of the API servers' own count.
const metric = "apiserver_request_total"

// Metrics counts the requests of a simulated fleet from its metrics.
type Metrics struct {
	// Read reads the fleet's metrics.
	Read   func(ctx context.Context) ([]byte, error)
	before Counts
}

// Begin implements Counter.
func (m *Metrics) Begin(ctx context.Context) error {
	counts, err := m.now(ctx)
	m.before = counts
	return err
}

// End implements Counter.
func (m *Metrics) End(ctx context.Context) (Counts, error) {
	after, err := m.now(ctx)
	if err != nil {
		return nil, err
	}
	for verb, n := range m.before {
		if after[verb] -= n; after[verb] == 0 {
			delete(after, verb)
		}
	}
	return after, nil
}

func (m *Metrics) now(ctx context.Context) (Counts, error) {
	text, err := m.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", metric, err)
	}
	return parseMetrics(bytes.NewReader(text))
}

// parseMetrics adds up apiserver_request_total by verb. Metrics that lack it are those of a server that nobody has
// asked anything.
func parseMetrics(text io.Reader) (Counts, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return nil, fmt.Errorf("parsing metrics: %w", err)
	}
	counts := Counts{}
	for _, sample := range families[metric].GetMetric() {
		counts[metricVerb(sample)] += int(sample.GetCounter().GetValue())
	}
	return counts, nil
}

// metricVerb says a sample's verb in the words of Counts: the metric has its own for patches.
func metricVerb(sample *dto.Metric) string {
	labels := map[string]string{}
	for _, label := range sample.GetLabel() {
		labels[label.GetName()] = label.GetValue()
	}
	verb := strings.ToLower(labels["verb"])
	switch {
	case labels["dry_run"] != "":
		return DryRun
	case labels["resource"] == "":
		return Discovery
	case verb == "apply":
		return Patch
	case verb == "post":
		return "create"
	case verb == "put":
		return "update"
	default:
		return verb
	}
}
