package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// floorAtOnce is how many tenancies the floor writes at a time.
const floorAtOnce = 16

// floor writes what Helm writes and reads nothing: no client can do the work with
// less.
type floor struct {
	job     job
	client  kubernetes.Interface
	dynamic dynamic.Interface
}

// doFloor does a phase with plain writes.
func doFloor(ctx context.Context, j job) (result outcome, err error) {
	config, err := clientcmd.BuildConfigFromFlags("", j.Kubeconfig)
	if err != nil {
		return outcome{}, fmt.Errorf("read %s: %w", j.Kubeconfig, err)
	}
	config.QPS = -1
	f := floor{job: j}
	if f.client, err = kubernetes.NewForConfig(config); err != nil {
		return outcome{}, fmt.Errorf("connect to the API server: %w", err)
	}
	if f.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return outcome{}, fmt.Errorf("connect to the API server: %w", err)
	}
	begin := time.Now()
	switch j.Phase {
	case phaseInstall:
		err = each(ctx, j.Workload.Tenancies, floorAtOnce, f.install)
	case phaseEdit:
		result.Edits, err = f.edits(ctx)
	case phaseUpgrade:
		err = each(ctx, j.Workload.Tenancies, floorAtOnce, func(ctx context.Context, i int) error { return f.upgrade(ctx, i, upgradeGrace) })
	case phaseUninstall:
		err = each(ctx, j.Workload.Tenancies, floorAtOnce, f.uninstall)
	}
	if err != nil {
		return outcome{}, err
	}
	result.Wall = time.Since(begin)
	if result.CPU, err = processCPU(os.Getpid()); err != nil {
		return outcome{}, err
	}
	result.Peak, err = processPeak(os.Getpid())
	return result, err
}

func (f floor) install(ctx context.Context, tenancy int) error {
	name := namespace(tenancy)
	_, err := f.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", name, err)
	}
	for _, p := range f.job.Patterns {
		if err := f.create(ctx, name, p, 1, "pending-install"); err != nil {
			return err
		}
		for _, object := range p.Objects {
			object := object.DeepCopy()
			object.SetNamespace(name)
			if err := unstructured.SetNestedField(object.Object, name, "metadata", "annotations", "meta.helm.sh/release-namespace"); err != nil {
				return fmt.Errorf("annotate %s: %w", object.GetKind(), err)
			}
			if _, err := f.resource(object, name).Create(ctx, object, metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("create %s %s/%s: %w", object.GetKind(), name, object.GetName(), err)
			}
		}
		if err := f.update(ctx, name, p, 1, "deployed"); err != nil {
			return err
		}
	}
	return nil
}

// edits changes one Deployment after the other.
func (f floor) edits(ctx context.Context) ([]edited, error) {
	config, err := clientcmd.BuildConfigFromFlags("", f.job.Watcher)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.job.Watcher, err)
	}
	watcher, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	var out []edited
	for i := range f.job.Edits {
		one, err := timeEdit(ctx, watcher, i, editGrace, func(ctx context.Context) error { return f.upgrade(ctx, i, editGrace) })
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// upgrade makes the next revision of release web, in the order in which Helm does.
func (f floor) upgrade(ctx context.Context, tenancy, grace int) error {
	name, p, old := namespace(tenancy), f.job.Patterns[0], f.job.revision(tenancy)
	if err := f.create(ctx, name, p, old+1, "pending-upgrade"); err != nil {
		return err
	}
	patch := fmt.Appendf(nil, `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":%d}}}}`, grace)
	if _, err := f.client.AppsV1().Deployments(name).Patch(ctx, deploymentName, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("patch Deployment %s/%s: %w", name, deploymentName, err)
	}
	if err := f.update(ctx, name, p, old, "superseded"); err != nil {
		return err
	}
	return f.update(ctx, name, p, old+1, "deployed")
}

func (f floor) uninstall(ctx context.Context, tenancy int) error {
	name := namespace(tenancy)
	background := metav1.DeletePropagationBackground
	for i, p := range f.job.Patterns {
		for _, object := range p.Objects {
			if err := f.resource(&object, name).Delete(ctx, object.GetName(), metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
				return fmt.Errorf("delete %s %s/%s: %w", object.GetKind(), name, object.GetName(), err)
			}
		}
		revisions := 1
		if i == 0 {
			revisions = f.job.revision(tenancy)
		}
		for n := 1; n <= revisions; n++ {
			if err := f.client.CoreV1().Secrets(name).Delete(ctx, recordName(p.Release, n), metav1.DeleteOptions{}); err != nil {
				return fmt.Errorf("delete record %d of %s/%s: %w", n, name, p.Release, err)
			}
		}
	}
	return nil
}

// resource is the client of an object's kind. The charts hold no kind whose plural
// is not made with an s.
func (f floor) resource(object *unstructured.Unstructured, namespace string) dynamic.ResourceInterface {
	return f.dynamic.Resource(plural(object.GroupVersionKind())).Namespace(namespace)
}

func plural(kind schema.GroupVersionKind) schema.GroupVersionResource {
	return kind.GroupVersion().WithResource(strings.ToLower(kind.Kind) + "s")
}

func (f floor) create(ctx context.Context, namespace string, p pattern, revision int, status string) error {
	record := p.record(namespace, revision, status)
	if _, err := f.client.CoreV1().Secrets(namespace).Create(ctx, record, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create Secret %s/%s: %w", namespace, record.Name, err)
	}
	return nil
}

func (f floor) update(ctx context.Context, namespace string, p pattern, revision int, status string) error {
	record := p.record(namespace, revision, status)
	if _, err := f.client.CoreV1().Secrets(namespace).Update(ctx, record, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("update Secret %s/%s: %w", namespace, record.Name, err)
	}
	return nil
}

// record is Helm's record of a revision.
func (p pattern) record(namespace string, revision int, status string) *corev1.Secret {
	record := p.Record.DeepCopy()
	record.Namespace, record.Name = namespace, recordName(p.Release, revision)
	record.Labels["status"], record.Labels["version"] = status, strconv.Itoa(revision)
	return record
}
