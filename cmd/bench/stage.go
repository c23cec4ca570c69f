package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"multitenancy.dev/multi-tenancy-operator/pkg/localcluster"
)

// The identity of the client that is measured: nobody else has it, so that the
// audit log of the API server tells its requests from all others.
const (
	benchNamespace  = "bench"
	measuredAccount = "measured"
	measuredUser    = "system:serviceaccount:" + benchNamespace + ":" + measuredAccount
)

// auditPolicy logs the requests of the measured client alone.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    users: ["` + measuredUser + `"]
  - level: None
`

// stage is a fresh cluster with an account for the client that is measured.
type stage struct {
	root       string // of the repository
	dir        string
	cluster    *localcluster.Cluster
	admin      *kubernetes.Clientset
	kubeconfig string // of the measured client
	audit      *audit
}

// setUp starts the cluster. The stage must be torn down, also after an error.
func setUp(ctx context.Context, root string) (*stage, error) {
	s := &stage{root: root}
	var err error
	if s.dir, err = os.MkdirTemp("", "multi-tenancy-bench-"); err != nil {
		return s, fmt.Errorf("create a directory for the cluster: %w", err)
	}
	policy, log := filepath.Join(s.dir, "policy.yaml"), filepath.Join(s.dir, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return s, fmt.Errorf("write the audit policy: %w", err)
	}
	s.audit = &audit{path: log}
	s.cluster, err = localcluster.Start(ctx, localcluster.Options{
		Dir: filepath.Join(s.dir, "cluster"), Binary: filepath.Join(root, "bin", "localcluster"), Log: io.Discard,
		// One file, however long it becomes.
		APIServerFlags: []string{"--audit-policy-file=" + policy, "--audit-log-path=" + log, "--audit-log-maxsize=10000"},
	})
	if err != nil {
		return s, err
	}
	config := s.cluster.RESTConfig()
	config.ContentType = "application/vnd.kubernetes.protobuf" // watching must not cost what is measured
	if s.admin, err = kubernetes.NewForConfig(config); err != nil {
		return s, err
	}
	return s, s.makeAccount(ctx)
}

// makeAccount makes the account of the measured client and its kubeconfig.
func (s *stage) makeAccount(ctx context.Context) error {
	_, err := s.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: benchNamespace}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", benchNamespace, err)
	}
	accounts := s.admin.CoreV1().ServiceAccounts(benchNamespace)
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: measuredAccount}}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create service account %s: %w", measuredAccount, err)
	}
	_, err = s.admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: measuredUser},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: benchNamespace, Name: measuredAccount}},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("bind service account %s: %w", measuredAccount, err)
	}
	day := int64(24 * time.Hour / time.Second)
	token, err := accounts.CreateToken(ctx, measuredAccount,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &day}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for a token of service account %s: %w", measuredAccount, err)
	}
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	return writeKubeconfig(s.kubeconfig, s.cluster.RESTConfig(), token.Status.Token)
}

func writeKubeconfig(path string, admin *rest.Config, token string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["bench"] = &clientcmdapi.Cluster{
		Server: admin.Host, CertificateAuthority: admin.CAFile, CertificateAuthorityData: admin.CAData,
	}
	config.AuthInfos["bench"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["bench"] = &clientcmdapi.Context{Cluster: "bench", AuthInfo: "bench"}
	config.CurrentContext = "bench"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// clusterCPU is what the API server and etcd have used, and what the rest of the cluster has.
func (s *stage) clusterCPU() (server, rest time.Duration, err error) {
	for component, sum := range map[string]*time.Duration{
		localcluster.APIServer: &server, localcluster.Etcd: &server,
		localcluster.ControllerManager: &rest, localcluster.Scheduler: &rest, localcluster.KWOK: &rest,
	} {
		pid, err := s.cluster.PID(component)
		if err != nil {
			return 0, 0, err
		}
		used, err := processCPU(pid)
		if err != nil {
			return 0, 0, err
		}
		*sum += used
	}
	return server, rest, nil
}

// tearDown ends the cluster and removes what it left.
func (s *stage) tearDown() error {
	var errs []error
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
