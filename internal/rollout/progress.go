package rollout

import "time"

// State is how far a cluster is.
type State string

// The states of a cluster.
const (
	// Waiting has not been started in this rollout.
	Waiting State = "waiting"
	// Applying is being written to.
	Applying State = "applying"
	// Applied has all objects of the revision; Healthy says whether they are ready.
	Applied State = "applied"
	// Failed did not get there; it stays so until a later apply tries again.
	Failed State = "failed"
	// Deferred takes no part, because it is not reachable or in maintenance.
	Deferred State = "deferred"
	// RollingBack is on its way back to the previous revision.
	RollingBack State = "rolling back"
	// RolledBack is at the previous revision again.
	RolledBack State = "rolled back"
	// Stuck could not be rolled back.
	Stuck State = "stuck"
)

// Cluster is how one cluster is doing.
type Cluster struct {
	State State
	// Healthy says of a cluster that is Applied that its objects are ready, at the generation that was applied. Where
	// nobody waits for health, what is applied is healthy.
	Healthy bool
	// Started is when this apply began work on the cluster; zero where it did not.
	Started time.Time
	// Since is, of a healthy cluster, when it became so; of one that is not, when it was started or was last healthy. The
	// zero time is long ago.
	Since time.Time
	// Revision is what the cluster runs, in part at least; empty where it runs nothing.
	Revision string
	// Previous is the revision of the last rollout that came to its end with this cluster healthy, which is the one to
	// return to; empty where there was none. It has to outlive the process, or a rollout that was cut off cannot be undone.
	Previous string
	// Leaving says that the set is to be removed from the cluster.
	Leaving bool
	// Message says why the cluster failed, is deferred, or is stuck. One that is rolled back keeps why it failed.
	Message string
}

// Progress is how far a rollout is.
type Progress struct {
	// Revision is the one that is rolled out.
	Revision string
	// Clusters are all clusters of the set, by name, and those that it leaves.
	Clusters map[string]Cluster
	// Interrupted asks to start nothing more.
	Interrupted bool
}

// Resume is the progress that a new apply begins with: what is at the revision and healthy stays so, and everything
// else waits, what failed or was cut off before included. Who calls it has asked the clusters for Revision and Healthy.
func Resume(p Progress) Progress {
	clusters := make(map[string]Cluster, len(p.Clusters))
	for name, c := range p.Clusters {
		arrived := c.State == Applied && c.Healthy && c.Revision == p.Revision && !c.Leaving
		if !arrived && c.State != Deferred {
			c.State, c.Healthy, c.Message = Waiting, false, ""
		}
		if c.State == Waiting {
			c.Since = time.Time{}
		}
		c.Started = time.Time{}
		clusters[name] = c
	}
	return Progress{Revision: p.Revision, Clusters: clusters}
}

// Assign tells the revision that each cluster of the set is to run after this apply, should all go well: the new one up
// to the wave Through, and what it runs behind it. A cluster that runs nothing yet gets there what its wave runs, or,
// where nobody in it runs anything, what most of those behind Through run; empty means nothing.
func Assign(s Strategy, p Progress) map[string]string {
	assigned := map[string]string{}
	var held []string
	for _, w := range arrange(s, p) {
		for _, name := range w.members {
			assigned[name] = p.Revision
			if w.held {
				held = append(held, name)
				assigned[name] = p.Clusters[name].Revision
			}
		}
	}
	for _, w := range arrange(s, p) {
		for _, name := range w.members {
			if w.held && assigned[name] == "" {
				if assigned[name] = commonest(p, w.members); assigned[name] == "" {
					assigned[name] = commonest(p, held)
				}
			}
		}
	}
	return assigned
}

// commonest is the revision that most of the named clusters run; the one of the first by name among equals.
func commonest(p Progress, names []string) string {
	count := map[string]int{}
	for _, name := range names {
		if r := p.Clusters[name].Revision; r != "" {
			count[r]++
		}
	}
	best := ""
	for _, name := range sorted(names) {
		if r := p.Clusters[name].Revision; count[r] > count[best] {
			best = r
		}
	}
	return best
}
