package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"helm.sh/helm/v3/pkg/kube"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"

	"multitenancy.dev/multi-tenancy-operator/pkg/drift"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// Correct compares suspects, objects of a release that somebody touched, with what
// the chart makes of them, and puts those back that mend says yes to. It makes no
// revision. Applied tells how every suspect looks now, and what was different.
//
// No drift is what a correction would not change: the API server's defaults, what
// admission always sets, and the replicas of what a HorizontalPodAutoscaler scales.
func (c *Client) Correct(ctx context.Context, rel tenancy.Release, suspects []tenancy.Object, mend func(tenancy.Object) bool) (tenancy.Applied, error) {
	if err := c.identified(ctx, rel); err != nil {
		return tenancy.Applied{}, err
	}
	op, err := c.operation(ctx, rel)
	if err != nil {
		return tenancy.Applied{}, err
	}
	last, err := op.config.Releases.Last(rel.Key.Name)
	if err != nil {
		return tenancy.Applied{}, op.explain("correct", rel, err)
	}
	if last.Version != rel.Revision {
		return tenancy.Applied{}, nil // a newer revision has its own objects
	}
	applied, err := c.correct(ctx, op, rel, last.Manifest, suspects, mend)
	return applied, op.explain("correct", rel, err)
}

func (c *Client) correct(ctx context.Context, op *operation, rel tenancy.Release, manifest string, suspects []tenancy.Object, mend func(tenancy.Object) bool) (tenancy.Applied, error) {
	infos, err := op.kube.Build(bytes.NewBufferString(manifest), false)
	if err != nil {
		return tenancy.Applied{}, err
	}
	var applied tenancy.Applied
	var failed []error // one that cannot be put back must not keep the others
	for _, info := range infos {
		id := identify(info)
		if !slices.ContainsFunc(suspects, func(s tenancy.Object) bool { return s.ID() == id }) {
			continue
		}
		if err := op.kube.gate.admit(kube.ResourceList{info}); err != nil {
			failed = append(failed, err)
			continue
		}
		found, err := c.inspect(ctx, info, rel, mend(id))
		if err != nil {
			failed = append(failed, fmt.Errorf("compare %s with its chart: %w", id, err))
			continue
		}
		applied.Objects = append(applied.Objects, found.Object)
		if found.Missing || found.Foreign || len(found.Fields) > 0 {
			applied.Drifts = append(applied.Drifts, found)
		}
	}
	return applied, errors.Join(failed...)
}

// inspect compares one object, and puts it back if it may.
func (c *Client) inspect(ctx context.Context, info *resource.Info, rel tenancy.Release, mend bool) (tenancy.Drift, error) {
	found := tenancy.Drift{Object: identify(info)}
	if err := own(info.Object, rel.Key); err != nil {
		return found, err
	}
	helper := resource.NewHelper(info.Client, info.Mapping).WithFieldManager(fieldManager)
	live, err := helper.Get(info.Namespace, info.Name)
	if apierrors.IsNotFound(err) {
		found.Missing, found.Corrected = true, mend
		if !mend {
			return found, nil
		}
		made, err := helper.Create(info.Namespace, true, info.Object)
		if err != nil {
			return found, err
		}
		return look(found, info, made)
	}
	if err != nil {
		return found, err
	}
	if object, err := meta.Accessor(live); err == nil && foreign(object, rel) {
		found.Foreign = true
		return look(found, info, live)
	}
	if err := c.leaveScaled(ctx, info, live, rel.Drift == ""); err != nil {
		return found, err
	}
	return restore(found, info, helper, live, mend)
}

// restore compares an object that is there, and puts it back if it may.
func restore(found tenancy.Drift, info *resource.Info, helper *resource.Helper, live runtime.Object, mend bool) (tenancy.Drift, error) {
	typed := kube.AsVersioned(info)
	if _, unknown := typed.(runtime.Unstructured); unknown {
		typed = nil
	}
	patch, kind, err := drift.Patch(info.Object, live, typed)
	if err != nil {
		return found, err
	}
	if patch == nil {
		return look(found, info, live)
	}
	mended, err := helper.DryRun(true).Patch(info.Namespace, info.Name, kind, patch, nil)
	if err != nil {
		return found, err
	}
	found.Fields = drift.Fields(content(live), content(mended))
	if len(found.Fields) == 0 || !mend {
		return look(found, info, live)
	}
	if mended, err = helper.DryRun(false).Patch(info.Namespace, info.Name, kind, patch, nil); err != nil {
		return found, err
	}
	found.Corrected = true
	return look(found, info, mended)
}

// leaveScaled takes the count of replicas out of what the chart says of a workload
// if it is always to be left alone, or if an autoscaler scales it.
func (c *Client) leaveScaled(ctx context.Context, info *resource.Info, live runtime.Object, always bool) error {
	kind := info.Mapping.GroupVersionKind.Kind
	chart := content(info.Object)
	want, says, _ := unstructured.NestedInt64(chart.Object, "spec", "replicas")
	if !says {
		return nil
	}
	if have, _, _ := unstructured.NestedInt64(content(live).Object, "spec", "replicas"); want == have {
		return nil
	}
	if always && info.Mapping.GroupVersionKind.Group == appsv1.GroupName {
		unstructured.RemoveNestedField(chart.Object, "spec", "replicas")
		return nil
	}
	scalers, err := c.shared.clientset.AutoscalingV2().HorizontalPodAutoscalers(info.Namespace).List(ctx, metav1.ListOptions{})
	// An API server may be without the API, and then nothing scales.
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if slices.ContainsFunc(scalers.Items, func(h autoscalingv2.HorizontalPodAutoscaler) bool {
		return h.Spec.ScaleTargetRef.Kind == kind && h.Spec.ScaleTargetRef.Name == info.Name
	}) {
		unstructured.RemoveNestedField(chart.Object, "spec", "replicas")
	}
	return nil
}

// look notes how the object looks now.
func look(found tenancy.Drift, info *resource.Info, object runtime.Object) (tenancy.Drift, error) {
	accessor, err := meta.Accessor(object)
	if err == nil {
		found.Object = snapshot(info, accessor)
	}
	return found, err
}

// content is an object as Helm's client gets it: it decodes nothing into types.
func content(object runtime.Object) *unstructured.Unstructured {
	if u, ok := object.(*unstructured.Unstructured); ok {
		return u
	}
	return &unstructured.Unstructured{}
}
