package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// pki is the identity of one cluster. It is made anew for every cluster and
// lives as long as its directory.
type pki struct {
	ca    *x509.Certificate
	caKey crypto.Signer
}

// newPKI makes a certificate authority and writes what the components read
// from files: the authority, the certificate of the apiserver and the key
// that signs service account tokens.
func newPKI(d directory) (*pki, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	ca, err := certutil.NewSelfSignedCACert(certutil.Config{CommonName: "localcluster"}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate authority: %w", err)
	}
	p := &pki{ca: ca, caKey: key}
	server, serverKey, err := p.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: kubeAPIServer},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
	})
	if err != nil {
		return nil, err
	}
	tokens, err := newKey()
	if err != nil {
		return nil, err
	}
	tokensPEM, err := keyutil.MarshalPrivateKeyToPEM(tokens)
	if err != nil {
		return nil, fmt.Errorf("encode service account key: %w", err)
	}
	if err := os.MkdirAll(d.path("pki"), 0o700); err != nil {
		return nil, fmt.Errorf("create directory %s: %w", d.path("pki"), err)
	}
	for name, text := range map[string][]byte{
		"ca.crt": encodeCert(ca.Raw), "apiserver.crt": server, "apiserver.key": serverKey, "sa.key": tokensPEM,
	} {
		if err := os.WriteFile(d.path("pki", name), text, 0o600); err != nil {
			return nil, fmt.Errorf("write %s: %w", d.path("pki", name), err)
		}
	}
	return p, nil
}

// writeKubeconfig writes the kubeconfig of an administrator. It contains its
// certificates, so that it can be copied elsewhere.
func (p *pki) writeKubeconfig(d directory, server string) error {
	cert, key, err := p.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	const name = "localcluster"
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: server, CertificateAuthorityData: encodeCert(p.ca.Raw)}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {ClientCertificateData: cert, ClientKeyData: key}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}
	if err := clientcmd.WriteToFile(config, d.kubeconfig()); err != nil {
		return fmt.Errorf("write %s: %w", d.kubeconfig(), err)
	}
	return nil
}

// issue signs a certificate and returns it with its key, both as PEM.
func (p *pki) issue(template x509.Certificate) (certPEM, keyPEM []byte, err error) {
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, nil, fmt.Errorf("make serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore = p.ca.NotBefore
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	raw, err := x509.CreateCertificate(rand.Reader, &template, p.ca, key.Public(), p.caKey)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate of %s: %w", template.Subject.CommonName, err)
	}
	keyPEM, err = keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode key of %s: %w", template.Subject.CommonName, err)
	}
	return encodeCert(raw), keyPEM, nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

func encodeCert(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certutil.CertificateBlockType, Bytes: raw})
}
