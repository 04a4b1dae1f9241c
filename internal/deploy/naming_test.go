package deploy

import (
	"strings"
	"testing"
)

// TestNaming walks through what one process may see, in any order that Terraform may choose.
func TestNaming(t *testing.T) {
	web := func(instance string) Set { return Set{Name: "web", Inventory: "fleet-system", Instance: instance} }
	type step func(*Runner) error
	read := func(instance string) step { return func(r *Runner) error { r.NoteRead(web(instance)); return nil } }
	update := func(instance string) step {
		return func(r *Runner) error { return r.NoteKept(web(instance), web(instance)) }
	}
	create := func(r *Runner) error { return r.NoteCreate(web(""), "") }
	replace := func(instance string) step { return func(r *Runner) error { return r.NoteCreate(web(""), instance) } }
	destroy := func(instance string) step {
		return func(r *Runner) error { return r.NoteDestroy(web(instance), false) }
	}
	succeeded := func(instance string) step { return func(r *Runner) error { return r.NoteDestroy(web(instance), true) } }
	rename := func(instance, from, to string) step {
		return func(r *Runner) error {
			was := web(instance)
			was.Name = from
			now := was
			now.Name = to
			return r.NoteKept(now, was)
		}
	}
	const fine, twice, swapped, still = "", "another fleet_manifest of this configuration has the name", "is destroyed and another is created", "until this apply is done"
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"an update", []step{read("x"), update("x")}, fine},
		{"a replacement plans an update, then a create", []step{read("x"), update("x"), replace("x")}, fine},
		{"a tainted resource plans only a create", []step{read("x"), create}, fine},
		{"two new ones", []step{create, create}, twice},
		{"a new one beside an update", []step{read("x"), update("x"), create}, twice},
		{"the other way round", []step{read("x"), create, update("x")}, twice},
		{"a new one beside a replacement", []step{read("x"), update("x"), replace("x"), create}, twice},
		{"a new one beside a tainted one", []step{read("x"), create, create}, twice},
		{"two that exist", []step{read("x"), update("x"), read("y"), update("y")}, twice},
		{"a new address", []step{read("x"), destroy("x"), create}, swapped},
		{"a new address, the other way round", []step{create, read("x"), destroy("x")}, swapped},
		{"a deposed object of a tainted one", []step{read("x"), destroy("x"), read("y"), create}, fine},
		{"the same, in between", []step{read("y"), read("x"), create, destroy("x")}, fine},
		{"a deposed object of one that is kept", []step{read("x"), destroy("x"), read("y"), update("y")}, fine},
		{"a deposed object of one that is replaced", []step{read("x"), destroy("x"), read("y"), update("y"), replace("y")}, fine},
		{"a deposed object whose successor was killed at work", []step{read("x"), succeeded("x"), create}, fine},
		{"nothing was read", []step{destroy("x"), create}, fine},
		{"an apply of a replacement, which deletes without a plan", []step{create}, fine},
		{"an apply that creates before it destroys", []step{create, destroy("x")}, fine},
		{"a destroy of everything", []step{destroy("x")}, fine},
		{"a set that is moved to the name of another", []step{update("x"), rename("y", "api", "web")}, twice},
		{"the other way round, too", []step{rename("y", "api", "web"), update("x")}, twice},
		{"a set that is moved to a free name", []step{update("x"), rename("y", "api", "v2")}, fine},
		{"to the name of one that is destroyed", []step{destroy("x"), rename("y", "api", "web")}, still},
		{"to the name of one that is destroyed, the other way round", []step{rename("y", "api", "web"), destroy("x")}, still},
		{"a new one gets the name that another is about to lose", []step{rename("x", "web", "v2"), create}, still},
		{"the same, the other way round", []step{create, rename("x", "web", "v2")}, "is to have its old name"},
		{"two that swap their names", []step{rename("x", "web", "api"), rename("y", "api", "web")}, "name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewRunner(nil, 1, "", nil)
			got := ""
			for _, s := range c.steps {
				if err := s(r); err != nil {
					got += err.Error()
				}
			}
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
