package release

import (
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/kube"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/resource"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// recordType is the type of the Secrets that Helm keeps releases in.
const recordType corev1.SecretType = "helm.sh/release.v1"

// gate says which objects a release may have, and what its templates may look up: who
// writes a chart is not who answers for the cluster. Helm itself keeps no object in
// the namespace of its release.
type gate struct {
	namespace    string
	clusterKinds []v1alpha1.ClusterKind
	// networkClosed says that a guardrail closes the network.
	networkClosed bool
}

// namedAtMost is how many objects a refusal names.
const namedAtMost = 3

// admit refuses objects that the release may not have; all of them, so that the chart
// is mended in one go.
func (g gate) admit(resources kube.ResourceList) error {
	var refused []string
	for _, info := range resources {
		if err := g.judge(info); err != nil {
			refused = append(refused, err.Error())
		}
	}
	if len(refused) == 0 {
		return nil
	}
	if more := len(refused) - namedAtMost; more > 0 {
		refused = append(refused[:namedAtMost], fmt.Sprintf("and %d more objects", more))
	}
	return fmt.Errorf("%w: %s", tenancy.ErrRefused, strings.Join(refused, "; "))
}

// judge says why an object is refused; nil when it is not.
func (g gate) judge(info *resource.Info) error {
	kind := info.Mapping.GroupVersionKind
	what := kind.Kind + " " + info.Name
	switch {
	case kind.Group == v1alpha1.GroupVersion.Group:
		return fmt.Errorf("%s: nobody but the platform writes kinds of %s", what, kind.Group)
	case kind.Group == corev1.GroupName && kind.Kind == "Secret" && isRecord(info):
		return fmt.Errorf("%s is a release record of Helm's, which no chart may contain", what)
	case isGuardrail(info):
		return fmt.Errorf("%s has label %s, which marks what the platform bounds tenancies with", what, v1alpha1.LabelGuardrail)
	case g.networkClosed && kind.Group == networkingv1.GroupName && kind.Kind == "NetworkPolicy":
		return fmt.Errorf("%s could open what the networkPolicy of tenancy %s closes; set networkPolicy.allowCharts if charts may have their own", what, g.namespace)
	case !info.Namespaced():
		if g.allows(kind.Group, kind.Kind) {
			return nil
		}
		return fmt.Errorf("%s is cluster-scoped; list {group: %q, kind: %s} in allowedClusterKinds of tenancy %s or of the Controller if its charts may have it",
			what, kind.Group, kind.Kind, g.namespace)
	case info.Namespace != g.namespace:
		return fmt.Errorf("%s is in namespace %s, and a release of tenancy %s has no objects elsewhere", what, info.Namespace, g.namespace)
	}
	return nil
}

func (g gate) allows(group, kind string) bool {
	return slices.Contains(g.clusterKinds, v1alpha1.ClusterKind{Group: group, Kind: kind})
}

// isGuardrail says that an object would pass for a guardrail.
func isGuardrail(info *resource.Info) bool {
	o, err := meta.Accessor(info.Object)
	return err == nil && o.GetLabels()[v1alpha1.LabelGuardrail] != ""
}

// isRecord says that a Secret is, or looks to Helm as if it were, a release record.
func isRecord(info *resource.Info) bool {
	secret, ok := info.Object.(*unstructured.Unstructured)
	if !ok {
		return true // never so: Helm builds nothing else
	}
	kind, _, _ := unstructured.NestedString(secret.Object, "type")
	return kind == string(recordType) || secret.GetLabels()["owner"] == "helm"
}
