package endpoint

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Mode is how a cluster is down.
type Mode string

// The modes.
const (
	// Hang lets clients connect and never answers them, as behind a firewall.
	Hang Mode = "hang"
	// Refuse refuses connections, as where nothing listens.
	Refuse Mode = "refuse"
)

// Knobs are the faults of a fleet. The zero value has none.
type Knobs struct {
	// Latency is for how long each request waits before it is served.
	Latency Duration `json:"latency"`
	// ErrorRate is the share of requests, from 0 to 1, that are answered with ErrorStatus instead: 429, 500 or 503.
	ErrorRate   float64 `json:"errorRate"`
	ErrorStatus int     `json:"errorStatus"`
	// Down is how many clusters are down, as a number or as a percentage, which is rounded up, or their names, with commas.
	Down string `json:"down"`
	// DownMode is how.
	DownMode Mode `json:"downMode"`
}

// Duration is a duration that reads and prints in JSON like "50ms".
type Duration time.Duration

// MarshalText prints the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("want a duration such as 50ms: %w", err)
	}
	*d = Duration(parsed)
	return nil
}

// Check says what is wrong with the knobs in a fleet of these clusters.
func (k Knobs) Check(names []string) error {
	switch {
	case k.Latency < 0:
		return fmt.Errorf("the latency is %s, want 0 or more", time.Duration(k.Latency))
	case k.ErrorRate < 0 || k.ErrorRate > 1:
		return fmt.Errorf("the error rate is %g, want 0 to 1", k.ErrorRate)
	case k.ErrorRate > 0 && !slices.Contains([]int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}, k.ErrorStatus):
		return fmt.Errorf("the error status is %d, want 429, 500 or 503", k.ErrorStatus)
	case k.DownMode != Hang && k.DownMode != Refuse:
		return fmt.Errorf("the mode of clusters that are down is %q, want %q or %q", k.DownMode, Hang, Refuse)
	}
	_, err := k.down(names)
	return err
}

// down are the clusters that are down: spread over the fleet, and of a larger number always those of a smaller one in the same places
// where it divides it.
func (k Knobs) down(names []string) (map[string]bool, error) {
	down := map[string]bool{}
	if k.Down == "" {
		return down, nil
	}
	number, percent := strings.CutSuffix(k.Down, "%")
	count, err := strconv.ParseFloat(number, 64)
	if err != nil {
		for name := range strings.SplitSeq(k.Down, ",") {
			if !slices.Contains(names, name) {
				return nil, fmt.Errorf("down is %q, want a number, a percentage or names of clusters; there is no cluster %q", k.Down, name)
			}
			down[name] = true
		}
		return down, nil
	}
	if percent {
		count = count * float64(len(names)) / 100
	}
	n := int(count)
	if float64(n) < count {
		n++
	}
	if n < 0 || n > len(names) {
		return nil, fmt.Errorf("down is %q, want at most all %d clusters", k.Down, len(names))
	}
	for i := range n {
		down[names[(i*len(names)+len(names)/2)/n]] = true
	}
	return down, nil
}

// Faults are a fleet's knobs as they are now. They are safe for concurrent use.
type Faults struct {
	names []string

	mu      sync.RWMutex
	knobs   Knobs
	down    map[string]bool
	changed chan struct{}
	random  *rand.Rand
}

// NewFaults makes the faults of the named clusters. With the same seed, the same requests in the same order meet the same faults.
func NewFaults(names []string, seed uint64) *Faults {
	return &Faults{names: names, knobs: Knobs{DownMode: Hang, ErrorStatus: http.StatusServiceUnavailable}, changed: make(chan struct{}), random: rand.New(rand.NewPCG(seed, 0))}
}

// Knobs returns the knobs.
func (f *Faults) Knobs() Knobs {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.knobs
}

// Set changes the knobs that the JSON text names, and returns all of them.
func (f *Faults) Set(text []byte) (Knobs, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wanted := f.knobs
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		return f.knobs, fmt.Errorf("the knobs do not parse: %w", err)
	}
	if err := wanted.Check(f.names); err != nil {
		return f.knobs, err
	}
	down, err := wanted.down(f.names)
	if err != nil {
		return f.knobs, err
	}
	f.knobs, f.down = wanted, down
	close(f.changed)
	f.changed = make(chan struct{})
	return wanted, nil
}

// now is how the cluster is, whether this request is to fail, and what is closed when that may have changed.
func (f *Faults) now(name string) (down bool, knobs Knobs, changed <-chan struct{}) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.down[name], f.knobs, f.changed
}

func (f *Faults) unlucky(rate float64) bool {
	if rate == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.Float64() < rate
}
