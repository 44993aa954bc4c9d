package egress

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func TestGuard(t *testing.T) {
	nothing := newGuard(nil, false)
	local := newGuard(nil, true)
	office := newGuard(prefixes("10.1.0.0/16", "fd00:1::/32", "::ffff:192.168.7.0/120"), false)
	nat64 := newGuard(prefixes("64:ff9b::/96"), false)
	for _, c := range []struct {
		name, addr string
		guard      guard
		passes     bool
	}{
		{"public", "8.8.8.8", nothing, true},
		{"public", "172.32.0.1", nothing, true},
		{"public", "100.128.0.1", nothing, true},
		{"public v6", "2606:4700:4700::1111", nothing, true},
		{"public, mapped", "::ffff:8.8.8.8", nothing, true},

		{"private", "10.0.0.1", nothing, false},
		{"private", "172.16.0.1", nothing, false},
		{"private", "172.31.255.255", nothing, false},
		{"private", "192.168.0.1", nothing, false},
		{"loopback", "127.0.0.1", nothing, false},
		{"loopback", "127.255.255.254", nothing, false},
		{"link-local", "169.254.0.1", nothing, false},
		{"metadata", "169.254.169.254", nothing, false},
		{"carrier-grade NAT", "100.64.0.1", nothing, false},
		{"carrier-grade NAT", "100.127.255.255", nothing, false},
		{"multicast", "224.0.0.1", nothing, false},
		{"multicast", "239.255.255.250", nothing, false},
		{"unspecified", "0.0.0.0", nothing, false},
		{"this network", "0.1.2.3", nothing, false},
		{"benchmarking", "198.18.0.1", nothing, false},
		{"documentation", "192.0.2.1", nothing, false},
		{"reserved", "240.0.0.1", nothing, false},
		{"broadcast", "255.255.255.255", nothing, false},

		{"loopback v6", "::1", nothing, false},
		{"unspecified v6", "::", nothing, false},
		{"link-local v6", "fe80::1", nothing, false},
		{"link-local v6 with zone", "fe80::1%eth0", nothing, false},
		{"unique local", "fd00::1", nothing, false},
		{"metadata v6", "fd00:ec2::254", nothing, false},
		{"site-local", "fec0::1", nothing, false},
		{"multicast v6", "ff02::1", nothing, false},
		{"documentation v6", "2001:db8::1", nothing, false},
		{"Teredo", "2001:0:7f00:1::1", nothing, false},
		{"6to4 of a private address", "2002:a00:1::1", nothing, false},
		{"6to4 of loopback", "2002:7f00:1::", nothing, false},
		{"NAT64 of metadata", "64:ff9b::a9fe:a9fe", nothing, false},
		{"NAT64 of a public address", "64:ff9b::808:808", nothing, false},
		{"local NAT64", "64:ff9b:1::a00:1", nothing, false},
		{"IPv4-compatible loopback", "::127.0.0.1", nothing, false},
		{"mapped private", "::ffff:10.0.0.1", nothing, false},
		{"mapped loopback", "::ffff:127.0.0.1", nothing, false},
		{"mapped metadata", "::ffff:169.254.169.254", nothing, false},
		{"mapped unspecified", "::ffff:0.0.0.0", nothing, false},

		{"loopback allowed", "127.0.0.1", local, true},
		{"loopback v6 allowed", "::1", local, true},
		{"mapped loopback allowed", "::ffff:127.0.0.1", local, true},
		{"private, only loopback allowed", "10.0.0.1", local, false},
		{"unspecified, only loopback allowed", "0.0.0.0", local, false},

		{"allowed network", "10.1.2.3", office, true},
		{"allowed network, mapped", "::ffff:10.1.2.3", office, true},
		{"beside the allowed network", "10.2.0.1", office, false},
		{"allowed network v6", "fd00:1::5", office, true},
		{"beside the allowed network v6", "fd00:2::5", office, false},
		{"allowed network, written mapped", "192.168.7.9", office, true},
		{"beside it", "192.168.8.9", office, false},
		{"loopback, a network allowed", "127.0.0.1", office, false},

		{"allowed NAT64 of a public address", "64:ff9b::808:808", nat64, true},
		{"allowed NAT64 of loopback", "64:ff9b::7f00:1", nat64, false},
		{"allowed NAT64 of metadata", "64:ff9b::a9fe:a9fe", nat64, false},
	} {
		addr := netip.MustParseAddr(c.addr)
		err := c.guard.check(addr)
		if c.passes != (err == nil) {
			t.Errorf("%s (%s): %v", c.name, c.addr, err)
		}
		if err != nil && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), addr.String())) {
			t.Errorf("%s: the refusal reads %q", c.addr, err)
		}
	}
}

func TestGuardSeesWhatIsDialled(t *testing.T) {
	g := newGuard(nil, true)
	for _, c := range []struct {
		network, address string
		passes           bool
	}{
		{"tcp4", "127.0.0.1:8080", true},
		{"tcp6", "[::1]:22", true},
		{"tcp4", "8.8.8.8:1", true},
		{"udp4", "8.8.8.8:53", false},
		{"unix", "/run/control.sock", false},
		{"tcp4", ":80", false},
		{"tcp4", "localhost:80", false},
		{"tcp6", "[fe80::1%eth0]:80", false},
	} {
		if err := g.control(c.network, c.address, nil); c.passes != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s %s: %v", c.network, c.address, err)
		}
	}
}

// TestWrittenAnotherWayIsJudgedTheSame: an IPv4 address and its mapped form get the same answer.
func TestWrittenAnotherWayIsJudgedTheSame(t *testing.T) {
	g := newGuard(prefixes("10.1.0.0/16"), false)
	rapid.Check(t, func(t *rapid.T) {
		octets := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "octets"))
		addr := netip.AddrFrom4(octets)
		plain, mapped := g.check(addr), g.check(netip.AddrFrom16(addr.As16()))
		if (plain == nil) != (mapped == nil) {
			t.Fatalf("%s: %v, but mapped: %v", addr, plain, mapped)
		}
		if plain == nil && (addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified()) {
			t.Fatalf("%s passes", addr)
		}
		if plain == nil && addr.IsPrivate() && !netip.MustParsePrefix("10.1.0.0/16").Contains(addr) {
			t.Fatalf("%s passes", addr)
		}
	})
}
