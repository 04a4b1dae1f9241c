package requests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
)

// metric is the name of the API servers' own count.
const metric = "apiserver_request_total"

// Metrics counts the requests of simulated clusters from their metrics. Like real API servers, they do not count
// requests for the version.
type Metrics struct {
	// read reads the metrics of a cluster.
	read   []func(ctx context.Context) ([]byte, error)
	before Counts
}

// NewMetrics is a counter for clusters.
func NewMetrics(configs []*rest.Config) (*Metrics, error) {
	m := &Metrics{}
	for _, config := range configs {
		client, err := rest.HTTPClientFor(config)
		if err != nil {
			return nil, err
		}
		url := strings.TrimSuffix(config.Host, "/") + "/metrics"
		m.read = append(m.read, func(ctx context.Context) ([]byte, error) { return get(ctx, client, url) })
	}
	return m, nil
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
	parts := make([]Counts, len(m.read))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for i, read := range m.read {
		group.Go(func() error {
			text, err := read(ctx)
			if err != nil {
				return fmt.Errorf("reading %s: %w", metric, err)
			}
			parts[i], err = parseMetrics(bytes.NewReader(text))
			return err
		})
	}
	err := group.Wait()
	return sum(parts), err
}

// readAtOnce is of how many clusters the metrics are read at once.
const readAtOnce = 16

func get(ctx context.Context, client *http.Client, url string) (body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
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
