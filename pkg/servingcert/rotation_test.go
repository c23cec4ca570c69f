package servingcert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

// TestRotation plays years in steps of the pause: whoever was told whom to trust one
// settling time ago, or now, must be able to verify what is served now, or was served one
// settling time ago.
func TestRotation(t *testing.T) {
	const validity = 90 * 24 * time.Hour
	at := terms{validity: validity, settle: time.Minute}
	now := time.Now()
	hosts := []string{"operator.ns.svc", "127.0.0.1"}
	var s state
	var told [][]byte
	var served []pair
	issued, changes := 0, 0
	// The certificates of client-go begin now, so that time is told by how long they are valid.
	make := func() (pair, error) {
		issued++
		return issue(hosts, time.Until(now.Add(validity)))
	}
	for step := 0; issued < 5; step++ {
		next, moved, err := s.advance(now, at, make)
		if err != nil {
			t.Fatal(err)
		}
		if string(next.current.cert) != string(s.current.cert) {
			changes++
		}
		s = next
		told, served = append(told, s.bundle()), append(served, s.current)
		const back = 4 // looks in a settling time
		if last := len(told) - 1; last >= back {
			for _, bundle := range [][]byte{told[last], told[last-back]} {
				for _, p := range []pair{served[last], served[last-back]} {
					verifies(t, bundle, p, hosts[0], now)
				}
			}
		}
		if moved || s.next.cert != nil || s.previous != nil {
			now = now.Add(at.settle / back)
		} else {
			now = now.Add(validity / 50)
			told, served = told[:0], served[:0]
		}
		if step > 10_000 {
			t.Fatal("it does not move")
		}
	}
	if changes != 4 {
		t.Errorf("another certificate was served %d times, want 4", changes)
	}
}

func verifies(t *testing.T, bundle []byte, p pair, host string, now time.Time) {
	t.Helper()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(bundle)
	c, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: trusted, DNSName: host, CurrentTime: now}); err != nil {
		t.Fatalf("what is served cannot be verified with what was told: %v", err)
	}
}

// TestRotationFromNothing: what is there may be missing, broken or long expired.
func TestRotationFromNothing(t *testing.T) {
	now := time.Now()
	old, err := issue([]string{"a"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	fresh := pair{cert: []byte("fresh")}
	for name, s := range map[string]state{
		"nothing":      {},
		"no key":       {current: pair{cert: old.cert}},
		"garbage":      {current: pair{cert: []byte("x"), key: []byte("y")}, next: old},
		"long expired": {current: old, since: now},
	} {
		at := now
		if name == "long expired" {
			at = now.Add(24 * time.Hour)
		}
		got, moved, err := s.advance(at, terms{validity: time.Hour, settle: time.Minute}, func() (pair, error) { return fresh, nil })
		if err != nil || !moved || string(got.current.cert) != "fresh" || got.next.cert != nil {
			t.Errorf("%s: advance() = %+v, %v, %v", name, got, moved, err)
		}
		if _, moved, err := s.advance(at, terms{}, func() (pair, error) { return pair{}, errors.New("no") }); err == nil || moved {
			t.Errorf("%s: advance() = %v, %v, want the error", name, moved, err)
		}
	}
}
