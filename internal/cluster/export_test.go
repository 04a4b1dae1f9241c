package cluster

// Scouted waits until the scouts that were sent out are back.
func (p *Pool) Scouted() { p.scouts.back.Wait() }
