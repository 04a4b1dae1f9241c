package manifest

import (
	"encoding/base64"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// secret moves the stringData of a Secret into its data, as the server would. It has to be done here, because the
// server never returns stringData: a plan would compare what was sent with nothing.
func (d *draft) secret() {
	d.encoded("data")
	plain := map[string]any{}
	d.entries([]string{"stringData"}, func(_ fieldpath.Path, _ map[string]any, key, value string) {
		plain[key] = base64.StdEncoding.EncodeToString([]byte(value))
	})
	if d.failed {
		return
	}
	delete(d.content, "stringData")
	if len(plain) == 0 {
		return
	}
	data, ok := d.content["data"].(map[string]any)
	if !ok {
		data = map[string]any{}
		d.content["data"] = data
	}
	for key, value := range plain {
		data[key] = value
	}
}

// encoded checks the base64 entries of a mapping and writes them the way the server will: without line breaks.
func (d *draft) encoded(field string) {
	d.entries([]string{field}, func(path fieldpath.Path, entries map[string]any, key, value string) {
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			// The error says where in the value, which would tell about it.
			d.fail(path, "is not base64; encode it, or use stringData (of a Secret) or data (of a ConfigMap) for plain text")
			return
		}
		entries[key] = base64.StdEncoding.EncodeToString(raw)
	})
}
