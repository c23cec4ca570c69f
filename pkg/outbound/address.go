package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// errAddress: the address is none the operator may connect to.
var errAddress = errors.New("is a private or special address; name its network with --allowed-source-networks to allow it")

// inside lists networks that are nobody's public address, besides those netip
// knows: "this" network, carrier-grade NAT, protocol assignments, documentation,
// benchmarks, the reserved block with broadcast, and the IPv6 networks that carry
// an IPv4 address inside.
func inside() []string {
	return []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2001:db8::/32", "2002::/16", "fec0::/10",
	}
}

// guard refuses connections to addresses that are not public, unless they are in
// one of the allowed networks. It sees the address that is dialled, so that a name
// that resolves to another one at the second look gains nothing.
type guard struct{ allowed, refused []netip.Prefix }

func newGuard(allowed []netip.Prefix) guard {
	g := guard{allowed: allowed}
	for _, text := range inside() {
		g.refused = append(g.refused, netip.MustParsePrefix(text))
	}
	return g
}

// control is called with each address before it is connected to.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%q %w", address, errAddress)
	}
	if !g.permits(target.Addr()) {
		return fmt.Errorf("%s %w", target.Addr(), errAddress)
	}
	return nil
}

func (g guard) permits(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	holds := func(p netip.Prefix) bool { return p.Contains(ip) }
	switch {
	case slices.ContainsFunc(g.allowed, holds):
		return true
	case ip.IsPrivate(), ip.IsLoopback(), ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified():
		return false
	}
	return !slices.ContainsFunc(g.refused, holds)
}
