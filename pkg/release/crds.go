package release

import (
	"bytes"
	"context"
	"fmt"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/kube"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/resource"

	"multitenancy.dev/multi-tenancy-operator/pkg/api/v1alpha1"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// applyCRDs does with the crds directory of a chart what the release says, and
// waits until the API server serves what was made. Helm's own way knows neither
// replacing nor upgrades, and takes any kind of object.
func (c *Client) applyCRDs(ctx context.Context, op *operation, rel tenancy.Release, chart *helmchart.Chart) error {
	if rel.CRDs != v1alpha1.CRDsCreate && rel.CRDs != v1alpha1.CRDsCreateReplace {
		return nil
	}
	var written []*resource.Info
	for _, crd := range chart.CRDObjects() {
		infos, err := op.kube.Build(bytes.NewReader(crd.File.Data), false)
		if err != nil {
			return fmt.Errorf("read %s of the chart: %w", crd.Filename, err)
		}
		for _, info := range infos {
			gvk := info.Mapping.GroupVersionKind
			if gvk.Group != apiextensionsv1.GroupName || gvk.Kind != "CustomResourceDefinition" {
				return fmt.Errorf("%w: %s holds %s %s, and only CustomResourceDefinitions belong into crds; move it to templates",
					tenancy.ErrChartInvalid, crd.Filename, gvk.Kind, info.Name)
			}
			if err := op.kube.gate.admit(kube.ResourceList{info}); err != nil {
				return err
			}
			wrote, err := writeCRD(info, rel.CRDs)
			if err != nil {
				return fmt.Errorf("CustomResourceDefinition %s of the chart: %w", info.Name, err)
			}
			if wrote {
				written = append(written, info)
			}
		}
	}
	if len(written) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rel.Timeout)
	defer cancel()
	if err := c.park(func() error { return awaitServed(ctx, written) }); err != nil {
		return err
	}
	c.shared.forget()
	capabilities, err := c.shared.capabilities()
	op.config.Capabilities = capabilities
	return err
}

// writeCRD makes a CRD that is missing, and replaces one that is there if the
// policy says so.
func writeCRD(info *resource.Info, policy v1alpha1.CRDPolicy) (bool, error) {
	helper := resource.NewHelper(info.Client, info.Mapping)
	_, err := helper.Get("", info.Name)
	switch {
	case apierrors.IsNotFound(err):
		_, err = helper.Create("", true, info.Object)
	case err != nil:
	case policy == v1alpha1.CRDsCreateReplace:
		_, err = helper.Replace("", info.Name, true, info.Object)
	default:
		return false, nil
	}
	return err == nil, err
}

// awaitServed waits until the API server has established every CRD.
func awaitServed(ctx context.Context, crds []*resource.Info) error {
	for _, info := range crds {
		err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(context.Context) (bool, error) {
			object, err := resource.NewHelper(info.Client, info.Mapping).Get("", info.Name)
			if err != nil {
				return false, err
			}
			return established(object.(*unstructured.Unstructured)), nil
		})
		if err != nil {
			return fmt.Errorf("wait for CustomResourceDefinition %s to be established: %w", info.Name, err)
		}
	}
	return nil
}

func established(crd *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, c := range conditions {
		if m, ok := c.(map[string]any); ok && m["type"] == string(apiextensionsv1.Established) {
			return m["status"] == string(metav1.ConditionTrue)
		}
	}
	return false
}
