package deploy

import "fmt"

// naming is what this process has seen of the resources that have a set's name. Terraform does not tell a plan which resource it
// is for, so resources are told apart by what comes with their plans: an update and a destroy by the instance in their state, a
// replacement by the instance that the plan of the update before it has left, and a create by nothing.
type naming struct {
	// read are the instances that were read, and planned those that were planned in any way.
	read, planned map[string]bool
	// kept are the instances that go on under the name, as they are or replaced.
	kept map[string]bool
	// leaving are the instances that are moved to another name, and destroyed those that are destroyed.
	leaving, destroyed map[string]bool
	// arriving are the instances that are moved to the name from another.
	arriving map[string]bool
	// creates counts the plans of a create that nothing is known of.
	creates int
}

func (r *Runner) naming(id string) *naming {
	if r.names == nil {
		r.names = map[string]*naming{}
	}
	if r.names[id] == nil {
		r.names[id] = &naming{read: map[string]bool{}, planned: map[string]bool{}, kept: map[string]bool{}, leaving: map[string]bool{}, arriving: map[string]bool{}, destroyed: map[string]bool{}}
	}
	return r.names[id]
}

// NoteRead notes that the set's instance was read. A tainted resource is planned as if it had never been, so that this is all there
// is to tell it from a new one.
func (r *Runner) NoteRead(set Set) {
	if set.Instance == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.naming(set.id()).read[set.Instance] = true
}

// NoteKept notes the plan of an update: of the set's instance, under the name the set is to have. before is the set as it was.
func (r *Runner) NoteKept(set, before Set) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, was := r.naming(set.id()), r.naming(before.id())
	was.planned[before.Instance] = true
	now.kept[before.Instance] = true
	if now == was {
		return now.twice(set)
	}
	was.leaving[before.Instance], now.arriving[before.Instance] = true, true
	if len(was.kept)+was.creates > 0 {
		return stillNamed(before.Name, set.Name)
	}
	if len(now.destroyed)+len(now.leaving) > 0 {
		return stillNamed(set.Name, "")
	}
	return now.twice(set)
}

// NoteCreate notes the plan of a create. replaces is the instance that is replaced, as far as it is known.
func (r *Runner) NoteCreate(set Set, replaces string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.naming(set.id())
	if replaces != "" {
		n.kept[replaces] = true
		return n.twice(set)
	}
	n.creates++
	if err := n.twice(set); err != nil {
		return err
	}
	if len(n.leaving) > 0 {
		return stillNamed(set.Name, "")
	}
	return n.swapped(set)
}

// NoteDestroy notes the plan of a destroy. succeeded tells that another instance carries on with the set's objects already.
func (r *Runner) NoteDestroy(set Set, succeeded bool) error {
	if set.Instance == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.naming(set.id())
	n.planned[set.Instance] = true
	if succeeded {
		return nil
	}
	n.destroyed[set.Instance] = true
	if len(n.arriving) > 0 {
		return stillNamed(set.Name, "")
	}
	return n.swapped(set)
}

// twice refuses a second resource of the name.
func (n *naming) twice(set Set) error {
	if len(n.kept)+n.creates < 2 {
		return nil
	}
	return fmt.Errorf("another fleet_manifest of this configuration has the name %q, too; the two would prune each other's objects. Give each a name of its own or, "+
		"if one became the other, say so:\n\n%s\n\nwith their addresses", set.Name, movedBlock)
}

// swapped refuses a create beside a destroy of the same name: Terraform would do the one without regard to the other. It is none
// where the create is that of a tainted resource, and the destroy that of an instance it has left over, which only reading tells.
func (n *naming) swapped(set Set) error {
	if n.creates == 0 {
		return nil
	}
	refreshed := false
	for instance := range n.destroyed {
		// Without a refresh nothing was read, and nothing can be told.
		refreshed = refreshed || n.read[instance]
	}
	if !refreshed {
		return nil
	}
	for instance := range n.read {
		if !n.planned[instance] {
			return nil
		}
	}
	return fmt.Errorf("one fleet_manifest with the name %q is destroyed and another is created; its objects would be deleted and created anew, if not the other way round. "+
		"If the one became the other, say so, and no object is touched:\n\n%s\n\nElse remove the one in an apply of its own first. "+
		"(After a create_before_destroy that was killed halfway, apply once with -refresh=false.)", set.Name, movedBlock)
}

func stillNamed(name, to string) error {
	if to != "" {
		return fmt.Errorf("a set is moved from the name %q to %q, and another fleet_manifest of this configuration is to have its old name. "+
			"Apply the one without the other first", name, to)
	}
	return fmt.Errorf("another fleet_manifest of this configuration has the name %q until this apply is done. Apply its change, or its removal, first", name)
}

const movedBlock = "  moved {\n    from = fleet_manifest.OLD\n    to   = fleet_manifest.NEW\n  }"
