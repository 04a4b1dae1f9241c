package endpoint

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("sim-%04d", i+1)
	}
	return all
}

func TestDown(t *testing.T) {
	for _, test := range []struct {
		down     string
		clusters int
		want     int
	}{
		{"", 10, 0}, {"0", 10, 0}, {"1", 10, 1}, {"10", 10, 10},
		{"1%", 1000, 10}, {"10%", 1000, 100}, {"1%", 10, 1}, {"0%", 10, 0}, {"0.1%", 1000, 1},
		{"sim-0002,sim-0003", 10, 2},
	} {
		down, err := Knobs{Down: test.down}.down(names(test.clusters))
		if err != nil || len(down) != test.want {
			t.Errorf("%q of %d: %d are down, want %d; error %v", test.down, test.clusters, len(down), test.want, err)
		}
	}
	for _, wrong := range []string{"11", "-1", "200%", "sim-9999", "some", "sim-0001,"} {
		if down, err := (Knobs{Down: wrong}).down(names(10)); err == nil {
			t.Errorf("%q is no error, but %v", wrong, down)
		}
	}
}

func TestDownIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clusters := rapid.IntRange(1, 2000).Draw(t, "clusters")
		count := rapid.IntRange(0, clusters).Draw(t, "count")
		down, err := Knobs{Down: fmt.Sprint(count)}.down(names(clusters))
		if err != nil || len(down) != count {
			t.Fatalf("%d are down, want %d; error %v", len(down), count, err)
		}
	})
}

func TestSetChangesWhatIsNamed(t *testing.T) {
	faults := NewFaults(names(4), 1)
	for _, text := range []string{`{"latency":"50ms"}`, `{"errorRate":0.5,"errorStatus":429}`, `{"down":"25%"}`} {
		if _, err := faults.Set([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	want := Knobs{Latency: 50e6, ErrorRate: 0.5, ErrorStatus: 429, Down: "25%", DownMode: Hang}
	if got := faults.Knobs(); got != want {
		t.Errorf("the knobs are %+v, want %+v", got, want)
	}
	for _, wrong := range []string{`{"latncy":"1s"}`, `{"latency":"-1s"}`, `{"errorRate":2}`, `{"errorStatus":200}`, `{"downMode":"nap"}`, `{"down":"5"}`, `{`} {
		if _, err := faults.Set([]byte(wrong)); err == nil {
			t.Errorf("%s is no error", wrong)
		}
	}
	if got := faults.Knobs(); got != want {
		t.Errorf("after refused changes the knobs are %+v, want %+v", got, want)
	}
}
