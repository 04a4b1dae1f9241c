// Package manifest turns the YAML texts a user wrote into Kubernetes objects: their identity, what is wrong
// with them and where, and the stage of an apply each belongs to. It is pure: no clock, no network, no cluster.
//
//	objects, warnings, err := manifest.Parse([]string{"{apiVersion: v1, kind: Namespace, metadata: {name: web}}"})
//	objects[0].Key                            // Namespace web
//	objects[0].Position                       // manifests[0], document 1, line 1
//	manifest.StageOf("", "Namespace")         // definitions
//
// # How YAML is read
//
// Scalars mean what they mean to kubectl, which follows YAML 1.1: the bare words y, yes, on, n, no and off are
// booleans, 0777 is an octal number and a whole number written as 1.0 or 1e3 is the integer. Integers are
// exact up to 64 bits. Timestamps stay the strings they look like. Merge keys (<<) are resolved the way the
// specification says: a key of the mapping itself wins over a merged one, an earlier merged mapping over a later.
//
// Stricter than kubectl are: duplicate keys, keys that are not strings, tags other than YAML's own, null list
// items, and labels, annotations, ConfigMap and Secret values that are not strings. Each is an error that says
// where.
//
// # What is changed
//
// A null value of a mapping is dropped, because in server-side apply null and absent say the same: this set
// does not speak about the field. Fields that only the server writes are dropped with a warning. The stringData
// of a Secret moves, encoded, into its data, and base64 is written without line breaks, because that is how the
// server stores both, so that what was sent can be compared with what is there.
package manifest
