package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []int
		want   int
	}{{nil, 0}, {[]int{3}, 3}, {[]int{9, 1, 5}, 5}, {[]int{4, 1, 2, 100}, 3}} {
		before := slices.Clone(test.values)
		if got := Median(test.values); got != test.want {
			t.Errorf("Median(%v) = %d, want %d", test.values, got, test.want)
		}
		if !slices.Equal(before, test.values) {
			t.Errorf("Median reordered %v to %v", before, test.values)
		}
	}
	samples := []struct{ d time.Duration }{{3}, {1}, {2}}
	if got := MedianOf(samples, func(s struct{ d time.Duration }) time.Duration { return s.d }); got != 2 {
		t.Errorf("MedianOf = %d, want 2", got)
	}
}

func TestUnits(t *testing.T) {
	for got, want := range map[string]string{
		Seconds(0): "–", Seconds(71 * time.Millisecond): "0.071 s", Seconds(1456 * time.Millisecond): "1.46 s", Seconds(200 * time.Second): "200 s",
		Bytes(0): "–", Bytes(900): "900 B", Bytes(1536): "1.5 KiB", Bytes(300 << 20): "300 MiB", Bytes(23 << 30): "23.0 GiB",
		Ratio(3, 2): "1.5×", Ratio(3, 0): "–",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var sections = []Section{
	{Title: "4 × 21", Note: "Medians.", Header: []string{"step", "wall"}, Rows: [][]string{{"first apply", "1.2 s"}, {"a|b", "0.5 s"}}},
	{Title: "Second", Header: []string{"x"}, Rows: [][]string{{"y"}}},
}

func TestMarkdown(t *testing.T) {
	want := "### 4 × 21\n\nMedians.\n\n| step | wall |\n|---|---:|\n| first apply | 1.2 s |\n| a\\|b | 0.5 s |\n\n### Second\n\n| x |\n|---|\n| y |\n"
	if diff := cmp.Diff(want, Markdown(sections)); diff != "" {
		t.Errorf("Markdown (-want +got):\n%s", diff)
	}
}

func TestText(t *testing.T) {
	var out strings.Builder
	if err := Text(&out, sections); err != nil {
		t.Fatal(err)
	}
	want := "\n4 × 21\n------\nMedians.\nstep         wall\nfirst apply  1.2 s\na|b          0.5 s\n\nSecond\n------\nx\ny\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("Text (-want +got):\n%s", diff)
	}
}

func TestPaste(t *testing.T) {
	page := "a\n<!-- bench: run -->\nold\n<!-- bench: end of run -->\nb\n<!-- bench: scale -->\n<!-- bench: end of scale -->\n"
	got, err := Paste(page, "run", "new\n")
	if want := strings.Replace(page, "old", "new", 1); err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if again, err := Paste(got, "run", "new\n"); err != nil || again != got {
		t.Errorf("pasting twice: %q (%v)", again, err)
	}
	if _, err := Paste("nothing here", "run", "new"); err == nil || !strings.Contains(err.Error(), "bench: run") {
		t.Errorf("error %v, want one that names the marker", err)
	}
	if _, err := Paste("<!-- bench: run -->\n", "run", "new"); err == nil || !strings.Contains(err.Error(), "end of run") {
		t.Errorf("error %v, want one that names the end", err)
	}
}

func TestMachineReadsProc(t *testing.T) {
	if got := field("vendor_id\t: X\nmodel name\t: Some CPU: 2\nmodel name\t: other\n", "model name"); got != "Some CPU: 2" {
		t.Errorf("model %q", got)
	}
	for program, want := range map[string]string{"/usr/bin/terraform": "Terraform 1.11.4", "/x/tofu": "OpenTofu 1.11.4"} {
		if got := version(program, []byte(`{"terraform_version":"1.11.4"}`)); got != want {
			t.Errorf("%s is %q, want %q", program, got, want)
		}
	}
	if got := version("terraform", []byte("nonsense")); got != "unknown" {
		t.Errorf("version %q of nonsense", got)
	}
}
