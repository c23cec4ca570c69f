// Package servingcert makes the certificates that the operator's webhooks serve, and
// rotates them: whoever verifies one is told of the next before that is served, and
// trusts the last one for a while after.
package servingcert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"time"

	"k8s.io/client-go/util/cert"
)

// pair is a certificate with the one that signed it, and its key, as PEM.
type pair struct{ cert, key []byte }

// state is all that is known of certificates. It moves in steps, each at least a settling
// time after the one before: the next certificate is told, then served, then the one
// before it is forgotten.
type state struct {
	current, next pair
	// previous is no longer served, and still trusted.
	previous []byte
	// since is when the last step was made.
	since time.Time
}

// terms are how long things take.
type terms struct {
	// validity is that of a certificate; it is renewed when a third of it is left.
	validity time.Duration
	// settle is how long it takes until everybody knows what was told.
	settle time.Duration
}

// advance makes the step that is due, if one is.
func (s state) advance(now time.Time, t terms, issue func() (pair, error)) (out state, moved bool, err error) {
	settled := now.Sub(s.since) >= t.settle
	switch {
	case !s.current.serves(now):
		// The first one, or all of them expired while nobody ran.
		fresh, err := issue()
		return state{current: fresh, since: now}, err == nil, err
	case s.next.cert != nil && settled:
		return state{current: s.next, previous: s.current.cert, since: now}, true, nil
	case s.previous != nil && settled:
		s.previous, s.since = nil, now
		return s, true, nil
	case s.next.cert == nil && s.previous == nil && s.current.left(now) < t.validity/3:
		if s.next, err = issue(); err != nil {
			return s, false, err
		}
		s.since = now
		return s, true, nil
	}
	return s, false, nil
}

// bundle are the authorities to trust.
func (s state) bundle() []byte {
	var out []byte
	for _, text := range [][]byte{s.current.cert, s.next.cert, s.previous} {
		for _, c := range parse(text) {
			if c.IsCA {
				out = append(out, pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: c.Raw})...)
			}
		}
	}
	return out
}

// serves says that a pair can be served now.
func (p pair) serves(now time.Time) bool {
	_, err := tls.X509KeyPair(p.cert, p.key)
	return err == nil && p.left(now) > 0
}

// left is how long a certificate is still valid.
func (p pair) left(now time.Time) time.Duration {
	all := parse(p.cert)
	if len(all) == 0 {
		return 0
	}
	return all[0].NotAfter.Sub(now)
}

func parse(text []byte) []*x509.Certificate {
	all, err := cert.ParseCertsPEM(text)
	if err != nil {
		return nil
	}
	return all
}

// backdated is by how much the certificates of client-go are older than they are.
const backdated = time.Hour

// issue makes a certificate for hosts, names or addresses, that is signed by an authority
// of its own, whose key nobody has.
func issue(hosts []string, validity time.Duration) (pair, error) {
	opts := cert.SelfSignedCertKeyOptions{Host: hosts[0], MaxAge: validity + backdated}
	for _, host := range hosts[1:] {
		if ip := net.ParseIP(host); ip != nil {
			opts.AlternateIPs = append(opts.AlternateIPs, ip)
		} else {
			opts.AlternateDNS = append(opts.AlternateDNS, host)
		}
	}
	crt, key, err := cert.GenerateSelfSignedCertKeyWithOptions(opts)
	if err != nil {
		return pair{}, fmt.Errorf("make a certificate for %s: %w", hosts[0], err)
	}
	return pair{cert: crt, key: key}, nil
}
