package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrRefused is what errors.Is finds in the error of a request that was not made because of where it would have gone.
var ErrRefused = errors.New("egress: refused")

// loopback is where a server talks to itself.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// guard decides which addresses may be dialled: those on the public internet, by IANA's registries of special-purpose addresses, and the
// networks that the operator named.
type guard struct{ public *ssrf.Guardian }

func newGuard(allow []netip.Prefix, allowLoopback bool) guard {
	if allowLoopback {
		allow = append(allow[:len(allow):len(allow)], loopback...)
	}
	var v4, v6 []netip.Prefix
	for _, prefix := range allow {
		if prefix = plain(prefix); prefix.Addr().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	return guard{ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))}
}

// plain is the prefix with an IPv4-mapped address (RFC 4291, 2.5.5.2) written as the IPv4 address that it is.
func plain(prefix netip.Prefix) netip.Prefix {
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		return netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96).Masked()
	}
	return prefix.Masked()
}

// control is a net.Dialer's Control: it sees the address of every connection before it is made.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s is no network for HTTP", ErrRefused, network)
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: there is no host to connect to", ErrRefused)
	}
	return g.check(at.Addr())
}

// check refuses what may not be dialled. An address that stands for another one is judged by that one too: an IPv4-mapped address is
// nothing but its IPv4 address, and a NAT64 prefix that the operator allowed leads to the public IPv4 internet only.
func (g guard) check(addr netip.Addr) error {
	if err := g.public.SafeAddr(addr.Unmap()); err != nil {
		return refusal(addr)
	}
	if ssrf.IPv6NAT64Prefix.Contains(addr) {
		octets := addr.As16()
		if err := g.public.SafeAddr(netip.AddrFrom4([4]byte(octets[12:]))); err != nil {
			return refusal(addr)
		}
	}
	return nil
}

func refusal(addr netip.Addr) error {
	return fmt.Errorf("%w: %s is not a public address", ErrRefused, addr)
}
