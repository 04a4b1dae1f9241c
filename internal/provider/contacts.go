package provider

import "sync"

// contacts remembers which clusters this process contacts for the first time in an apply. Whether they answer was unknown
// while that apply was planned, so what was decided then has to hold either way.
type contacts struct {
	mu    sync.Mutex
	names map[string]bool
}

// note remembers a cluster.
func (c *contacts) note(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil {
		c.names = map[string]bool{}
	}
	c.names[name] = true
}

// has tells whether a cluster was noted.
func (c *contacts) has(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.names[name]
}
