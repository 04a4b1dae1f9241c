package replay

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// answers serves one answer after the other.
func answers(t *testing.T, texts ...string) Target {
	t.Helper()
	next := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if next++; next > len(texts) {
			t.Errorf("request %d, want %d at most", next, len(texts))
			return
		}
		if _, err := w.Write([]byte(texts[next-1])); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return Target{Host: server.URL, Client: server.Client()}
}

func object(version, value string) string {
	return `{"kind":"ConfigMap","metadata":{"uid":"` + "u" + version[:1] + `","resourceVersion":"` + version + `","creationTimestamp":"` + version + `"},"data":{"k":"` + value + `"}}`
}

func TestReplayFindsDifferences(t *testing.T) {
	recording := []Exchange{
		{Method: "PATCH", Path: "/a", Status: 200, Answer: Text(object("11", "x"))},
		{Method: "PATCH", Path: "/a", Status: 200, Answer: Text(object("11", "x"))},
		{Method: "PATCH", Path: "/a", Status: 200, Answer: Text(object("12", "y"))},
	}
	for _, test := range []struct {
		name string
		got  []string
		want []int
	}{
		{"the same but for what is made up", []string{object("21", "x"), object("21", "x"), object("25", "y")}, nil},
		{"another value", []string{object("21", "x"), object("21", "z"), object("25", "y")}, []int{2}},
		{"a write where there was none", []string{object("21", "x"), object("22", "x"), object("25", "y")}, []int{2}},
		{"no write where there was one", []string{object("21", "x"), object("21", "x"), object("21", "y")}, []int{3}},
		{"a field less", []string{object("21", "x"), object("21", "x"), `{"kind":"ConfigMap","metadata":{}}`}, []int{3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			differences, err := Replay(t.Context(), answers(t, test.got...), recording)
			if err != nil {
				t.Fatal(err)
			}
			if len(differences) != len(test.want) {
				t.Fatalf("%d differences, want %d: %v", len(differences), len(test.want), differences)
			}
			for i, step := range test.want {
				if differences[i].Step != step {
					t.Errorf("a difference in step %d, want %d", differences[i].Step, step)
				}
			}
		})
	}
}

func TestReplayFindsAnotherStatus(t *testing.T) {
	differences, err := Replay(t.Context(), answers(t, object("1", "x")), []Exchange{{Method: "GET", Path: "/a", Status: 404, Answer: "{}"}})
	if err != nil || len(differences) != 1 {
		t.Errorf("differences %v, error %v; want one difference", differences, err)
	}
}

func TestReplaySendsTheTargetsNames(t *testing.T) {
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body := make([]byte, req.ContentLength)
		if _, err := req.Body.Read(body); err != nil {
			sent = string(body)
		}
		if _, err := w.Write([]byte(object("21", "x"))); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	_, err := Replay(t.Context(), Target{Host: server.URL, Client: server.Client()}, []Exchange{
		{Method: "POST", Path: "/a", Status: 200, Body: "{}", Answer: Text(object("11", "x"))},
		{Method: "PATCH", Path: "/a", Status: 200, Body: `{"uid":"u1","resourceVersion":"11"}`, Answer: Text(object("11", "x"))},
	})
	if want := `{"uid":"u2","resourceVersion":"21"}`; err != nil || sent != want {
		t.Errorf("sent %s, want %s; error %v", sent, want, err)
	}
}
