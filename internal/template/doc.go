// Package template renders the strings of an object for one cluster. It is pure: an object and data in, an object out, the
// same each time.
//
//	renderer, err := template.New(map[string]any{"cluster": template.Cluster(cluster)})
//	object, err := renderer.Render(map[string]any{"spec": map[string]any{
//		"host":     "shop.{{ .cluster.name }}.example.org",         // shop.eu-1.example.org
//		"replicas": "{{ int .cluster.properties.replicas }}",       // 3, a number
//		"zone":     `{{ index .cluster.labels "example.org/zone" }}`,
//		"tier":     `{{ .cluster.labels.tier | default "gold" }}`,
//	}})
//
// # What is a template
//
// The string values of maps and lists at any depth, with the syntax of Go's text/template; never keys. A string without {{
// is returned as it is. Literal braces are written {{ "{{" }}, or a longer text of them {{ `{{ $labels.instance }}` }}.
//
// # Types
//
// A string that is exactly one action has the type of its result: a number, a boolean, a map or a list where it is one, and
// a string that looks like a number stays a string. Labels and properties are strings, so numbers come from int, float and
// bool. As in a manifest, a whole number is an integer however it was written, and null values of maps are left out. if and
// else are more than one action; ternary keeps the type. All other templates yield strings.
//
// # Data
//
// The data has the keys that the caller gave to New: cluster, and values where there are any. A missing key is an error,
// except where default or required comes right after it: .cluster.labels.tier | default "gold". Keys that are not
// identifiers are read with index, which is as strict. Of text/template are missing: define, block and template, because a
// leaf is one template; call, slice, html, js, urlquery, print and println; and all of the data as one value.
//
// # Errors and limits
//
// An error names leaf, line and column, and repeats keys and function names, never a value of the data and never what was
// rendered. All that is wrong with an object is reported, of each leaf all that can be told without data or the first thing
// that cannot. A leaf may become MaxBytes long and do MaxWork.
package template
