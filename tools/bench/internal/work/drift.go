package work

// Drift is one object on one cluster whose field somebody changes.
type Drift struct {
	// Cluster is an index into the fleet's clusters, Object one into the work's objects.
	Cluster, Object int
}

// OneDrift is one field of one object of the whole fleet.
func OneDrift(objects []Object) []Drift {
	return drifts(objects, 1, 1)
}

// PercentDrift is one field each of one in a hundred of all objects, at least two, spread over the clusters.
func PercentDrift(objects []Object, clusters int) []Drift {
	return drifts(objects, clusters, max(2, (clusters*len(objects)+99)/100))
}

// drifts chooses n objects that can drift, by turns over the clusters; fewer where there are not so many.
func drifts(objects []Object, clusters, n int) []Drift {
	var able []int
	for i, object := range objects {
		if object.Drift != nil {
			able = append(able, i)
		}
	}
	var list []Drift
	for i := range min(n, clusters*len(able)) {
		// A step along the objects with each turn, so that a cluster's drifts are different objects.
		list = append(list, Drift{Cluster: i % clusters, Object: able[(i/clusters+i%clusters)%len(able)]})
	}
	return list
}
