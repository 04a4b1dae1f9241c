package fleet_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/fleetform/terraform-provider-fleet/internal/fleet"
)

func keyed(nameValues ...any) *value.FieldList { return fieldpath.KeyByFields(nameValues...) }

func TestFormatPath(t *testing.T) {
	tests := map[string]fieldpath.Path{
		`spec.replicas`: fieldpath.MakePathOrDie("spec", "replicas"),
		`spec.template.spec.containers[name=web].image`: fieldpath.MakePathOrDie("spec", "template", "spec", "containers", keyed("name", "web"), "image"),
		`spec.ports[containerPort=80,protocol=TCP]`:     fieldpath.MakePathOrDie("spec", "ports", keyed("containerPort", 80, "protocol", "TCP")),
		`metadata.labels['app.kubernetes.io/name']`:     fieldpath.MakePathOrDie("metadata", "labels", "app.kubernetes.io/name"),
		`data['dotted.key']`:                            fieldpath.MakePathOrDie("data", "dotted.key"),
		`metadata.finalizers[=example.org/keep]`:        fieldpath.MakePathOrDie("metadata", "finalizers", value.NewValueInterface("example.org/keep")),
		`spec.args[0]`:                                  fieldpath.MakePathOrDie("spec", "args", 0),
		`spec.list[0][12].x`:                            fieldpath.MakePathOrDie("spec", "list", 0, 12, "x"),
		`data['0']`:                                     fieldpath.MakePathOrDie("data", "0"),
		`data['']`:                                      fieldpath.MakePathOrDie("data", ""),
		`data['it\'s \\ here']`:                         fieldpath.MakePathOrDie("data", `it's \ here`),
		`['a.b'].c`:                                     fieldpath.MakePathOrDie("a.b", "c"),
		`ports[port=80]`:                                fieldpath.MakePathOrDie("ports", keyed("port", 80)),
		`ports[port='80']`:                              fieldpath.MakePathOrDie("ports", keyed("port", "80")),
		`ports[port='1e3']`:                             fieldpath.MakePathOrDie("ports", keyed("port", "1e3")),
		`flags[on=true]`:                                fieldpath.MakePathOrDie("flags", keyed("on", true)),
		`flags[on='true']`:                              fieldpath.MakePathOrDie("flags", keyed("on", "true")),
		`flags[on=null]`:                                fieldpath.MakePathOrDie("flags", keyed("on", nil)),
		`flags[on='null']`:                              fieldpath.MakePathOrDie("flags", keyed("on", "null")),
		`flags[on='']`:                                  fieldpath.MakePathOrDie("flags", keyed("on", "")),
		`list['key.x'=1,y='a b']`:                       fieldpath.MakePathOrDie("list", keyed("key.x", 1, "y", "a b")),
		`set[=0.5]`:                                     fieldpath.MakePathOrDie("set", value.NewValueInterface(0.5)),
		`set[=-1]`:                                      fieldpath.MakePathOrDie("set", value.NewValueInterface(int64(-1))),
		`set[='a]b']`:                                   fieldpath.MakePathOrDie("set", value.NewValueInterface("a]b")),
		`set[=9223372036854775807]`:                     fieldpath.MakePathOrDie("set", value.NewValueInterface(int64(9223372036854775807))),
		`set[={"a":[9007199254740993,"]"]}].x`:          fieldpath.MakePathOrDie("set", value.NewValueInterface(map[string]any{"a": []any{int64(9007199254740993), "]"}}), "x"),
		`set[=["a","b"]]`:                               fieldpath.MakePathOrDie("set", value.NewValueInterface([]any{"a", "b"})),
		`webhooks[name=a.example.org].rules`:            fieldpath.MakePathOrDie("webhooks", keyed("name", "a.example.org"), "rules"),
		`spec.template.metadata.annotations['checksum/config']`:              fieldpath.MakePathOrDie("spec", "template", "metadata", "annotations", "checksum/config"),
		`spec.volumes[name=data].configMap.items[key=nginx.conf,path='a=b']`: fieldpath.MakePathOrDie("spec", "volumes", keyed("name", "data"), "configMap", "items", keyed("key", "nginx.conf", "path", "a=b")),
	}
	for want, path := range tests {
		t.Run(want, func(t *testing.T) {
			if got := fleet.FormatPath(path); got != want {
				t.Errorf("printed %s", got)
			}
			got, err := fleet.ParsePath(want)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equals(path) {
				t.Errorf("parsed %s", got)
			}
			if again := fleet.FormatPath(got); again != want {
				t.Errorf("parsed and printed %s", again)
			}
		})
	}
}

