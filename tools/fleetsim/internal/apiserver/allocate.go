package apiserver

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync/atomic"

	api "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/registry/core/service/ipallocator"
)

// The ranges that addresses and ports of Services come from, as on the real clusters of tools/controlplane.
const (
	serviceRange = "10.0.0.0/16"
	firstPort    = 30000
	ports        = 2768
)

// addresses gives out service addresses in turn, to all clusters. It does not remember them: a cluster would have to have thousands of
// Services until one of them got an address twice.
type addresses struct {
	network net.IPNet
	next    *atomic.Uint32
}

var _ ipallocator.Interface = addresses{}

func newAddresses() (addresses, error) {
	_, network, err := net.ParseCIDR(serviceRange)
	if err != nil {
		return addresses{}, fmt.Errorf("the service range: %w", err)
	}
	return addresses{network: *network, next: &atomic.Uint32{}}, nil
}

func (a addresses) Allocate(ip net.IP) error {
	if !a.network.Contains(ip) {
		return &ipallocator.ErrNotInRange{IP: ip, ValidRange: a.network.String()}
	}
	return nil
}

func (a addresses) AllocateNext() (net.IP, error) {
	ones, bits := a.network.Mask.Size()
	size := uint32(1)<<(bits-ones) - 2
	ip := make(net.IP, net.IPv4len)
	binary.BigEndian.PutUint32(ip, binary.BigEndian.Uint32(a.network.IP.To4())+1+a.next.Add(1)%size)
	return ip, nil
}

func (a addresses) Release(net.IP) error          { return nil }
func (a addresses) ForEach(func(net.IP))          {}
func (a addresses) CIDR() net.IPNet               { return a.network }
func (a addresses) IPFamily() api.IPFamily        { return api.IPv4Protocol }
func (a addresses) Has(net.IP) bool               { return false }
func (a addresses) Destroy()                      {}
func (a addresses) EnableMetrics()                {}
func (a addresses) DryRun() ipallocator.Interface { return a }

// nodePorts gives out node ports in the same way.
type nodePorts struct{ next *atomic.Uint32 }

func (nodePorts) Allocate(int) error { return nil }
func (p nodePorts) AllocateNext() (int, error) {
	return firstPort + int(p.next.Add(1)%ports), nil
}
func (nodePorts) Release(int) error { return nil }
func (nodePorts) ForEach(func(int)) {}
func (nodePorts) Has(int) bool      { return false }
func (nodePorts) Destroy()          {}
func (nodePorts) EnableMetrics()    {}
