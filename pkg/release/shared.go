package release

import (
	"slices"
	"strings"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/kubectl/pkg/validation"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// capabilitiesTTL is how long the API server's versions and kinds are believed.
const capabilitiesTTL = 10 * time.Second

// shared is what all operations use side by side: it is safe for that, and too
// expensive to be made for each.
type shared struct {
	config    *rest.Config // with the transport in it; never changed
	clientset *kubernetes.Clientset
	dynamic   *dynamic.DynamicClient
	discovery discovery.CachedDiscoveryInterface
	newMapper func() (meta.RESTMapper, error)
	// base is the path below which the API server answers.
	base string

	mu     sync.Mutex
	mapper meta.RESTMapper // nil when it is to be made anew: it never forgets a kind
	caps   *chartutil.Capabilities
	until  time.Time
}

func newShared(config *rest.Config) (*shared, error) {
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	limiter := config.RateLimiter
	if limiter == nil && config.QPS > 0 {
		limiter = flowcontrol.NewTokenBucketRateLimiter(config.QPS, config.Burst)
	}
	// The transport carries the identity, so that none of the many clients Helm
	// makes builds one of its own.
	s := &shared{config: &rest.Config{
		Host:        config.Host,
		APIPath:     config.APIPath,
		UserAgent:   config.UserAgent,
		QPS:         config.QPS,
		Burst:       config.Burst,
		RateLimiter: limiter,
		Transport:   httpClient.Transport,
	}}
	// What config says of encodings is for Kubernetes' own kinds. Helm asks for any.
	typed := rest.CopyConfig(s.config)
	typed.ContentType, typed.AcceptContentTypes = config.ContentType, config.AcceptContentTypes
	if s.clientset, err = kubernetes.NewForConfig(typed); err != nil {
		return nil, err
	}
	if s.dynamic, err = dynamic.NewForConfig(s.config); err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(s.config)
	if err != nil {
		return nil, err
	}
	s.base = strings.TrimSuffix(base.Path, "/")
	s.newMapper = func() (meta.RESTMapper, error) { return apiutil.NewDynamicRESTMapper(s.config, httpClient) }
	s.discovery = memory.NewMemCacheClient(s.clientset.Discovery())
	return s, nil
}

// capabilities are what templates see as .Capabilities; a copy for the caller.
func (s *shared) capabilities() (*chartutil.Capabilities, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.caps == nil || time.Now().After(s.until) {
		caps, err := s.askCapabilities()
		if err != nil {
			return nil, err
		}
		s.caps, s.until = caps, time.Now().Add(capabilitiesTTL)
	}
	out := *s.caps
	out.APIVersions = slices.Clone(s.caps.APIVersions)
	return &out, nil
}

// forget makes the next operation ask for the API server's kinds anew.
func (s *shared) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caps, s.mapper = nil, nil
}

func (s *shared) askCapabilities() (*chartutil.Capabilities, error) {
	s.discovery.Invalidate()
	version, err := s.discovery.ServerVersion()
	if err != nil {
		return nil, err
	}
	// An aggregated API whose server is away must not stop everybody else.
	apis, err := action.GetVersionSet(s.discovery)
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, err
	}
	return &chartutil.Capabilities{
		APIVersions: apis,
		KubeVersion: chartutil.KubeVersion{
			Version: version.GitVersion, Major: version.Major, Minor: version.Minor,
		},
		HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
	}, nil
}

// getter gives Helm the shared connections under the name of one namespace.
type getter struct {
	*shared
	namespace string
	memo      *memo
	rendering *rendering
	gate      gate
}

// ToRESTConfig implements genericclioptions.RESTClientGetter: Helm asks its action's
// getter for the connection of templates.
func (g getter) ToRESTConfig() (*rest.Config, error) {
	g.rendering.begin()
	config := rest.CopyConfig(g.config)
	config.Transport = lookups{next: g.memo, gate: g.gate, base: g.base, mapper: g.ToRESTMapper}
	return config, nil
}

// ToDiscoveryClient implements genericclioptions.RESTClientGetter.
func (g getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.discovery, nil
}

// ToRESTMapper implements genericclioptions.RESTClientGetter.
func (g getter) ToRESTMapper() (meta.RESTMapper, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mapper == nil {
		mapper, err := g.newMapper()
		if err != nil {
			return nil, err
		}
		g.mapper = mapper
	}
	return g.mapper, nil
}

// ToRawKubeConfigLoader implements genericclioptions.RESTClientGetter: Helm asks
// it for the namespace of objects that name none.
func (g getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}}
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), overrides)
}

// factory is what Helm's client makes its connections with.
type factory struct{ getter }

// ToRESTConfig implements genericclioptions.RESTClientGetter.
func (f factory) ToRESTConfig() (*rest.Config, error) {
	config := rest.CopyConfig(f.config)
	config.Transport = f.memo
	return config, nil
}

// KubernetesClientSet implements kube.Factory.
func (f factory) KubernetesClientSet() (*kubernetes.Clientset, error) { return f.clientset, nil }

// DynamicClient implements kube.Factory.
func (f factory) DynamicClient() (dynamic.Interface, error) { return f.dynamic, nil }

// NewBuilder implements kube.Factory.
func (f factory) NewBuilder() *resource.Builder { return resource.NewBuilder(f) }

// Validator implements kube.Factory. Every API server Helm 3.22 supports checks
// fields itself, in which case kubectl's validator lets everything pass after
// it has downloaded the OpenAPI documents to find that out; so they are not.
func (f factory) Validator(directive string) (validation.Schema, error) {
	if directive == metav1.FieldValidationIgnore {
		return validation.NullSchema{}, nil
	}
	return validation.NoDoubleKeySchema{}, nil
}
