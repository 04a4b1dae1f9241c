package override

import (
	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

// Rule changes some objects on some clusters. Exactly one of JSONPatch, MergePatch, StrategicPatch, Images and Exclude is set.
type Rule struct {
	// Clusters tells whether the rule is for the cluster; nil is every cluster. Its errors are passed on.
	Clusters func(fleet.Cluster) (bool, error)
	// Target tells whether the rule is for the object with the key and the labels; nil is every object.
	Target func(key fleet.ObjectKey, labels map[string]string) bool
	// JSONPatch is a list of operations as in RFC 6902, as YAML or JSON.
	JSONPatch string
	// MergePatch is a patch as in RFC 7386, as YAML or JSON.
	MergePatch string
	// StrategicPatch is a strategic merge patch, as YAML or JSON.
	StrategicPatch string
	// Images says what becomes of images, by their present name without tag and digest. Names mean what they mean to a
	// container runtime: nginx is docker.io/library/nginx.
	Images map[string]Image
	// Exclude leaves the objects out.
	Exclude bool
}

// Image is what to write instead of an image. What is empty stays as it is, except that a tag alone drops a digest, which would
// win over it, and a digest alone drops the tag, which would no longer say what runs.
type Image struct {
	Name   string
	Tag    string
	Digest string
}

// Object is one object of a set.
type Object struct {
	// Key is what targets match and messages name.
	Key fleet.ObjectKey
	// Content is the object, made of what JSON has: maps, lists, strings, booleans, int64 and float64.
	Content map[string]any
	// Confidential says that no value of the content may be repeated. Of a Secret none ever is.
	Confidential bool
}

// Result is what a cluster gets.
type Result struct {
	// Objects are those not excluded, in the order they were given. An object that no rule changed shares its content with
	// the one given; one that was changed shares nothing with it.
	Objects []Object
	// Excluded are the objects that are not wanted on this cluster, in the order they were given.
	Excluded []Exclusion
	// Uses says for each rule what it was used for.
	Uses []Use
}

// Exclusion is an object that a rule left out.
type Exclusion struct {
	Key fleet.ObjectKey
	// Rule is the position of the rule, from 0.
	Rule int
}

// names of the arguments, as users write them.
const (
	argumentClusters  = "clusters"
	argumentJSON      = "json_patch"
	argumentMerge     = "merge_patch"
	argumentStrategic = "strategic_patch"
	argumentImages    = "images"
	argumentExclude   = "exclude"
)
