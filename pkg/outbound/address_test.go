package outbound

import (
	"net/netip"
	"testing"
)

// TestPermits: what is not public is refused, however it is written, fault row 123.
func TestPermits(t *testing.T) {
	allowed := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}
	cases := map[string]bool{
		"93.184.216.34": true, "2606:4700::1111": true, "10.1.2.3": true, "::ffff:10.1.2.3": true, "fd00:1::5": true,
		"10.2.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "fd00:2::5": false,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "::ffff:169.254.169.254": false,
		"100.64.0.1": false, "100.127.255.255": false, "100.128.0.1": true,
		"0.0.0.0": false, "0.1.2.3": false, "::": false, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"64:ff9b::a9fe:a9fe": false, "2002:7f00:1::1": false, "2001:0:1::1": false, "192.0.2.1": false, "198.18.0.1": false, "192.0.0.1": false,
	}
	g := newGuard(allowed)
	for text, want := range cases {
		if got := g.permits(netip.MustParseAddr(text)); got != want {
			t.Errorf("permits(%s) = %v, want %v", text, got, want)
		}
	}
	if err := g.control("tcp", "nonsense", nil); err == nil {
		t.Error("an address that is none is permitted")
	}
}
