package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAccess(t *testing.T) {
	resolve := func(t *testing.T, cfg Config, own Connection) string {
		t.Helper()
		resolved, err := NewPool(cfg).Resolve("x", own)
		if err != nil {
			t.Fatal(err)
		}
		return resolved.Access()
	}
	file := write(t, "config", kubeconfig("{token: first}", "x=https://h:6443"))
	for _, test := range []struct {
		name string
		cfg  Config
		own  Connection
		want string
	}{
		{
			"secrets are named and left out",
			Config{Connections: map[string]Connection{"x": {Host: "https://h:6443", Token: "s3cret", ProxyURL: "http://u:s3cret@p:1"}}}, Connection{},
			`{"host":"https://h:6443","proxy_url":"http://p:1","credentials":["token","proxy_user"]}`,
		},
		{
			"the environment of exec is left out but for its names",
			Config{}, Connection{Host: "https://h:6443", Exec: &Exec{
				APIVersion: execVersions[0], Command: "login", Args: []string{"-q"}, Env: map[string]string{"B": "s3cret", "A": "s3cret"},
			}},
			`{"host":"https://h:6443","exec":{"api_version":"client.authentication.k8s.io/v1","command":"login","args":["-q"],"env":["A","B"]},"credentials":["exec_env"]}`,
		},
		{
			"of a file only the path and the context",
			Config{KubeconfigPaths: []string{file}}, Connection{},
			`{"kubeconfig_path":"` + file + `","context":"x"}`,
		},
		{
			"what is spelled out beside the file",
			Config{KubeconfigPaths: []string{file}}, Connection{Context: "x", TLSServerName: "s"},
			`{"tls_server_name":"s","kubeconfig_path":"` + file + `","context":"x"}`,
		},
		{
			"a resource's host in place of a kubeconfig's loopback address",
			Config{Kubeconfigs: map[string]string{"x": kubeconfig("{token: s3cret}", "x=https://localhost:6443")}}, Connection{Host: "https://h:6443"},
			`{"host":"https://h:6443","own_host":true,"credentials":["token"]}`,
		},
		{
			"whom a kubeconfig acts as, so that nobody acts as more than that later",
			Config{Kubeconfigs: map[string]string{"x": kubeconfig("{token: s3cret, as: viewer, as-groups: [g]}", "x=https://h:6443")}}, Connection{},
			`{"host":"https://h:6443","impersonate":{"user":"viewer","groups":["g"]},"credentials":["token"]}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := resolve(t, test.cfg, test.own); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	t.Run("a file's new content changes nothing", func(t *testing.T) {
		before := resolve(t, Config{KubeconfigPaths: []string{file}}, Connection{})
		if err := os.WriteFile(file, []byte(kubeconfig("{token: second}", "x=https://elsewhere:6443")), 0o600); err != nil {
			t.Fatal(err)
		}
		if after := resolve(t, Config{KubeconfigPaths: []string{file}}, Connection{}); after != before {
			t.Errorf("before %s\nafter  %s", before, after)
		}
	})
	t.Run("the home directory stays ~", func(t *testing.T) {
		t.Setenv("HOME", t.TempDir())
		if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "config"), []byte(kubeconfig("{token: t}", "x=https://h:6443")), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, want := resolve(t, Config{KubeconfigPaths: []string{"~/config"}}, Connection{}), `{"kubeconfig_path":"~/config","context":"x"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestClient_missingCredentials(t *testing.T) {
	plugin := &Exec{APIVersion: execVersions[0], Command: "login", Env: map[string]string{"FLEET_TEST_SECRET": "s"}}
	for _, test := range []struct {
		name string
		then Connection
		now  map[string]Connection
		want []string
	}{
		{"the token is gone", Connection{Host: "https://h", Token: "t"}, nil, []string{"token"}},
		{"the token was rotated", Connection{Host: "https://h", Token: "t"}, map[string]Connection{"x": {Token: "u"}}, nil},
		{"another kind of credentials took its place", Connection{Host: "https://h", Token: "t"}, map[string]Connection{"x": {TokenFile: "/f"}}, nil},
		{"exec's environment is gone", Connection{Host: "https://h", Exec: plugin}, nil, []string{"exec_env"}},
		{"exec's environment is still there", Connection{Host: "https://h", Exec: plugin}, map[string]Connection{"x": {Exec: &Exec{Env: plugin.Env}}}, nil},
		{"the proxy's user is gone", Connection{Host: "https://h", ProxyURL: "http://u:p@h:1", TokenFile: "/f"}, nil, []string{"proxy_user"}},
		{"there were no secrets", Connection{Host: "https://h", TokenFile: "/f"}, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			resolved, err := NewPool(Config{Connections: map[string]Connection{"x": test.then}}).Resolve("x", Connection{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = NewPool(Config{Connections: test.now}).merge("x", resolved.Access())
			var missing *MissingCredentialsError
			if errors.As(err, &missing) != (len(test.want) > 0) || missing != nil && !slices.Equal(missing.Missing, test.want) {
				t.Errorf("got %v, want %v missing", err, test.want)
			}
		})
	}
}

// TestAccess_neverHasSecrets draws connections whose secrets all contain a marker, in every place, and looks for it.
func TestAccess_neverHasSecrets(t *testing.T) {
	const marker = "s3cret"
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`([a-zA-Z0-9/+]{0,8})` + marker + `([a-zA-Z0-9/+]{0,8})`)
		maybe := func(label, value string) string {
			if rapid.Bool().Draw(t, label) {
				return value
			}
			return ""
		}
		draw := func(place string) Connection {
			c := Connection{
				Host:          maybe(place+" host", "https://h:6443"),
				Token:         maybe(place+" token", secret.Draw(t, place+" token value")),
				Password:      maybe(place+" password", secret.Draw(t, place+" password value")),
				TLSServerName: maybe(place+" name", "name"),
				ProxyURL:      maybe(place+" proxy", "http://"+strings.ReplaceAll(secret.Draw(t, place+" user"), "/", "")+":"+marker+"@p:1"),
			}
			if rapid.Bool().Draw(t, place+" exec") {
				c.Exec = &Exec{APIVersion: execVersions[0], Command: "c", Env: map[string]string{"A": secret.Draw(t, place+" env")}}
			}
			return c
		}
		pool := NewPool(Config{Connections: map[string]Connection{"x": draw("first")}})
		resolved, err := pool.Resolve("x", draw("own"))
		text := ""
		if err != nil {
			text = err.Error()
		} else {
			text = resolved.Access() + resolved.m.Connection.String()
		}
		if strings.Contains(text, marker) {
			t.Fatalf("a secret is in %s", text)
		}
		if err == nil {
			a, err := ParseAccess(resolved.Access())
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Connection.Secrets()) > 0 {
				t.Fatalf("%v in the parsed access", a.Connection.Secrets())
			}
		}
	})
}
