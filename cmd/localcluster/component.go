package main

import (
	"fmt"
	"slices"
	"strconv"
)

// component is one part of the cluster: how it starts and where it says that
// it is usable.
type component struct {
	name  string
	ports []int
	args  []string
	ready string // URL that answers 200
}

// components lists the parts of a cluster in the order in which they start.
func components(o options, p *ports) []component {
	var (
		d          = o.dir
		etcdClient = "http://" + loopback(p.etcdClient)
		etcdPeer   = "http://" + loopback(p.etcdPeer)
		apiserver  = "https://" + loopback(p.apiserver)
		kubeconfig = "--kubeconfig=" + d.kubeconfig()
		// For the metrics that the two controllers serve themselves.
		delegated = []string{"--authentication-kubeconfig=" + d.kubeconfig(), "--authorization-kubeconfig=" + d.kubeconfig(), "--bind-address=127.0.0.1"}
	)
	return []component{{
		name:  etcd,
		ports: []int{p.etcdClient, p.etcdPeer},
		ready: etcdClient + "/readyz",
		args: []string{
			"--data-dir=" + d.path("etcd"),
			"--listen-client-urls=" + etcdClient, "--advertise-client-urls=" + etcdClient,
			"--listen-peer-urls=" + etcdPeer, "--initial-advertise-peer-urls=" + etcdPeer,
			"--initial-cluster=default=" + etcdPeer,
			// Data need not survive the machine; a killed process loses nothing.
			"--unsafe-no-fsync",
			"--log-level=warn",
		},
	}, {
		name:  kubeAPIServer,
		ports: []int{p.apiserver},
		ready: apiserver + "/readyz",
		args: append([]string{
			"--etcd-servers=" + etcdClient,
			"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + strconv.Itoa(p.apiserver),
			"--tls-cert-file=" + d.path("pki", "apiserver.crt"), "--tls-private-key-file=" + d.path("pki", "apiserver.key"),
			// The other components wait for ever without it: it is published
			// in the ConfigMap extension-apiserver-authentication.
			"--client-ca-file=" + d.path("pki", "ca.crt"),
			"--authorization-mode=Node,RBAC",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + d.path("pki", "sa.key"), "--service-account-signing-key-file=" + d.path("pki", "sa.key"),
			"--service-cluster-ip-range=10.96.0.0/12",
			"--endpoint-reconciler-type=none",
			"--allow-privileged=true",
		}, o.apiserverFlags...),
	}, {
		name:  controllerManager,
		ports: []int{p.controllerManager},
		ready: "https://" + loopback(p.controllerManager) + "/healthz",
		args: append([]string{
			kubeconfig, "--secure-port=" + strconv.Itoa(p.controllerManager),
			"--service-account-private-key-file=" + d.path("pki", "sa.key"), "--root-ca-file=" + d.path("pki", "ca.crt"),
			"--use-service-account-credentials=true",
			"--leader-elect=false",
			"--kube-api-qps=200", "--kube-api-burst=400",
			"--concurrent-deployment-syncs=20", "--concurrent-replicaset-syncs=20", "--concurrent-statefulset-syncs=20",
			"--concurrent-namespace-syncs=20",
			// An outage of etcd or of the apiserver must not make nodes look
			// lost, and with them every pod.
			"--node-monitor-grace-period=10m",
		}, delegated...),
	}, {
		name:  kubeScheduler,
		ports: []int{p.scheduler},
		ready: "https://" + loopback(p.scheduler) + "/readyz",
		args: append([]string{
			kubeconfig, "--secure-port=" + strconv.Itoa(p.scheduler),
			"--leader-elect=false",
			"--kube-api-qps=400", "--kube-api-burst=800",
		}, delegated...),
	}, {
		name:  kwok,
		ports: []int{p.kwok},
		ready: "http://" + loopback(p.kwok) + "/healthz",
		args: []string{
			kubeconfig, "--config=" + d.path("kwok.yaml"),
			"--server-address=" + loopback(p.kwok),
			"--manage-nodes-with-label-selector=" + nodeLabel + "=" + nodeLabelValue,
			"--node-ip=10.0.0.1", "--cidr=10.128.0.0/12",
		},
	}}
}

func findComponent(all []component, name string) (component, error) {
	i := slices.IndexFunc(all, func(c component) bool { return c.name == name })
	if i < 0 {
		return component{}, fmt.Errorf("there is no component %q: see localcluster help", name)
	}
	return all[i], nil
}