func TestParsePathErrors(t *testing.T) {
	tests := map[string]string{
		"":                        `field path "", at character 1: the path is empty`,
		".":                       `field path ".", at character 1: want a field name; quote one with special characters as ['name']`,
		"a.":                      `field path "a.", at character 3: want a field name; quote one with special characters as ['name']`,
		"a..b":                    `field path "a..b", at character 3: want a field name; quote one with special characters as ['name']`,
		"a b":                     `field path "a b", at character 1: want a field name; quote one with special characters as ['name']`,
		"a[":                      `field path "a[", at character 3: want ']'`,
		"a[]":                     `field path "a[]", at character 3: want a key such as [name=web], a position such as [0], or a quoted field such as ['a.b']`,
		"a[b]":                    `field path "a[b]", at character 4: want "="`,
		"a[b=]":                   `field path "a[b=]", at character 5: want a value; quote one with special characters as 'value'`,
		"a[b=c":                   `field path "a[b=c", at character 6: want "]"`,
		"a[b=c]d":                 `field path "a[b=c]d", at character 7: want '.' or '['`,
		"a['b":                    `field path "a['b", at character 5: want a closing quote`,
		`a['b\`:                   `field path "a['b\\", at character 6: want a character after the backslash`,
		"a[={]":                   `field path "a[={]", at character 4: want a JSON value`,
		"a[=1":                    `field path "a[=1", at character 5: want "]"`,
		"a[b=c,]":                 `field path "a[b=c,]", at character 7: want a key`,
		"a[b=1,b=2]":              `field path "a[b=1,b=2]", at character 10: the key b is given twice`,
		"a[=007]":                 `field path "a[=007]", at character 4: want a number; quote a string as '007'`,
		"a[99999999999999999999]": `field path "a[99999999999999999999]", at character 3: index out of range`,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			path, err := fleet.ParsePath(text)
			if err == nil {
				t.Fatalf("parsed as %s", path)
			}
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("the error is\n%v, want\n%s", err, want)
			}
		})
	}
}

// TestPathsRoundTrip prints any path and reads it back.
func TestPathsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := fieldpath.Path(rapid.SliceOfN(element(), 1, 5).Draw(t, "path"))
		text := fleet.FormatPath(path)
		got, err := fleet.ParsePath(text)
		if err != nil {
			t.Fatalf("%s is printed as %s: %v", path, text, err)
		}
		if !got.Equals(path) {
			t.Fatalf("%s is printed as %s and read as %s", path, text, got)
		}
		if again := fleet.FormatPath(got); again != text {
			t.Fatalf("%s is printed as %s and, once read, as %s", path, text, again)
		}
	})
}

func element() *rapid.Generator[fieldpath.PathElement] {
	name := rapid.OneOf(rapid.StringMatching(`[A-Za-z_0-9.-]{0,6}`), rapid.String(), rapid.StringMatching(`[\]\[=,.'\\ ]{1,4}`))
	scalar := rapid.OneOf(
		rapid.Map(name, func(s string) any { return s }),
		rapid.Map(rapid.SampledFrom([]string{"true", "null", "1", "-1", "1e3", "1.", "-", "007", "[", "{}", "'"}), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		// Adding zero makes a zero of a negative zero, which no object contains.
		rapid.Map(rapid.Float64Range(-1e30, 1e30), func(f float64) any { return f + 0 }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
	)
	deep := rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(scalar, 0, 3), func(l []any) any { return append([]any{}, l...) }),
		rapid.Map(rapid.MapOfN(name, scalar, 0, 3), func(m map[string]any) any { return m }),
	)
	return rapid.OneOf(
		rapid.Map(name, fieldpath.FieldNameElement),
		rapid.Map(rapid.IntRange(0, 1<<31-1), fieldpath.IndexElement),
		rapid.Map(deep, func(v any) fieldpath.PathElement { return fieldpath.ValueElement(value.NewValueInterface(v)) }),
		rapid.Map(rapid.MapOfN(name, deep, 1, 3), func(m map[string]any) fieldpath.PathElement {
			var fields value.FieldList
			for name, v := range m {
				fields = append(fields, value.Field{Name: name, Value: value.NewValueInterface(v)})
			}
			fields.Sort()
			return fieldpath.KeyElement(fields...)
		}),
	)
}

// FuzzParsePath reads any text and expects that what it means survives being printed.
func FuzzParsePath(f *testing.F) {
	for _, text := range []string{
		"spec.replicas", "a[name=web].image", "a[b=1,c='x y']", "a['b.c']", `a['\\\'']`, "a[=x]", "a[0]", `a[={"b":[1,null]}]`, "a[=1e3]", "['x'].y", "a[=[1]]",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path, err := fleet.ParsePath(text)
		if err != nil {
			return
		}
		printed := fleet.FormatPath(path)
		again, err := fleet.ParsePath(printed)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", text, printed, err)
		}
		if !again.Equals(path) {
			t.Fatalf("%q means %s, and printed as %q %s", text, path, printed, again)
		}
		if reprinted := fleet.FormatPath(again); reprinted != printed {
			t.Fatalf("%q is printed as %q and as %q", text, printed, reprinted)
		}
	})
}
