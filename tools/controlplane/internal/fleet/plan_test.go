package fleet

import (
	"slices"
	"strings"
	"testing"
)

func TestDefaultNames(t *testing.T) {
	var names []string
	for i := range 9 {
		names = append(names, defaultName(i))
	}
	want := []string{"eu-1", "eu-2", "us-1", "us-2", "ap-1", "ap-2", "eu-3", "eu-4", "us-3"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestMembers(t *testing.T) {
	for _, test := range []struct {
		name string
		plan Plan
		want string
	}{
		{"the third is older", Plan{Count: 4}, "eu-1/eu/new eu-2/eu/new us-1/us/old us-2/us/new"},
		{"two are new", Plan{Count: 2}, "eu-1/eu/new eu-2/eu/new"},
		{"names", Plan{Names: []string{"paris", "new-york-2"}, Count: 3}, "paris/paris/new new-york-2/new-york/new"},
		{"prefix", Plan{Count: 1, Prefix: "demo-"}, "demo-eu-1/eu/new"},
		{"one version for all", Plan{Count: 3, Versions: []string{"a"}}, "eu-1/eu/a eu-2/eu/a us-1/us/a"},
		{"the last version goes on", Plan{Count: 3, Versions: []string{"a", "b"}}, "eu-1/eu/a eu-2/eu/b us-1/us/b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, m := range test.plan.members("new", "old") {
				got = append(got, m.name+"/"+m.region+"/"+m.version)
			}
			if joined := strings.Join(got, " "); joined != test.want {
				t.Errorf("got %s, want %s", joined, test.want)
			}
		})
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name string
		plan Plan
		want string
	}{
		{"good", Plan{Count: 3, Nodes: 3}, ""},
		{"no clusters", Plan{}, "--clusters is 0"},
		{"negative nodes", Plan{Count: 1, Nodes: -1}, "--nodes is -1"},
		{"low port", Plan{Count: 1, Port: 80}, "--port is 80"},
		{"high port", Plan{Count: 3, Port: 65535}, "--port is 65535"},
		{"too many versions", Plan{Count: 1, Versions: []string{"1.36", "1.34"}}, "2 versions for 1 clusters"},
		{"path as a name", Plan{Names: []string{"../x"}}, `"../x" cannot be`},
		{"reserved name", Plan{Names: []string{"kubeconfig"}}, `"kubeconfig" cannot be`},
		{"same name", Plan{Names: []string{"a", "a"}}, `"a" is given twice`},
		{"bad prefix", Plan{Count: 1, Prefix: "A"}, `"Aeu-1" cannot be`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.plan.Check()
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want one with %q", err, test.want)
			}
		})
	}
}
